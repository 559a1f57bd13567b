/** BullMQ: `addBulk` and one `Worker`, on Redis or on PostgreSQL as the address says. */
import { Queue as BullQueue, createPostgresBackend, Worker } from 'bullmq';
import type { Handle, Job, OpenQueue, Settings } from '../queue.ts';

const NAME = 'send';

/** The part that is the same on both stores. */
interface Effects {
  readonly queue: Pick<BullQueue, 'addBulk' | 'getJobCountByTypes' | 'close'>;
  readonly worker: Pick<Worker, 'run' | 'pause' | 'resume' | 'close'>;
}

export const openQueue: OpenQueue = async (storeUrl, settings, handle) => {
  const open = storeUrl.startsWith('postgres') ? openOnPostgres : openOnRedis;
  const { queue, worker } = await open(storeUrl, settings, handle);
  let begun = false;
  return {
    enqueue: async (messages) => {
      await queue.addBulk(messages.map((data) => ({ name: NAME, data })));
    },
    start: async () => {
      if (begun) {
        await worker.resume();
        return;
      }
      begun = true;
      void worker.run();
    },
    pause: () => worker.pause(),
    unfinished: () => queue.getJobCountByTypes('waiting', 'active', 'delayed', 'prioritized', 'failed'),
    completed: () => queue.getJobCountByTypes('completed'),
    close: async () => {
      await worker.close();
      await queue.close();
    },
  };
};

async function openOnRedis(url: string, settings: Settings, handle: Handle): Promise<Effects> {
  // A worker's connection must wait for Redis as long as it takes: BullMQ asks for this.
  const connection = { url, maxRetriesPerRequest: null };
  const queue = new BullQueue(NAME, { connection });
  const worker = new Worker<Job>(NAME, (job) => handle(job.data), {
    connection,
    autorun: false,
    concurrency: Number(settings.concurrency),
  });
  worker.on('error', fail);
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  return { queue, worker };
}

async function openOnPostgres(url: string, settings: Settings, handle: Handle): Promise<Effects> {
  const connection = { connectionString: url, max: Number(settings.connections), migrate: true };
  const queue = new BullQueue(NAME, { connection }, createPostgresBackend);
  await queue.waitUntilReady();
  const worker = new Worker(
    NAME,
    (job: { data: Job }) => handle(job.data),
    { connection, autorun: false, concurrency: Number(settings.concurrency) },
    createPostgresBackend,
  );
  worker.on('error', fail);
  await worker.waitUntilReady();
  return { queue, worker };
}

function fail(error: Error): never {
  throw error;
}
