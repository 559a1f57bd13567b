/**
 * The event row of a job, for peers that keep their jobs in PostgreSQL: who was sent what, and the provider's id, as our
 * engine keeps it. Written for many at once, by the gatherer that our engine has: the fastest honest way to do it, and the
 * same for every peer, however it takes its jobs.
 */
import pg from 'pg';
import { createBatcher } from '../../../src/flows/batcher.ts';

/** Resolves when the row is committed. */
export type RecordEvent = (event: SentEvent) => Promise<unknown>;

export interface SentEvent {
  readonly reference: string;
  readonly externalId: string;
}

const MOST_TOGETHER = 1_000;

export interface Events {
  readonly record: RecordEvent;
  readonly count: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** Makes the table and opens the connection that writes; more than one write at a time gains nothing. */
export async function openEvents(databaseUrl: string): Promise<Events> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1, idleTimeoutMillis: 0 });
  await pool.query(
    `create table bench_event (id bigint generated always as identity primary key, reference text not null,
     sid text not null, external_id text not null, at timestamptz not null default now())`,
  );
  await pool.query('create index on bench_event (external_id)');
  return {
    record: createBatcher<SentEvent>(async (events) => {
      await pool.query({
        name: 'record',
        text: `insert into bench_event (reference, sid, external_id)
               select reference, 'accepted', external_id from unnest($1::text[], $2::text[]) as row (reference, external_id)`,
        values: [events.map((event) => event.reference), events.map((event) => event.externalId)],
      });
      return undefined;
    }, MOST_TOGETHER).add,
    count: async () => {
      const { rows } = await pool.query('select count(*)::int as count from bench_event');
      return rows[0].count;
    },
    close: () => pool.end(),
  };
}
