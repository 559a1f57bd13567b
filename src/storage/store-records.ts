/** What `store_set` keeps, per channel and account. Channels without an account in sight share the nil account. */
import type { Sql } from './database.ts';

export const NO_ACCOUNT = '00000000-0000-0000-0000-000000000000';

export interface StorePlace {
  readonly accountId: string;
  readonly channelId: number;
  readonly table: string;
  readonly key: string;
}

/** The kept text, unless it has expired. */
export async function readRecord(sql: Sql, place: StorePlace, nowMs: number): Promise<string | undefined> {
  const rows = await sql.query<{ value: string }>(
    `select value from store_record
     where account_id = $1 and channel_id = $2 and table_name = $3 and key = $4 and expires_at > $5`,
    [place.accountId, place.channelId, place.table, place.key, new Date(nowMs)],
  );
  return rows[0]?.value;
}

export async function writeRecord(
  sql: Sql,
  place: StorePlace,
  value: string,
  expiresAtMs: number,
): Promise<void> {
  await sql.query(
    `insert into store_record (account_id, channel_id, table_name, key, value, expires_at) values ($1, $2, $3, $4, $5, $6)
     on conflict (account_id, channel_id, table_name, key) do update
       set value = excluded.value, expires_at = excluded.expires_at`,
    [place.accountId, place.channelId, place.table, place.key, value, new Date(expiresAtMs)],
  );
}

export async function deleteRecord(sql: Sql, place: StorePlace): Promise<void> {
  await sql.query(
    'delete from store_record where account_id = $1 and channel_id = $2 and table_name = $3 and key = $4',
    [place.accountId, place.channelId, place.table, place.key],
  );
}
