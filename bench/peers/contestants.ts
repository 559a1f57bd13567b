/**
 * Who runs, and with which settings. For each peer a few that its documentation shows were tried with `--only NAME
 * --settings JSON`, 6,000 messages and twice each; these took the least processor time, of the peer's process and its
 * store together, which a busy machine blurs less than it blurs rates. What is not set is the library's default.
 * We run on our defaults, but for the trail (open-ours.ts).
 */
import type { Opening } from './questions.ts';
import type { Settings } from './queue.ts';

export type Store = 'postgres' | 'redis everysec' | 'redis always';

export interface Peer {
  readonly name: string;
  readonly library: Opening['library'];
  readonly store: Store;
  readonly settings: Settings;
  readonly why: string;
}

export const OURS = 'sluiceway';

export const PEERS: readonly Peer[] = [
  {
    name: 'graphile-worker',
    library: 'graphile-worker',
    store: 'postgres',
    settings: { concurrency: 24, connections: 25, batching: false, requests: 64 },
    why: 'Concurrency and pool of its performance page, without the batching; 10 at a time cost more.',
  },
  {
    name: 'graphile-worker, batching',
    library: 'graphile-worker',
    store: 'postgres',
    settings: { concurrency: 250, connections: 10, batching: true, requests: 128 },
    why: 'A local queue of 500 and completions in batches, as on its performance page; 24, 64 and 100 at a time cost more.',
  },
  {
    name: 'pg-boss, work',
    library: 'pg-boss',
    store: 'postgres',
    settings: { fetch: false, batch: 500, loops: 2, connections: 10, requests: 64 },
    why: 'Batches and burstWhenBatchFull, or it waits half a second after each; batches of 50 and 100 cost more.',
  },
  {
    name: 'pg-boss, fetch of 500',
    library: 'pg-boss',
    store: 'postgres',
    settings: { fetch: true, batch: 500, loops: 2, connections: 10, requests: 64 },
    why: 'Two loops, so that one sends while the other talks to the database; one and three cost more.',
  },
  {
    name: 'BullMQ on PostgreSQL',
    library: 'bullmq',
    store: 'postgres',
    settings: { concurrency: 50, connections: 10, requests: 64 },
    why: 'The concurrency of its documentation and the pool of node-postgres; more of either was not faster.',
  },
  {
    name: 'BullMQ, fsync each second',
    library: 'bullmq',
    store: 'redis everysec',
    settings: { concurrency: 200, requests: 128 },
    why: 'Of 50, 100, 200 and 300 at a time this cost least.',
  },
  {
    name: 'BullMQ, fsync always',
    library: 'bullmq',
    store: 'redis always',
    settings: { concurrency: 200, requests: 128 },
    why: 'Set as with fsync each second; an answer of Redis waits for the disk, as a commit of PostgreSQL does.',
  },
  {
    name: 'the least of a queue',
    library: 'bare',
    store: 'postgres',
    settings: { batch: 500, requests: 128 },
    why: 'No peer but a yardstick (queues/bare.ts): what is left to gain on this machine.',
  },
];
