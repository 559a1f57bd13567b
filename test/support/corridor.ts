/**
 * The whole corridor in this process: doors, worker, housekeeping and the API's routes, on a real database and against a
 * scripted provider in a process of its own. Time goes on by itself and jumps where a test says so.
 */
import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { bootstrap, createTokens } from '../../src/access/tokens.ts';
import { createVault } from '../../src/access/vault.ts';
import { checkChannel } from '../../src/channel/check.ts';
import type { ChannelDocument } from '../../src/channel/document.ts';
import { createAccept } from '../../src/flows/accept-message.ts';
import { createAcceptRequest } from '../../src/flows/accept-request.ts';
import { createDirectory, type Directory } from '../../src/flows/directory.ts';
import type { Ground } from '../../src/flows/ground.ts';
import { createHousekeeping, type Housekeeping } from '../../src/flows/housekeeping.ts';
import { createLaneBreakers } from '../../src/flows/lane-breakers.ts';
import { createLanes } from '../../src/flows/lanes.ts';
import { createLimiter } from '../../src/flows/limiter.ts';
import { createMailings } from '../../src/flows/mailings.ts';
import { createOpenOutside } from '../../src/flows/open-outside.ts';
import { createPerform } from '../../src/flows/perform.ts';
import { createSettler } from '../../src/flows/settler.ts';
import { createStages } from '../../src/flows/stages.ts';
import { createWaker } from '../../src/flows/waker.ts';
import { createWorker, type Worker } from '../../src/flows/worker.ts';
import { mountApi } from '../../src/http/api.ts';
import { mountListener } from '../../src/http/listener.ts';
import { allRoutes } from '../../src/http/routes.ts';
import { createIds } from '../../src/ids.ts';
import { createAddressGuard } from '../../src/outside/address-guard.ts';
import { authorize } from '../../src/outside/authorize.ts';
import { createForeignSql } from '../../src/outside/foreign-sql.ts';
import { createHttpClient } from '../../src/outside/http-client.ts';
import { pipeOf } from '../../src/pipes/catalog.ts';
import { storeChannel, takenChannels } from '../../src/storage/channels.ts';
import type { Database } from '../../src/storage/database.ts';
import { openTestDatabase, type TestDatabase } from './database.ts';
import { run, until } from './engine.ts';
import type { Seen, Step } from './scripted-provider.ts';

export interface ScriptedProvider {
  readonly url: string;
  /** The answers to a path or a reference, in order; the last one goes on. */
  readonly script: (key: string, ...steps: Step[]) => Promise<void>;
  readonly log: () => Promise<Seen[]>;
  /** Requests with this reference. */
  readonly seen: (reference: string) => Promise<Seen[]>;
  readonly end: () => Promise<unknown>;
}

/** Starts a provider that does what `script` tells it. */
export async function startScripted(): Promise<ScriptedProvider> {
  const running = await run('test/support/scripted-provider.ts', [], {}, /^(\d+)$/m);
  const url = `http://127.0.0.1:${running.match}`;
  const log = async () => (await (await fetch(`${url}/_log`)).json()) as Seen[];
  return {
    url,
    script: async (key, ...steps) => {
      await fetch(`${url}/_script`, { method: 'POST', body: JSON.stringify({ key, steps }) });
    },
    log,
    seen: async (reference) => (await log()).filter((each) => each.reference === reference),
    end: () => running.end('SIGKILL'),
  };
}

export interface Event {
  readonly sid: string;
  readonly type: string;
  readonly attempt: number;
  readonly externalId: string | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly data: unknown;
}

export interface TrailPipe {
  readonly pipe: number;
  readonly type: string;
  readonly exit: string;
  readonly rule?: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly log?: readonly { readonly level: string; readonly message: string }[];
}

export interface MessageView {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly externalId: string | null;
  readonly attempt: number;
  readonly events: readonly Event[];
  readonly attempts: readonly {
    readonly number: number;
    readonly outcome: string;
    readonly trail: readonly TrailPipe[];
  }[];
}

export interface ApiAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly body: any;
}

/** One process's worth of engine on a database. */
export interface Node {
  readonly ground: Ground;
  readonly directory: Directory;
  readonly worker: Worker;
  readonly housekeeping: Housekeeping;
  readonly api: (request: string, json?: unknown, headers?: Record<string, string>) => Promise<ApiAnswer>;
  readonly listen: (path: string, init?: RequestInit) => Promise<Response>;
  readonly wake: () => void;
  readonly stop: () => Promise<void>;
}

