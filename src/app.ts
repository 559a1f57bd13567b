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
import { followClock } from './flows/database-clock.ts';
import { createDirectory } from './flows/directory/directory.ts';
import { createAccept } from './flows/intake/accept-message.ts';
import { createAcceptReceipt } from './flows/intake/accept-receipt.ts';
import { createAcceptRequest } from './flows/intake/accept-request.ts';
import { createRefusals } from './flows/intake/refusals.ts';
import { createLaneBreakers } from './flows/lanes/lane-breakers.ts';
import { createLaneRests, withLaneRests } from './flows/lanes/lane-rests.ts';
import { createLanes } from './flows/lanes/lanes.ts';
import { createLimiter } from './flows/lanes/limiter.ts';
import { createWaker } from './flows/lanes/waker.ts';
import { createMailings } from './flows/mailings/mailings.ts';
import { createDeliver } from './flows/operator-events/deliver.ts';
import { createOpenOutside } from './flows/run/open-outside.ts';
import { createPerform } from './flows/run/perform.ts';
import type { Log, Runtime } from './flows/runtime.ts';
import { createFallBack } from './flows/senders/fallback.ts';
import { createSettler } from './flows/settlement/settler.ts';
import { steady } from './flows/settlement/tasks.ts';
import { loadChannelFolders } from './flows/setup/save-channels.ts';
import { createPerformSource } from './flows/sources/perform-source.ts';
import { createStages } from './flows/stages.ts';
import { createHousekeeping } from './flows/worker/housekeeping.ts';
import { createSmppBinds, type SmppBinds } from './flows/worker/keep-smpp-bound.ts';
import { createWorker, type Worker } from './flows/worker/worker.ts';
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
  const databaseClock = database.kind === 'server' ? await followClock(database, log) : undefined;
  const clock = databaseClock ?? systemClock;
  const runtime: Runtime = {
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
  const { made } = await bootstrap(database, clock, runtime.ids, config.adminToken);

  const directory = createDirectory(runtime, planPipeOf);
  const lanes = createLanes(runtime);
  let worker: Worker | undefined;
  const waker = await createWaker(runtime, (laneId) => worker?.wake(laneId));
  const limiter = createLimiter(runtime, { leaseMs: config.leaseMs });
  const rests = createLaneRests(runtime, () => waker.wakeLanes([]));
  const acceptReceipt = createAcceptReceipt(runtime, directory, lanes, waker.wakeLanes);
  const modules = createModules({
    guard,
    http,
    now: clock.now,
    receipt: (place, event, dedupeKey) => acceptReceipt({ channel: SMS, ...place, event, dedupeKey }),
    log: (fields, text) => log.warn(fields, text),
  });
  const open = createOpenOutside(runtime, limiter, rests, {
    send: http.send,
    authorize,
    query: foreign.query,
    modules: modules.byName,
  });
  const accept = createAccept(runtime, directory, lanes, waker.wakeLanes);
  const refusals = createRefusals(runtime);
  const acceptRequest = createAcceptRequest(runtime, directory, lanes, open, refusals, waker.wakeLanes);
  const mailings = createMailings(runtime, directory, lanes, waker.wakeLanes);
  const tokens = createTokens(database, clock);

  const own = config.channelFolders.map((folder) => ({ channels: folder, kind: 'custom' as const }));
  const folders = [
    { channels: join(ROOT, 'channels'), pipelines: join(ROOT, 'pipelines'), kind: 'system' as const },
    ...own,
  ];
  await loadChannelFolders(runtime, directory, folders, BUILT_INS);
  const unwatch = watchFolders(
    config.channelFolders,
    async () => {
      const { channels } = await loadChannelFolders(runtime, directory, own);
      log.info({ channels }, 'channel folders were read again');
    },
    (thrown) =>
      log.error(
        { cause: thrown },
        'the channel folders cannot be watched; changes are read at the next start',
      ),
  );

  let housekeeping: ReturnType<typeof createHousekeeping> | undefined;
  let binds: SmppBinds | undefined;
  if (config.roles.has('worker')) {
    const breakers = createLaneBreakers(runtime, (laneId) => worker?.wake(laneId));
    const settler = createSettler(runtime, () => worker?.node() ?? 0, {
      fallBack: createFallBack(runtime, directory, lanes),
      wakeLanes: waker.wakeLanes,
    });
    const perform = createPerform(runtime, directory, open, {
      trailSample: config.trailSample,
      laneOpenForMs: breakers.openForMs,
    });
    const tasks = new Map([
      ...mailings.tasks,
      [PIPELINE_CODES.operator_event, steady(runtime, createDeliver(runtime, http.send))] as const,
      [PIPELINE_CODES.sync_source, steady(runtime, createPerformSource(runtime, http.send))] as const,
    ]);
    worker = createWorker(runtime, perform, tasks, settler, withLaneRests(runtime, breakers, rests), {
      name: `${hostname()}/${process.pid}`,
      laneConcurrency: config.laneConcurrency,
      concurrency: config.concurrency,
      pollMs: POLL_MS,
      heartbeatMs: Math.floor(config.leaseMs / 4),
      leaseMs: config.leaseMs,
    });
    const running = worker;
    housekeeping = createHousekeeping(runtime, directory, lanes, () => running.node(), waker.wakeLanes, {
      leaseMs: config.leaseMs,
      retentionDays: config.retentionDays,
    });
    await worker.start();
    // Nobody else can have the embedded database open: what a dead process held is ours at once.
    // Whatever the clock said when they died.
    if (database.kind === 'embedded') await housekeeping.takeOverAfter(-ALL_TIME_MS);
    housekeeping.start();
    binds = createSmppBinds(runtime, directory, SMS, modules.hold);
    binds.start();
  }

  const app = new Hono();
  mountOperations(app, {
    database,
    stages: runtime.stages,
    ready: () => worker !== undefined || !config.roles.has('worker'),
  });
  if (config.roles.has('listener')) {
    mountListener(app, acceptRequest, runtime, {
      maxBytes: config.listenerMaxBytes,
      publicUrl: config.publicUrl,
    });
  }
  if (config.roles.has('api')) {
    const { oidc } = config;
    const send = (request: HttpRequest) => http.send(request, 'oidc');
    const external =
      oidc && createExternalSignIn(runtime, createOidc({ ...oidc, send, now: clock.now }), oidc);
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
        external,
        send: http.send,
        wakeLanes: waker.wakeLanes,
      }),
      runtime,
      tokens,
    );
  }
  mountFallbacks(app, runtime);
  const close = async () => {
    await unwatch();
    await housekeeping?.stop();
    await binds?.stop();
    await worker?.stop();
    await limiter.stop();
    await refusals.stop();
    await modules.close();
    await waker.stop();
    await http.close();
    await foreign.close();
    databaseClock?.stop();
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
      // Anyone who watches would keep the server open for as long.
      mailings.watching.close();
      await closeDoors();
      await close();
    },
  });
}
