/** What an installation keeps once, for all its accounts and processes. */
import type { Sql } from './database.ts';
import { eq } from './drizzle.ts';
import { setting } from './schema.ts';
import { type Given, statement } from './statement.ts';

const read = statement((db, given: Given<{ key: string }>) =>
  db.select({ value: setting.value }).from(setting).where(eq(setting.key, given.key)),
);

const insert = statement((db, given: Given<{ key: string; value: string }>) =>
  db.insert(setting).values({ key: given.key, value: given.value }).onConflictDoNothing(),
);

/** Returns the value of a name, or undefined. */
export async function readSetting(sql: Sql, key: string): Promise<string | undefined> {
  const [row] = await read(sql, { key });
  return row?.value;
}

/** Saves a string under a name, unless there is one already; of several processes the first one wins. */
export async function saveSetting(sql: Sql, key: string, value: string): Promise<void> {
  await insert(sql, { key, value });
}
