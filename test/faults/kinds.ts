/** The ways in which nodes and the database break. Each ends with everything up again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Seeded } from '../support/seeded.ts';
import { NODES, type NodeName, type World } from './world.ts';

export interface Fault {
  readonly kind: string;
  /** It stops a server, which must not be the shared one. */
  readonly needsOwnServer: boolean;
  readonly happen: (world: World, random: Seeded) => Promise<void>;
}

/** Longer than the lease of the nodes, so that some of them are taken for dead. */
const LONGEST_FREEZE_MS = 2_500;
const LONGEST_GAP_MS = 700;

const worker = (random: Seeded): NodeName => random.pick(['worker-1', 'worker-2'] as const);

const kill = (kind: string, nodeOf: (random: Seeded) => NodeName): Fault => ({
  kind,
  needsOwnServer: false,
  happen: async (world, random) => {
    const name = nodeOf(random);
    await world.stop(name, 'SIGKILL');
    await sleep(random.whole(0, LONGEST_GAP_MS));
    await world.start(name);
  },
});

/** Ends a node as an operator does; it must come to an end by itself, and well. */
export async function restartNode(world: World, name: NodeName): Promise<void> {
  const code = await world.stop(name, 'SIGTERM');
  if (code !== 0) throw new Error(`${name} ended with ${code} after SIGTERM: ${await world.words()}`);
  await world.start(name);
}

export const FAULTS: readonly Fault[] = [
  kill('kill worker', worker),
  kill('kill api', () => 'api'),
  kill('kill listener', () => 'listener'),
  {
    kind: 'stop worker',
    needsOwnServer: false,
    happen: (world, random) => restartNode(world, worker(random)),
  },
  {
    kind: 'cut connections of one node',
    needsOwnServer: false,
    happen: async (world, random) => world.proxyOf(random.pick(NODES)).cut(),
  },
  {
    kind: 'freeze connections of one node',
    needsOwnServer: false,
    happen: async (world, random) => {
      const proxy = world.proxyOf(random.pick(NODES));
      proxy.freeze();
      await sleep(random.whole(100, LONGEST_FREEZE_MS));
      proxy.thaw();
    },
  },
  {
    kind: 'freeze and then cut',
    needsOwnServer: false,
    happen: async (world, random) => {
      const proxy = world.proxyOf(worker(random));
      proxy.freeze();
      await sleep(random.whole(100, LONGEST_FREEZE_MS));
      proxy.cut();
      proxy.thaw();
    },
  },
  {
    kind: 'terminate all backends',
    needsOwnServer: false,
    happen: async (world) => {
      await world.books`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`;
    },
  },
  { kind: 'restart database', needsOwnServer: true, happen: async (world) => world.own?.restart() },
  { kind: 'crash database', needsOwnServer: true, happen: async (world) => world.own?.crash() },
  {
    kind: 'kill both workers and the api',
    needsOwnServer: false,
    happen: async (world, random) => {
      const names = ['worker-1', 'worker-2', 'api'] as const;
      await Promise.all(names.map((name) => world.stop(name, 'SIGKILL')));
      await sleep(random.whole(0, LONGEST_GAP_MS));
      await Promise.all(names.map((name) => world.start(name)));
    },
  },
];
