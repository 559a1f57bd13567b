/** The composition root: the only file that knows every adapter. It makes the parts, starts and stops them in order. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Hono } from 'hono';
import { checkKeys } from './access/check-keys.ts';
import { createExternalSignIn } from './access/external-sign-in.ts';
import { keySource, readKeys } from './access/read-keys.ts';
import { bootstrap, createTokens } from './access/tokens.ts';
import { createVault, type Vault } from './access/vault.ts';
import { BUILT_INS } from './channel/built-in/built-ins.ts';
import type { Config } from './config.ts';
import { createAccept } from './flows/accept-message.ts';
import { createAcceptReceipt } from './flows/accept-receipt.ts';
import { createAcceptRequest } from './flows/accept-request.ts';
import { followClock } from './flows/books-clock.ts';
import { createDirectory } from './flows/directory.ts';
import { createFallBack } from './flows/fallback.ts';
import type { Ground, Log } from './flows/ground.ts';
import { type Binds, createBinds } from './flows/hold-binds.ts';
import { createHousekeeping } from './flows/housekeeping.ts';
import { loadChannelFolders } from './flows/keep-channels.ts';
import { createLaneBreakers } from './flows/lane-breakers.ts';
import { createLaneHolds, withHolds } from './flows/lane-holds.ts';
import { createLanes } from './flows/lanes.ts';
import { createLimiter } from './flows/limiter.ts';
import { createMailings } from './flows/mailings.ts';
import { createOpenOutside } from './flows/open-outside.ts';
import { createDeliver } from './flows/operator-events/deliver.ts';
import { createPerform } from './flows/perform.ts';
import { createSettler } from './flows/settler.ts';
import { createPerformSource } from './flows/sources/perform-source.ts';
import { createStages } from './flows/stages.ts';
import { steady } from './flows/tasks.ts';
import { createWaker } from './flows/waker.ts';
import { createWorker, type Worker } from './flows/worker.ts';
import { mountApi } from './http/api.ts';
import { mountFallbacks } from './http/fallbacks.ts';
import { listen } from './http/listen.ts';
import { mountListener } from './http/listener.ts';
import { mountOperations } from './http/operators.ts';
import { allRoutes } from './http/routes.ts';
import { createIds } from './ids.ts';
import { createAddressGuard } from './outside/address-guard.ts';
import { authorize } from './outside/authorize.ts';
import { createForeignSql } from './outside/foreign-sql.ts';
import { createHttpClient } from './outside/http-client.ts';
import { createModules } from './outside/modules.ts';
import { createOidc } from './outside/oidc.ts';
import { watchFolders } from './outside/watch-folders.ts';
import { planPipeOf } from './pipes/catalog.ts';
import type { HttpRequest } from './pipes/contract.ts';
import { PIPELINE_CODES } from './storage/claim.ts';
import { readClock } from './storage/clock.ts';
import type { Database } from './storage/database.ts';
import { openEmbedded } from './storage/embedded.ts';
import { inDataFolder } from './storage/embedded-folder.ts';
import { makePartitions, migrate } from './storage/migrate.ts';
import { openServer } from './storage/server.ts';
import { isoTime, systemClock } from './time.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const POLL_MS = 200;
const ALL_TIME_MS = 100 * 365 * 86_400_000;
/** The built-in channel whose receipts come over its own connections. */
const SMS = 'sms';

export interface App {
  /** Where it listens, for example `http://127.0.0.1:8080`. */
  readonly url: string;
  /** The bootstrap token where it was made by this start; shown once. */
  readonly madeToken: string | undefined;
  /** Stops taking work in, finishes what runs, settles it, closes everything. */
  readonly stop: () => Promise<void>;
}

/** Opens the database of the settings as it is. */
export async function connectDatabase(config: Config): Promise<Database> {
  if (config.databaseUrl !== undefined) {
    return openServer({ url: config.databaseUrl, connections: config.databaseConnections });
  }
  return inDataFolder(config.dataFolder, () => openEmbedded(join(config.dataFolder, 'database')));
}

