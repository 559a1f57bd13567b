/** pg-boss: `insert`, and either `work` with batches or a loop of our own around `fetch` and `complete`. */
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import type { Job, OpenQueue } from '../queue.ts';

const NAME = 'send';

export const openQueue: OpenQueue = async (storeUrl, settings, handle) => {
  const boss = new PgBoss({ connectionString: storeUrl, max: Number(settings.connections) });
  boss.on('error', (error) => {
    throw error;
  });
  await boss.start();
  await boss.createQueue(NAME);
  const counting = new pg.Pool({ connectionString: storeUrl, max: 1, idleTimeoutMillis: 0 });
  const count = async (where: string) => {
    const { rows } = await counting.query(
      `select count(*)::int as count from pgboss.job where name = $1 and state ${where}`,
      [NAME],
    );
    return Number(rows[0].count);
  };
  const batchSize = Number(settings.batch);
  const loops = Number(settings.loops);
  let working = false;
  let ended: Promise<unknown> = Promise.resolve();

  const fetchUntilPaused = async () => {
    while (working) {
      const jobs = await boss.fetch<Job>(NAME, { batchSize });
      await Promise.all(jobs.map((job) => handle(job.data)));
      if (jobs.length > 0)
        await boss.complete(
          NAME,
          jobs.map((job) => job.id),
        );
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  return {
    enqueue: async (messages) => {
      await boss.insert(
        NAME,
        messages.map((data) => ({ data })),
      );
    },
    start: async () => {
      if (settings.fetch === true) {
        working = true;
        ended = Promise.all(Array.from({ length: loops }, fetchUntilPaused));
        return;
      }
      const options = {
        batchSize,
        localConcurrency: loops,
        pollingIntervalSeconds: 0.5,
        burstWhenBatchFull: true,
      };
      await boss.work<Job>(NAME, options, async (jobs) => {
        await Promise.all(jobs.map((job) => handle(job.data)));
      });
    },
    pause: async () => {
      working = false;
      if (settings.fetch === true) await ended;
      else await boss.offWork(NAME);
    },
    unfinished: () => count("< 'completed'"),
    completed: () => count("= 'completed'"),
    close: async () => {
      working = false;
      await ended;
      await boss.stop();
      await counting.end();
    },
  };
};
