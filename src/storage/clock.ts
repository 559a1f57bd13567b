/** The clock of the database, which all processes share. */
import type { Sql } from './database.ts';

/** Milliseconds since the epoch by the clock of the database. */
export async function readClock(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ now: number }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::float8 as now',
  );
  return row?.now ?? Number.NaN;
}

/** Tells every node to look behind its cursors, in all lanes. */
export async function searchAnew(sql: Sql): Promise<void> {
  await sql.query('update lane set epoch = epoch + 1');
}