export interface NodeOptions {
  readonly laneConcurrency?: number;
  readonly concurrency?: number;
}

export interface Corridor extends Node {
  readonly database: Database;
  readonly provider: ScriptedProvider;
  readonly accountId: string;
  /** Everything that was logged, as text. */
  readonly logged: () => string;
  /** Stores a channel document, or a new version of it; throws with what the linter says. */
  readonly addChannel: (document: Readonly<Record<string, unknown>>) => Promise<void>;
  /** A sender whose address is the provider's, with the token `secret-token-…`. */
  readonly addSender: (channel: string, sid?: string, fields?: object) => Promise<void>;
  /** Accepts one message and gives its id; anything else than 202 throws. */
  readonly send: (channel: string, more?: Readonly<Record<string, unknown>>) => Promise<string>;
  readonly view: (id: string) => Promise<MessageView>;
  /** Resolves when nothing is due and nothing runs; what waits for a later time goes on waiting. */
  readonly idle: () => Promise<void>;
  /** Lets time pass at once, and then everything happen that is due. */
  readonly pass: (seconds: number) => Promise<void>;
  /** Another engine on the same database; needs a server. */
  readonly another: (options?: NodeOptions) => Promise<Node>;
  /** The text of every row of every table. */
  readonly dump: () => Promise<string>;
  readonly end: () => Promise<void>;
}

const ADMIN = 'corridor-admin-token';
const DAY_MS = 86_400_000;
const PARKED = '9000-01-01';

const noModule = () => Promise.reject(new Error('These tests have no built-in channel.'));

interface World {
  readonly clock: { readonly now: () => number };
  readonly log: Ground['log'];
  readonly keys: readonly Buffer[];
}

