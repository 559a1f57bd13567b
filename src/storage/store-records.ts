/** What `store_set` keeps, per channel and account. Channels without an account in sight share the nil account. */
import type { Sql } from './database.ts';
import { and, eq, gt } from './drizzle.ts';
import { excluded } from './expressions.ts';
import { storeRecord } from './schema.ts';
import { type Given, statement } from './statement.ts';

export const NO_ACCOUNT = '00000000-0000-0000-0000-000000000000';

export interface StorePlace {
  readonly accountId: string;
  readonly channelId: number;
  readonly table: string;
  readonly key: string;
}

const { account_id, channel_id, table_name, key, value, expires_at } = storeRecord;

const isAt = (given: Given<StorePlace>) =>
  and(
    eq(account_id, given.accountId),
    eq(channel_id, given.channelId),
    eq(table_name, given.table),
    eq(key, given.key),
  );

const select = statement((db, given: Given<StorePlace & { now: Date }>) =>
  db
    .select({ value })
    .from(storeRecord)
    .where(and(isAt(given), gt(expires_at, given.now))),
);

/** Returns the stored string, unless it has expired. */
export async function readRecord(sql: Sql, place: StorePlace, nowMs: number): Promise<string | undefined> {
  const [row] = await select(sql, { ...place, now: new Date(nowMs) });
  return row?.value;
}

const upsert = statement((db, given: Given<StorePlace & { value: string; expiresAt: Date }>) =>
  db
    .insert(storeRecord)
    .values({
      account_id: given.accountId,
      channel_id: given.channelId,
      table_name: given.table,
      key: given.key,
      value: given.value,
      expires_at: given.expiresAt,
    })
    .onConflictDoUpdate({
      target: [account_id, channel_id, table_name, key],
      set: { value: excluded(value), expires_at: excluded(expires_at) },
    }),
);

/** Stores a string, in place of the one that is there. */
export async function writeRecord(
  sql: Sql,
  place: StorePlace,
  record: string,
  expiresAtMs: number,
): Promise<void> {
  await upsert(sql, { ...place, value: record, expiresAt: new Date(expiresAtMs) });
}

const remove = statement((db, given: Given<StorePlace>) => db.delete(storeRecord).where(isAt(given)));

/** Removes what is stored, if anything is. */
export async function deleteRecord(sql: Sql, place: StorePlace): Promise<void> {
  await remove(sql, place);
}
