/** One process's worth of engine, without a process: doors, worker, housekeeping and routes on a given database. */
import { Hono } from 'hono';
import { bootstrap, createTokens } from '../../src/access/tokens.ts';
import { createVault } from '../../src/access/vault.ts';
import { createDirectory, type Directory } from '../../src/flows/directory/directory.ts';
import { createAccept } from '../../src/flows/intake/accept-message.ts';
import { createAcceptRequest } from '../../src/flows/intake/accept-request.ts';
import { createRefusals } from '../../src/flows/intake/refusals.ts';
import { createLaneBreakers } from '../../src/flows/lanes/lane-breakers.ts';
import { createLaneRests, withLaneRests } from '../../src/flows/lanes/lane-rests.ts';
import { createLanes } from '../../src/flows/lanes/lanes.ts';
import { createLimiter } from '../../src/flows/lanes/limiter.ts';
import { createWaker } from '../../src/flows/lanes/waker.ts';
import { createMailings } from '../../src/flows/mailings/mailings.ts';
import { createDeliver } from '../../src/flows/operator-events/deliver.ts';
import { createOpenOutside } from '../../src/flows/run/open-outside.ts';
import { createPerform } from '../../src/flows/run/perform.ts';
import type { Runtime } from '../../src/flows/runtime.ts';
import { createFallBack } from '../../src/flows/senders/fallback.ts';
import { createSettler } from '../../src/flows/settlement/settler.ts';
import { steady } from '../../src/flows/settlement/tasks.ts';
import { createPerformSource } from '../../src/flows/sources/perform-source.ts';
import { createStages } from '../../src/flows/stages.ts';
import { createHousekeeping, type Housekeeping } from '../../src/flows/worker/housekeeping.ts';
import { createWorker, type Worker } from '../../src/flows/worker/worker.ts';
import { mountApi } from '../../src/http/api.ts';
import { mountListener } from '../../src/http/listener.ts';
import { allRoutes } from '../../src/http/routes.ts';
import { createIds } from '../../src/ids.ts';
import { createAddressGuard, type Resolve } from '../../src/outside/address-guard.ts';
import { authorize } from '../../src/outside/authorize.ts';
import { createForeignSql } from '../../src/outside/foreign-sql.ts';
import { createHttpClient } from '../../src/outside/http-client.ts';
import { pipeOf } from '../../src/pipes/catalog.ts';
import { PIPELINE_CODES } from '../../src/storage/claim.ts';
import type { Database } from '../../src/storage/database.ts';

export interface ApiAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly body: any;
}

/** One process's worth of engine on a database. */
export interface Node {
  readonly runtime: Runtime;
  readonly directory: Directory;
  readonly worker: Worker;
  readonly housekeeping: Housekeeping;
  readonly api: (request: string, json?: unknown, headers?: Record<string, string>) => Promise<ApiAnswer>;
  /** The answer of a GET as it comes, for streams. */
  readonly open: (path: string) => Promise<Response>;
  /** How many mailings are watched. */
  readonly watched: () => number;
  /** The token of `api`. */
  readonly token: string;
  /** A call with these headers only, its body as it is. */
  readonly raw: (
    request: string,
    body: string | undefined,
    headers: Record<string, string>,
  ) => Promise<Response>;
  readonly listen: (path: string, init?: RequestInit) => Promise<Response>;
  readonly wake: () => void;
  readonly stop: () => Promise<void>;
}

export interface NodeOptions {
  /** The longest body that the listener takes; 64 KiB if it is left out. */
  readonly listenerMaxBytes?: number;
  readonly laneConcurrency?: number;
  readonly concurrency?: number;
  /** What outgoing requests may reach; all of 127.0.0.0/8 where it is not said. */
  readonly allow?: readonly string[];
  /** The database as this node has it. */
  readonly through?: (database: Database) => Database;
  /** Instead of the system's resolver. */
  readonly resolveName?: Resolve;
  /** How long a webhook may take to answer, in milliseconds; what the engine says where it is not said. */
  readonly webhookTimeoutMs?: number;
}

const ADMIN = 'corridor-admin-token';
const DAY_MS = 86_400_000;
const noModule = () => Promise.reject(new Error('These tests have no built-in channel.'));

