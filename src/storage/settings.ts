/** What an installation keeps once, for all its accounts and processes. */
import type { Sql } from './database.ts';

export async function readSetting(sql: Sql, key: string): Promise<string | undefined> {
  const [row] = await sql.query<{ value: string }>('select value from setting where key = $1', [key]);
  return row?.value;
}

/** Keeps a text under a name, unless there is one already; of several processes the first one wins. */
export async function keepSetting(sql: Sql, key: string, value: string): Promise<void> {
  await sql.query('insert into setting (key, value) values ($1, $2) on conflict (key) do nothing', [
    key,
    value,
  ]);
}
