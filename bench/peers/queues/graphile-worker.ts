/** graphile-worker: `addJobs`, and a runner with a task list. Completed jobs are deleted, so their events are counted. */
import { EventEmitter } from 'node:events';
import { Logger, makeWorkerUtils, type Runner, run, type WorkerEvents } from 'graphile-worker';
import pg from 'pg';
import type { Job, OpenQueue } from '../queue.ts';

const SILENT = new Logger(() => () => {});

export const openQueue: OpenQueue = async (storeUrl, settings, handle) => {
  const connections = Number(settings.connections);
  const pgPool = new pg.Pool({ connectionString: storeUrl, max: connections, idleTimeoutMillis: 0 });
  pgPool.on('error', fail);
  pgPool.on('connect', (client) => client.on('error', fail));
  const events: WorkerEvents = new EventEmitter();
  let completed = 0;
  events.on('job:success', () => {
    completed += 1;
  });
  const utils = await makeWorkerUtils({ pgPool, logger: SILENT });
  await utils.migrate();
  let runner: Runner | undefined;
  return {
    enqueue: async (messages) => {
      await utils.addJobs(messages.map((payload) => ({ identifier: 'send', payload })));
    },
    start: async () => {
      runner = await run({
        pgPool,
        logger: SILENT,
        events,
        noHandleSignals: true,
        taskList: { send: (payload) => handle(payload as Job) },
        preset: {
          worker: {
            concurrentJobs: Number(settings.concurrency),
            maxPoolSize: connections,
            ...(settings.batching === true && {
              localQueue: { size: 500 },
              completeJobBatchDelay: 0,
              failJobBatchDelay: 0,
            }),
          },
        },
      });
    },
    pause: async () => {
      await runner?.stop();
      runner = undefined;
    },
    unfinished: async () => {
      const { rows } = await pgPool.query('select count(*)::int as count from graphile_worker._private_jobs');
      return rows[0].count;
    },
    completed: async () => completed,
    close: async () => {
      await runner?.stop();
      await utils.release();
      await pgPool.end();
    },
  };
};

function fail(error: Error): never {
  throw error;
}