/** Opens the database of the settings, brought to this program's schema. */
export async function openDatabase(config: Config): Promise<Database> {
  const database = await connectDatabase(config);
  try {
    await migrate(database);
    await makePartitions(database, await readClock(database));
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
  return database;
}

/** Starts everything that the settings ask for. Throws Failure where it cannot. */
export async function startApp(config: Config, log: Log): Promise<App> {
  const guard = createAddressGuard(config.allowAddresses);
  const database = await openDatabase(config);
  let vault: Vault;
  try {
    vault = createVault(await readKeys(config));
    await checkKeys(database, vault, keySource(config), isoTime(await readClock(database)));
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
  // The embedded database has the clock of this machine.
  const books = database.kind === 'server' ? await followClock(database, log) : undefined;
  const clock = books ?? systemClock;
  const ground: Ground = {
    database,
    clock,
    ids: createIds(clock),
    random: Math.random,
    vault,
    log,
    stages: createStages(),
  };
  const http = createHttpClient({ guard, defaultConnections: config.laneConcurrency });
  const foreign = createForeignSql({ guard });
  const { made } = await bootstrap(database, clock, ground.ids, config.adminToken);

  const directory = createDirectory(ground, planPipeOf);
  const lanes = createLanes(ground);
  let worker: Worker | undefined;
  const waker = await createWaker(ground, (laneId) => worker?.wake(laneId));
  const limiter = createLimiter(ground, { leaseMs: config.leaseMs });
  const holds = createLaneHolds(ground, () => waker.woken([]));
  const acceptReceipt = createAcceptReceipt(ground, directory, lanes, waker.woken);
  const modules = createModules({
    guard,
    http,
    now: clock.now,
    receipt: (place, event, dedupeKey) => acceptReceipt({ channel: SMS, ...place, event, dedupeKey }),
    log: (fields, text) => log.warn(fields, text),
  });
  const open = createOpenOutside(ground, limiter, holds, {
    send: http.send,
    authorize,
    query: foreign.query,
    modules: modules.byName,
  });
  const accept = createAccept(ground, directory, lanes, waker.woken);
  const acceptRequest = createAcceptRequest(ground, directory, lanes, open, waker.woken);
  const mailings = createMailings(ground, directory, lanes, waker.woken);
  const tokens = createTokens(database, clock);

  const own = config.channelFolders.map((folder) => ({ channels: folder, kind: 'custom' as const }));
  const folders = [
    { channels: join(ROOT, 'channels'), pipelines: join(ROOT, 'pipelines'), kind: 'system' as const },
    ...own,
  ];
  await loadChannelFolders(ground, directory, folders, BUILT_INS);
  const unwatch = watchFolders(
    config.channelFolders,
    async () => {
      const { channels } = await loadChannelFolders(ground, directory, own);
      log.info({ channels }, 'channel folders were read again');
    },
    (thrown) =>
      log.error(
        { cause: thrown },
        'the channel folders cannot be watched; changes are read at the next start',
      ),
  );

  let housekeeping: ReturnType<typeof createHousekeeping> | undefined;
  let binds: Binds | undefined;
  if (config.roles.has('worker')) {
    const breakers = createLaneBreakers(ground, (laneId) => worker?.wake(laneId));
    const settler = createSettler(ground, () => worker?.node() ?? 0, {
      fallBack: createFallBack(ground, directory, lanes),
      woken: waker.woken,
    });
    const perform = createPerform(ground, directory, open, {
      trailSample: config.trailSample,
      laneOpenForMs: breakers.openForMs,
    });
    const tasks = new Map([
      ...mailings.tasks,
      [PIPELINE_CODES.operator_event, steady(ground, createDeliver(ground, http.send))] as const,
      [PIPELINE_CODES.sync_source, steady(ground, createPerformSource(ground, http.send))] as const,
    ]);
    worker = createWorker(ground, perform, tasks, settler, withHolds(ground, breakers, holds), {
      name: `${hostname()}/${process.pid}`,
      laneConcurrency: config.laneConcurrency,
      concurrency: config.concurrency,
      pollMs: POLL_MS,
      heartbeatMs: Math.floor(config.leaseMs / 4),
      leaseMs: config.leaseMs,
    });
    const running = worker;
    housekeeping = createHousekeeping(ground, directory, lanes, () => running.node(), waker.woken, {
      leaseMs: config.leaseMs,
      retentionDays: config.retentionDays,
    });
    await worker.start();
    // Nobody else can have the embedded database open: what a dead process held is ours at once.
    // Whatever the clock said when they died.
    if (database.kind === 'embedded') await housekeeping.takeOverAfter(-ALL_TIME_MS);
    housekeeping.start();
    binds = createBinds(ground, directory, SMS, modules.hold);
    binds.start();
  }

  const app = new Hono();
  mountOperations(app, {
    database,
    stages: ground.stages,
    ready: () => worker !== undefined || !config.roles.has('worker'),
  });
  if (config.roles.has('listener')) {
    mountListener(app, acceptRequest, ground, {
      maxBytes: config.listenerMaxBytes,
      publicUrl: config.publicUrl,
    });
  }
  if (config.roles.has('api')) {
    const { oidc } = config;
    const send = (request: HttpRequest) => http.send(request, 'oidc');
    const external =
      oidc && createExternalSignIn(ground, createOidc({ ...oidc, send, now: clock.now }), oidc);
    mountApi(
      app,
      allRoutes({
        ground,
        directory,
        accept,
        mailings,
        tokens,
        open,
        lanes,
        external,
        send: http.send,
        woken: waker.woken,
      }),
      ground,
      tokens,
    );
  }
  mountFallbacks(app, ground);
  const close = async () => {
    await unwatch();
    await housekeeping?.stop();
    await binds?.stop();
    await worker?.stop();
    await limiter.stop();
    await modules.close();
    await waker.stop();
    await http.close();
    await foreign.close();
    books?.stop();
    await database.close();
  };
  // Who cannot listen leaves as one who stops: nobody need find out that it is gone.
  const { close: closeDoors, url } = await listen(app, config).catch(async (thrown: unknown) => {
    await close();
    throw thrown;
  });

  return Object.freeze<App>({
    url,
    madeToken: made,
    stop: async () => {
      // Whoever watches would keep the server open for as long.
      mailings.watching.close();
      await closeDoors();
      await close();
    },
  });
}