export interface World {
  readonly clock: { readonly now: () => number };
  readonly log: Runtime['log'];
  readonly keys: readonly Buffer[];
}

/** Starts an engine on a database. */
export async function startNode(books: Database, world: World, options: NodeOptions): Promise<Node> {
  const database = options.through?.(books) ?? books;
  const { clock, log, keys } = world;
  const runtime: Runtime = {
    database,
    clock,
    ids: createIds(clock),
    random: () => 0.5,
    vault: createVault(keys),
    log,
    stages: createStages(),
  };
  const guard = createAddressGuard(options.allow ?? ['127.0.0.0/8'], options.resolveName);
  const http = createHttpClient({ guard, defaultConnections: options.laneConcurrency ?? 256 });
  const sendToWebhook: typeof http.send = ({ timeoutMs, ...request }, key) =>
    http.send({ ...request, timeoutMs: options.webhookTimeoutMs ?? timeoutMs }, key);
  const foreign = createForeignSql({ guard });
  await bootstrap(database, clock, runtime.ids, ADMIN);
  const directory = createDirectory(runtime, pipeOf);
  const lanes = createLanes(runtime);
  const held: { worker?: Worker } = {};
  const waker = await createWaker(runtime, (laneId) => held.worker?.wake(laneId));
  // Time jumps in these tests, for the database too.
  const limiter = createLimiter(runtime, { leaseMs: 60_000, databaseNow: clock.now });
  const rests = createLaneRests(runtime, () => waker.wakeLanes([]));
  const open = createOpenOutside(runtime, limiter, rests, {
    send: http.send,
    authorize,
    query: foreign.query,
    modules: { smtp: noModule, smpp: noModule, push: noModule },
  });
  const accept = createAccept(runtime, directory, lanes, waker.wakeLanes);
  const refusals = createRefusals(runtime);
  const acceptRequest = createAcceptRequest(runtime, directory, lanes, open, refusals, waker.wakeLanes);
  const mailings = createMailings(runtime, directory, lanes, waker.wakeLanes);
  const tokens = createTokens(database, clock);
  const breakers = createLaneBreakers(runtime, (laneId) => held.worker?.wake(laneId));
  const worker = createWorker(
    runtime,
    createPerform(runtime, directory, open, { trailSample: 1, laneOpenForMs: breakers.openForMs }),
    new Map([
      ...mailings.tasks,
      [PIPELINE_CODES.operator_event, steady(runtime, createDeliver(runtime, sendToWebhook))] as const,
      [PIPELINE_CODES.sync_source, steady(runtime, createPerformSource(runtime, http.send))] as const,
    ]),
    createSettler(runtime, () => held.worker?.node() ?? 0, {
      fallBack: createFallBack(runtime, directory, lanes),
      wakeLanes: waker.wakeLanes,
    }),
    withLaneRests(runtime, breakers, rests),
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
  const housekeeping = createHousekeeping(runtime, directory, lanes, () => worker.node(), waker.wakeLanes, {
    leaseMs: 365 * DAY_MS,
    retentionDays: 400,
  });
  await worker.start();
  const app = new Hono();
  mountListener(app, acceptRequest, runtime, {
    maxBytes: options.listenerMaxBytes ?? 65_536,
    publicUrl: undefined,
  });
  mountApi(
    app,
    allRoutes({
      runtime,
      directory,
      accept,
      mailings,
      tokens,
      open,
      lanes,
      send: http.send,
      wakeLanes: waker.wakeLanes,
    }),
    runtime,
    tokens,
  );
  return {
    runtime,
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
    open: async (path) => app.request(`/api/v1${path}`, { headers: { authorization: `Bearer ${ADMIN}` } }),
    token: ADMIN,
    watched: mailings.watching.watched,
    raw: async (request, body, headers) => {
      const [method = 'GET', path = '/'] = request.split(' ');
      return app.request(`/api/v1${path}`, { method, headers, ...(body !== undefined && { body }) });
    },
    listen: async (path, init) => app.request(`/fbp/v1/${path}`, { method: 'POST', ...init }),
    wake: () => waker.wakeLanes([]),
    stop: async () => {
      mailings.watching.close();
      await worker.stop();
      await limiter.stop();
      await refusals.stop();
      await waker.stop();
      await http.close();
      await foreign.close();
    },
  };
}
