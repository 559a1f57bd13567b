/**
 * The event row of a job, for peers that keep their jobs in PostgreSQL: who was sent what, and the provider's id, as our
 * engine keeps it. Rows that arrive while a write is under way go together into the next: the fastest honest way to do
 * it, and the same for every peer, however it takes its jobs.
 */
import pg from 'pg';

/** Resolves when the row is committed. */
export type RecordEvent = (reference: string, externalId: string) => Promise<void>;

export interface Events {
  readonly record: RecordEvent;
  readonly count: () => Promise<number>;
  readonly close: () => Promise<void>;
}

interface Waiting {
  readonly reference: string;
  readonly externalId: string;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Makes the table and opens the connection that writes; more than one write at a time gains nothing. */
export async function openEvents(databaseUrl: string): Promise<Events> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1, idleTimeoutMillis: 0 });
  await pool.query(
    `create table bench_event (id bigint generated always as identity primary key, reference text not null,
     sid text not null, external_id text not null, at timestamptz not null default now())`,
  );
  await pool.query('create index on bench_event (external_id)');
  let waiting: Waiting[] = [];
  let writing = false;

  const write = async () => {
    writing = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await pool.query({
          name: 'record',
          text: `insert into bench_event (reference, sid, external_id)
                 select reference, 'accepted', external_id from unnest($1::text[], $2::text[]) as row (reference, external_id)`,
          values: [batch.map((row) => row.reference), batch.map((row) => row.externalId)],
        });
        for (const row of batch) row.resolve();
      } catch (error) {
        for (const row of batch) row.reject(error);
      }
    }
    writing = false;
  };

  return {
    record: (reference, externalId) =>
      new Promise((resolve, reject) => {
        waiting.push({ reference, externalId, resolve, reject });
        // A turn later, so that answers that came in together are written together.
        if (!writing && waiting.length === 1) setImmediate(() => void write());
      }),
    count: async () => {
      const { rows } = await pool.query('select count(*)::int as count from bench_event');
      return rows[0].count;
    },
    close: () => pool.end(),
  };
}
