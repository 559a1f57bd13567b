/** What runs may reach: HTTP behind limits and authorization, the store, foreign databases. Adapters are given. */
import type { Vault } from '../../access/vault.ts';
import { openFields } from '../../access/vault.ts';
import { asFailure, Failure } from '../../errors.ts';
import { decodeValue, encodeValue } from '../../json.ts';
import type {
  HttpAnswer,
  HttpRequest,
  ModuleAnswer,
  ModuleName,
  ModuleRequest,
  RateLimit,
  SqlRequest,
  Store,
} from '../../pipes/contract.ts';
import { findEntity } from '../../storage/entities.ts';
import { deleteRecord, NO_ACCOUNT, readRecord, writeRecord } from '../../storage/store-records.ts';
import type { LaneRests } from '../lanes/lane-rests.ts';
import type { KeyedLimit, Limiter } from '../lanes/limiter.ts';
import { restMs } from '../lanes/rest-headers.ts';
import type { Runtime } from '../runtime.ts';
import type { OpenOutside, RunPlace } from './run-context.ts';

/** A foreign database as a connector names it. */
export interface ConnectorTarget {
  readonly kind: 'postgresql' | 'mysql';
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly tls: 'off' | 'encrypt' | 'verify';
}

export interface TokenStore {
  readonly get: (key: string) => Promise<{ token: string; expiresAtMs: number } | undefined>;
  readonly set: (key: string, token: string, expiresAtMs: number) => Promise<void>;
}

export interface Adapters {
  readonly send: (request: HttpRequest, laneKey: string) => Promise<HttpAnswer>;
  readonly authorize: (
    request: HttpRequest,
    given: {
      send: (request: HttpRequest) => Promise<HttpAnswer>;
      tokens: TokenStore;
      now: () => number;
      randomId: () => string;
    },
  ) => Promise<HttpAnswer>;
  readonly query: (
    target: ConnectorTarget,
    request: SqlRequest,
  ) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** The code modules of built-in channels. */
  readonly modules: Readonly<
    Record<ModuleName, (request: ModuleRequest, place: RunPlace) => Promise<ModuleAnswer>>
  >;
}

/** Tokens of OAuth are kept beside the store's own tables, under a name no author can give. */
const TOKEN_TABLE = '~token';

/** Makes the outside of runs from the adapters. */
export function createOpenOutside(
  runtime: Runtime,
  limiter: Limiter,
  rests: LaneRests,
  adapters: Adapters,
): OpenOutside {
  const { database, clock, ids, log } = runtime;
  // One object per channel and account: what a process knows of tokens hangs on it.
  const tokens = new Map<string, TokenStore>();

  return (place) => {
    const accountId = place.accountId ?? NO_ACCOUNT;
    const at = (table: string, key: string) => ({ accountId, channelId: place.channelId, table, key });
    const tokenKey = `${accountId}/${place.channelId}`;
    let tokenStore = tokens.get(tokenKey);
    if (tokenStore === undefined) {
      tokenStore = sealedTokens(runtime, (key) => at(TOKEN_TABLE, key));
      tokens.set(tokenKey, tokenStore);
    }
    const laneKey = String(place.laneId);
    const rest = rests.of(place.laneId);
    const whole = place.limits === undefined ? [] : [keyedLimit(place, place.limits, '')];
    const given = {
      send: (request: HttpRequest) => adapters.send(request, laneKey),
      tokens: tokenStore,
      now: clock.now,
      randomId: ids.next,
    };

    /** No process goes on before the provider has had its rest. */
    const keepRest = (limits: readonly KeyedLimit[], forMs: number) => {
      // What one resource did is no reason to hold up the others of its lane.
      if (limits.every(({ limit }) => limit.scope !== 'resource')) rests.note(place.laneId, forMs);
      const [first] = limits;
      if (first === undefined) return;
      limiter.hold([first.key], forMs).catch((thrown: unknown) => {
        const failure = asFailure(thrown);
        log.error({ code: failure.code }, `a limit could not be held: ${failure.message}`);
      });
    };
    const learn = (answer: HttpAnswer, limits: readonly KeyedLimit[]): HttpAnswer => {
      const forMs = restMs(answer.status, answer.headers, clock.now());
      if (forMs > 0) keepRest(limits, forMs);
      return answer;
    };
    const learnPlain = (answer: HttpAnswer) => learn(answer, whole);
    /** Each request to the provider passes its limits: a repeat with a new token, and one for the token, too. */
    const sendLimited = (request: HttpRequest, at: string): Promise<HttpAnswer> => {
      const { limit } = request;
      const limits = limit === undefined ? whole : [keyedLimit(place, limit, at), ...whole];
      const send = (sent: HttpRequest) =>
        limiter.within(sent.limit === undefined ? whole : limits, () => given.send(sent));
      return adapters.authorize(request, { ...given, send }).then((answer) => learn(answer, limits));
    };

    const store: Store = {
      get: async (key, table) => {
        const text = await readRecord(database, at(table, key), clock.now());
        return text === undefined ? undefined : decodeValue(text);
      },
      set: (key, value, ttlSeconds, table) =>
        writeRecord(database, at(table, key), encodeValue(value), clock.now() + ttlSeconds * 1_000),
      delete: (key, table) => deleteRecord(database, at(table, key)),
    };
    return {
      http: (request, at = '') => {
        const restsForMs = rest.untilMs === undefined ? 0 : rest.untilMs - clock.now();
        if (restsForMs > 0) return Promise.reject(resting(restsForMs));
        if (request.limit !== undefined || whole.length > 0) return sendLimited(request, at);
        return adapters.authorize(request, given).then(learnPlain);
      },
      module: (request) =>
        whole.length === 0
          ? adapters.modules[request.module](request, place)
          : limiter.within(whole, () => adapters.modules[request.module](request, place)),
      store,
      sql: async (request) => {
        const connector = await findEntity(database, 'connector', accountId, request.connector);
        if (connector === undefined) {
          throw new Failure(
            'CONNECTOR_UNKNOWN',
            `There is no connector "${request.connector}" in this account. Create it, or correct connector_id.`,
          );
        }
        return adapters.query(
          openFields(runtime.vault, connector.fields).values as unknown as ConnectorTarget,
          request,
        );
      },
    };
  };
}

/** A limit and whom its scope names; `at` is the pipe whose own limit it is, empty for the limit of the channel. */
function keyedLimit(place: RunPlace, limit: RateLimit, at: string): KeyedLimit {
  const whose = {
    channel: '',
    account: place.accountId,
    sender: place.senderId,
    resource: place.resourceId,
  }[limit.scope];
  return { key: `${place.channelId}/${limit.scope}/${whose ?? ''}/${at}`, limit };
}

function resting(forMs: number): Failure {
  return new Failure('RATE_LIMITED', 'The provider asked for rest; the event waits until then.', {
    kind: 'limit',
    retryAfterMs: forMs,
  });
}

function sealedTokens(
  runtime: { database: Runtime['database']; clock: Runtime['clock']; vault: Vault },
  at: (key: string) => Parameters<typeof readRecord>[1],
): TokenStore {
  const { database, clock, vault } = runtime;
  return {
    get: async (key) => {
      const text = await readRecord(database, at(key), clock.now());
      return text === undefined
        ? undefined
        : (vault.open(JSON.parse(text)) as { token: string; expiresAtMs: number });
    },
    set: (key, token, expiresAtMs) =>
      writeRecord(
        database,
        at(key),
        JSON.stringify(vault.seal({ token, expiresAtMs }, new Date(clock.now()).toISOString())),
        expiresAtMs,
      ),
  };
}