async function startNode(database: Database, world: World, options: NodeOptions): Promise<Node> {
  const { clock, log, keys } = world;
  const ground: Ground = {
    database,
    clock,
    ids: createIds(clock),
    random: () => 0.5,
    vault: createVault(keys),
    log,
    stages: createStages(),
  };
  const guard = createAddressGuard(['127.0.0.0/8']);
  const http = createHttpClient({ guard, defaultConnections: options.laneConcurrency ?? 256 });
  const foreign = createForeignSql({ guard });
  await bootstrap(database, clock, ground.ids, ADMIN);
  const directory = createDirectory(ground, pipeOf);
  const lanes = createLanes(ground);
  const held: { worker?: Worker } = {};
  const waker = await createWaker(ground, (laneId) => held.worker?.wake(laneId));
  const limiter = createLimiter(ground, (ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  const open = createOpenOutside(ground, limiter, {
    send: http.send,
    authorize,
    query: foreign.query,
    modules: { smtp: noModule, smpp: noModule, push: noModule },
  });
  const accept = createAccept(ground, directory, lanes, waker.woken);
  const acceptRequest = createAcceptRequest(ground, directory, lanes, open, waker.woken);
  const mailings = createMailings(ground, directory, lanes, waker.woken);
  const tokens = createTokens(database, clock);
  const breakers = createLaneBreakers(ground, (laneId) => held.worker?.wake(laneId));
  const worker = createWorker(
    ground,
    createPerform(ground, directory, open, { trailSample: 1, laneOpenForMs: breakers.openForMs }),
    mailings.task,
    createSettler(ground, () => held.worker?.node() ?? 0),
    breakers,
    {
      name: 'test',
      laneConcurrency: options.laneConcurrency ?? 256,
      concurrency: options.concurrency ?? 1_024,
      pollMs: 20,
      heartbeatMs: 500,
      // Time jumps in these tests, and nobody dies in them.
      leaseMs: 365 * DAY_MS,
    },
  );
  held.worker = worker;
  const housekeeping = createHousekeeping(ground, directory, lanes, () => worker.node(), waker.woken, {
    leaseMs: 365 * DAY_MS,
    retentionDays: 400,
  });
  await worker.start();
  const app = new Hono();
  mountListener(app, acceptRequest, ground, { maxBytes: 65_536, publicUrl: undefined });
  mountApi(
    app,
    allRoutes({ ground, directory, accept, mailings, tokens, open, lanes, woken: waker.woken }),
    ground,
    tokens,
  );
  return {
    ground,
    directory,
    worker,
    housekeeping,
    api: async (request, json, headers = {}) => {
      const [method = 'GET', path = '/'] = request.split(' ');
      const response = await app.request(`/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${ADMIN}`,
          ...(json !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(json !== undefined && { body: JSON.stringify(json) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    },
    listen: async (path, init) => app.request(`/fbp/v1/${path}`, { method: 'POST', ...init }),
    wake: () => waker.woken([]),
    stop: async () => {
      await worker.stop();
      await waker.stop();
      await http.close();
      await foreign.close();
    },
  };
}

/** Opens a corridor; opening takes seconds, so once per test file. */
export async function openCorridor(
  kind: 'embedded' | 'server' = 'embedded',
  options: NodeOptions = {},
): Promise<Corridor> {
  let aheadMs = 0;
  const clock = { now: () => Date.now() + aheadMs };
  const lines: string[] = [];
  const write = (level: string) => (fields: object, text: string) => {
    const plain = JSON.stringify(fields, (_key, value) =>
      value instanceof Error ? `${value.message} ${value.stack}` : value,
    );
    lines.push(`${level} ${text} ${plain}`);
  };
  const world: World = {
    clock,
    log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    keys: [createHash('sha256').update('key of the tests').digest()],
  };
  const [test, provider]: [TestDatabase, ScriptedProvider] = await Promise.all([
    openTestDatabase(kind, clock.now()),
    startScripted(),
  ]);
  const { database } = test;
  const node = await startNode(database, world, options);
  const nodes = [node];
  const { api } = node;
  const [account] = await database.query<{ id: string }>('select id from account');
  const created = async (request: string, json: unknown): Promise<unknown> => {
    const answer = await api(request, json);
    if (answer.status >= 300) throw new Error(`${request}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  let channels = 0;
  const previous = new Map<string, ChannelDocument>();

  const idle = () =>
    until(async () => {
      const [row] = await database.query<{ busy: number }>(
        'select count(*)::int as busy from waiting where owner is not null or due_at <= $1',
        [new Date(clock.now())],
      );
      if (row?.busy !== 0) return false;
      const done = [await node.housekeeping.joinParked(0), await node.housekeeping.finish()];
      return done.every((count) => count === 0);
    });

  return {
    ...node,
    database,
    provider,
    accountId: account?.id ?? '',
    logged: () => lines.join('\n'),
    addChannel: async (document) => {
      const { sid } = document as { sid: string };
      const text = JSON.stringify(document);
      const checked = checkChannel(
        { file: 'channel.json', text, kind: 'custom', pipelines: () => undefined },
        { others: await takenChannels(database), previous: previous.get(sid) },
      );
      if (checked.document === undefined) {
        const errors = checked.findings.filter((each) => each.severity === 'error');
        throw new Error(errors.map((each) => `${each.pointer}: ${each.message}`).join('\n'));
      }
      previous.set(sid, checked.document);
      channels += 1;
      await storeChannel(database, {
        id: checked.document.id,
        sid,
        kind: 'custom',
        accountId: account?.id ?? '',
        document: JSON.stringify(checked.document),
        hash: String(channels),
        nowMs: clock.now(),
      });
      for (const each of nodes) each.directory.forget();
    },
    addSender: async (channel, sid = 'main', fields = {}) => {
      await created('POST /senders', {
        sid,
        name: sid,
        channel,
        fields: { token: `secret-token-${sid}`, base_url: provider.url, ...fields },
      });
    },
    send: async (channel, more = {}) => {
      const body = { channel, resource: 'shop', template: { text: 'Hello' }, ...more };
      return ((await created('POST /messages', body)) as { id: string }).id;
    },
    view: async (id) => (await api(`GET /messages/${id}`)).body as MessageView,
    idle,
    pass: async (seconds) => {
      aheadMs += seconds * 1_000;
      for (const each of nodes) each.wake();
      await idle();
    },
    another: async (more = {}) => {
      const other = await startNode(await test.second(), world, more);
      nodes.push(other);
      return other;
    },
    dump: async () => {
      const tables = await database.query<{ name: string }>(
        `select relname as name from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and not relispartition`,
      );
      let text = '';
      for (const { name } of tables) {
        for (const row of await database.query<{ t: string }>(
          `select to_json(t)::text as t from "${name}" t`,
        )) {
          text += `${name} ${row.t}\n`;
        }
      }
      return text;
    },
    end: async () => {
      await Promise.all(nodes.map((each) => each.stop()));
      await test.end();
      await provider.end();
    },
  };
}

/** The due time from which on rows are parked, for looking at the books. */
export const PARKED_FROM = PARKED;
