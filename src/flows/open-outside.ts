/** What runs may reach: HTTP behind limits and authorization, the store, foreign databases. Adapters are given. */
import type { Vault } from '../access/vault.ts';
import { openFields } from '../access/vault.ts';
import { Failure } from '../errors.ts';
import { decodeValue, encodeValue } from '../json.ts';
import type {
  HttpAnswer,
  HttpRequest,
  ModuleAnswer,
  ModuleName,
  ModuleRequest,
  RateLimit,
  SqlRequest,
  Store,
} from '../pipes/contract.ts';
import { findEntity } from '../storage/entities.ts';
import { deleteRecord, NO_ACCOUNT, readRecord, writeRecord } from '../storage/store-records.ts';
import type { Ground } from './ground.ts';
import type { Limiter } from './limiter.ts';
import type { OpenOutside, RunPlace } from './perform.ts';

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
export function createOpenOutside(ground: Ground, limiter: Limiter, adapters: Adapters): OpenOutside {
  const { database, clock, ids } = ground;
  // One object per channel and account: what a process knows of tokens hangs on it.
  const tokens = new Map<string, TokenStore>();

  return (place) => {
    const accountId = place.accountId ?? NO_ACCOUNT;
    const at = (table: string, key: string) => ({ accountId, channelId: place.channelId, table, key });
    const tokenKey = `${accountId}/${place.channelId}`;
    let tokenStore = tokens.get(tokenKey);
    if (tokenStore === undefined) {
      tokenStore = sealedTokens(ground, (key) => at(TOKEN_TABLE, key));
      tokens.set(tokenKey, tokenStore);
    }
    const given = {
      send: (request: HttpRequest) => adapters.send(request, String(place.laneId)),
      tokens: tokenStore,
      now: clock.now,
      randomId: ids.next,
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
      http: (request) => {
        const limits = limitsOf(place, request.limit);
        if (limits.length === 0) return adapters.authorize(request, given);
        return passAll(limiter, limits).then(() => adapters.authorize(request, given));
      },
      module: (request) =>
        passAll(limiter, limitsOf(place, undefined)).then(() =>
          adapters.modules[request.module](request, place),
        ),
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
          openFields(ground.vault, connector.fields).values as unknown as ConnectorTarget,
          request,
        );
      },
    };
  };
}

async function passAll(
  limiter: Limiter,
  limits: readonly { key: string; limit: RateLimit }[],
): Promise<void> {
  for (const { key, limit } of limits) await limiter.pass(key, limit);
}

/** The limit of the request itself and the one of its channel, each counted for whom its scope names. */
function limitsOf(place: RunPlace, own: RateLimit | undefined): { key: string; limit: RateLimit }[] {
  return [own, place.limits].flatMap((limit) => {
    if (limit === undefined) return [];
    const whose = {
      channel: '',
      account: place.accountId,
      sender: place.senderId,
      resource: place.resourceId,
    }[limit.scope];
    return [
      {
        key: `${place.channelId}/${limit.scope}/${whose ?? ''}/${limit.requests}/${limit.perSeconds}`,
        limit,
      },
    ];
  });
}

function sealedTokens(
  ground: { database: Ground['database']; clock: Ground['clock']; vault: Vault },
  at: (key: string) => Parameters<typeof readRecord>[1],
): TokenStore {
  const { database, clock, vault } = ground;
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
