/**
 * No peer but a yardstick: the least that a queue in PostgreSQL must do for the same jobs, with no lanes, limits, retries,
 * states or trails. Jobs are claimed by a cursor, many in one statement, and go in one statement with others that end.
 */
import pg from 'pg';
import { createBatcher } from '../../../src/flows/batcher.ts';
import type { Job, OpenQueue } from '../queue.ts';

const MOST_TOGETHER = 1_000;

export const openQueue: OpenQueue = async (storeUrl, settings, handle) => {
  const batch = Number(settings.batch);
  const pool = new pg.Pool({ connectionString: storeUrl, max: 3, idleTimeoutMillis: 0 });
  await pool.query(
    `create table bare_job (id bigint generated always as identity primary key, payload json not null, claimed boolean not null default false)
     with (fillfactor = 70, autovacuum_vacuum_cost_delay = 0)`,
  );
  let completed = 0;
  let working = false;
  let ended: Promise<void> = Promise.resolve();
  const finish = createBatcher<string>(async (ids) => {
    const { rowCount } = await pool.query({
      name: 'finish',
      text: 'delete from bare_job where id = any($1::bigint[])',
      values: [ids],
    });
    completed += rowCount ?? 0;
    return undefined;
  }, MOST_TOGETHER);

  const claim = async (after: string) => {
    const { rows } = await pool.query<{ id: string; payload: Job }>({
      name: 'claim',
      text: `update bare_job set claimed = true where id = any(array(
               select id from bare_job where id > $1 and not claimed order by id limit ${batch} for update skip locked))
             returning id, payload`,
      values: [after],
    });
    return rows;
  };

  const work = async () => {
    let cursor = '0';
    let running = 0;
    let freed = () => {};
    const end = () => {
      running -= 1;
      if (running === batch / 2) freed();
    };
    while (working) {
      const jobs = await claim(cursor);
      for (const { id, payload } of jobs) {
        if (BigInt(id) > BigInt(cursor)) cursor = id;
        running += 1;
        void handle(payload)
          .then(() => finish.add(id))
          .then(end);
      }
      if (jobs.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      else if (running > batch / 2) await new Promise<void>((resolve) => (freed = resolve));
    }
    while (running > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  return {
    enqueue: async (messages) => {
      await pool.query({
        name: 'enqueue',
        text: 'insert into bare_job (payload) select unnest($1::json[])',
        values: [messages.map((message) => JSON.stringify(message))],
      });
    },
    start: async () => {
      working = true;
      ended = work();
    },
    pause: async () => {
      working = false;
      await ended;
    },
    unfinished: async () => {
      const { rows } = await pool.query('select count(*)::int as count from bare_job');
      return rows[0].count;
    },
    completed: async () => completed,
    close: async () => {
      working = false;
      await ended;
      await pool.end();
    },
  };
};
