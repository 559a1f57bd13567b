/**
 * Several nodes of the real program on one database, each reaching it through a proxy of its own, and a provider in its
 * own process. What is killed here is started again as another process, at another port.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { type CuttableProxy, startProxy } from '../support/cuttable-proxy.ts';
import { createServerDatabase } from '../support/database.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { type OwnPostgres, startOwnPostgres } from '../support/own-postgres.ts';
import { type ScriptedProvider, startScripted } from '../support/start-scripted.ts';
import { channelOf, SAFETIES, writeChannels } from './channels.ts';

export const NODES = ['api', 'listener', 'worker-1', 'worker-2'] as const;
export type NodeName = (typeof NODES)[number];

export interface World {
  readonly provider: ScriptedProvider;
  /** Undefined where the programs of a server are missing: then it is a database of the shared one. */
  readonly own: OwnPostgres | undefined;
  /** Asks the database, past the proxies. */
  readonly books: postgres.Sql;
  readonly proxyOf: (name: NodeName) => CuttableProxy;
  /** The node, once it runs. */
  readonly node: (name: NodeName) => Promise<Engine>;
  readonly start: (name: NodeName) => Promise<Engine>;
  /** Ends a node; gives how it ended. */
  readonly stop: (name: NodeName, signal: NodeJS.Signals) => Promise<number | null>;
  /** What the nodes wrote, the dead ones too. */
  readonly words: () => Promise<string>;
  readonly isOpen: () => boolean;
  readonly end: () => Promise<void>;
}

export interface Pace {
  /** How long a provider may take. */
  readonly timeoutSeconds: number;
  /** How long a node may be silent. */
  readonly leaseSeconds: number;
}

/** So short that a run takes seconds; on a busy machine some nodes are taken for dead that are not. */
export const HASTY: Pace = { timeoutSeconds: 0.5, leaseSeconds: 1 };
/** So long that nobody is ever taken for dead, and no request given up, because the machine is busy. */
export const CALM: Pace = { timeoutSeconds: 30, leaseSeconds: 60 };

const unended = new Set<() => Promise<void>>();

/** Ends what is still open, as where a test ran out of time. */
export async function endWorlds(): Promise<void> {
  await Promise.all([...unended].map((end) => end()));
}

/** Opens a world; with `programs`, on a server of its own. Ends what it began where it fails. */
export async function openWorld(programs: string | undefined, pace: Pace): Promise<World> {
  const ends: (() => Promise<unknown>)[] = [];
  const end = async () => {
    unended.delete(end);
    for (const each of ends.splice(0).reverse()) await each();
  };
  unended.add(end);
  try {
    return { ...(await build(programs, pace, ends)), isOpen: () => unended.has(end), end };
  } catch (thrown) {
    await end();
    throw thrown;
  }
}

async function build(
  programs: string | undefined,
  pace: Pace,
  ends: (() => Promise<unknown>)[],
): Promise<Omit<World, 'end' | 'isOpen'>> {
  const folder = await mkdtemp(join(tmpdir(), 'sluiceway-faults-'));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  await writeChannels(folder, pace.timeoutSeconds);
  const own = programs === undefined ? undefined : await startOwnPostgres(programs);
  if (own !== undefined) ends.push(own.end);
  const fresh = own === undefined ? await createServerDatabase() : undefined;
  if (fresh !== undefined) ends.push(fresh.drop);
  const url = new URL(own?.url ?? fresh?.url ?? '');
  const books = postgres(url.href, { max: 2, onnotice: () => {} });
  ends.push(() => books.end({ timeout: 1 }));
  const provider = await startScripted();
  ends.push(provider.end);

  const proxies = new Map<NodeName, CuttableProxy>();
  for (const name of NODES) {
    const proxy = await startProxy(Number(url.port));
    proxies.set(name, proxy);
    ends.push(proxy.end);
  }
  const proxyOf = (name: NodeName) => proxies.get(name) as CuttableProxy;
  const nodes = new Map<NodeName, Promise<Engine>>();
  const printed: string[] = [];
  let ended = false;
  ends.push(async () => {
    ended = true;
    await Promise.all(
      [...nodes.values()].map((node) =>
        node.then(
          (engine) => engine.end('SIGKILL'),
          () => {},
        ),
      ),
    );
  });

  const launch = async (name: NodeName): Promise<Engine> => {
    const through = new URL(url);
    through.port = String(proxyOf(name).port);
    const settings = {
      DATABASE_URL: through.href,
      SLUICEWAY_ROLES: name.split('-')[0] ?? '',
      SLUICEWAY_DATABASE_CONNECTIONS: '4',
      SLUICEWAY_CHANNELS: folder,
      SLUICEWAY_LEASE_SECONDS: String(pace.leaseSeconds),
      SLUICEWAY_ALLOW_ADDRESSES: new URL(provider.url).host,
    };
    // A database that is down just now ends a starting node; a supervisor would start it again.
    for (let attempt = 0; ; attempt += 1) {
      try {
        const engine = await startEngine(settings);
        if (ended) await engine.end('SIGKILL');
        if (name === 'listener') await provider.reportTo(reportAddresses(engine));
        return engine;
      } catch (thrown) {
        if (attempt >= 5 || ended) throw thrown;
      }
    }
  };
  const start = (name: NodeName) => {
    const node = launch(name);
    node.catch(() => {});
    nodes.set(name, node);
    return node;
  };
  // One first: it makes the schema.
  await start('api');
  await Promise.all(NODES.filter((name) => name !== 'api').map(start));
  return {
    provider,
    own,
    books,
    proxyOf,
    start,
    node: (name) => nodes.get(name) as Promise<Engine>,
    stop: async (name, signal) => {
      const engine = await (nodes.get(name) as Promise<Engine>);
      const code = await engine.end(signal);
      printed.push(wordsOf(name, engine));
      return code;
    },
    words: async () => {
      const nobody = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 1_000));
      for (const [name, node] of nodes) {
        const engine = await Promise.race([node.catch(() => undefined), nobody]);
        printed.push(engine === undefined ? `${name} has not started.\n` : wordsOf(name, engine));
      }
      return printed.join('');
    },
  };
}

const wordsOf = (name: NodeName, engine: Engine) => {
  const lines = `${engine.printed()}${engine.errors()}`.trim().split('\n');
  return lines.map((line) => `${name}: ${line}\n`).join('');
};

const reportAddresses = ({ url }: Engine) =>
  Object.fromEntries(
    SAFETIES.map((safety) => [`/${safety}/send`, `${url}/fbp/v1/${channelOf(safety)}/1/main`]),
  );
