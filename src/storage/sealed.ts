/** Every place where encrypted values are kept, for encrypting them again. Rows are read and written in batches. */
import type { Sql } from './database.ts';

export interface SealedPlace {
  /** What people call the rows. */
  readonly name: string;
  readonly table: string;
  readonly column: string;
  /** An expression that is different for each row. */
  readonly key: string;
  /** What a text becomes before it is stored. */
  readonly type: 'jsonb' | 'text';
  readonly condition: string;
  /** How many objects deep sealed values stand: 0 where the column holds one itself. */
  readonly depth: 0 | 1 | 2;
}

const sealedIn = (column: string) => `${column}::text like '%"$secret"%'`;
const sealedText = (column: string) => `${column} like '{"$secret":%'`;

const byId = { column: 'fields', key: 'id::text', type: 'jsonb', depth: 1 } as const;

export const SEALED_PLACES: readonly SealedPlace[] = Object.freeze([
  { ...byId, name: 'senders', table: 'sender', condition: sealedIn('fields') },
  {
    ...byId,
    name: 'resources',
    table: 'resource',
    column: 'channels',
    condition: sealedIn('channels'),
    depth: 2,
  },
  {
    ...byId,
    name: 'content sources',
    table: 'content_source',
    column: 'config',
    condition: sealedIn('config'),
  },
  { ...byId, name: 'connectors', table: 'connector', condition: sealedIn('fields') },
  { ...byId, name: 'webhooks', table: 'webhook', column: 'secrets', condition: sealedIn('secrets') },
  {
    ...byId,
    name: 'provider settings',
    table: 'provider_config',
    key: "account_id::text || '/' || channel_id",
    condition: sealedIn('fields'),
  },
  { ...byId, name: 'subscriptions', table: 'subscription', condition: sealedIn('fields') },
  {
    name: 'tokens of providers',
    table: 'store_record',
    column: 'value',
    key: "account_id::text || '/' || channel_id || '/' || key",
    type: 'text',
    condition: `table_name = '~token' and ${sealedText('value')}`,
    depth: 0,
  },
  {
    name: 'keys of the installation',
    table: 'setting',
    column: 'value',
    key: 'key',
    type: 'text',
    condition: sealedText('value'),
    depth: 0,
  },
  {
    name: 'kept answers',
    table: 'idempotency',
    column: 'answer',
    key: "account_id::text || '/' || key",
    type: 'text',
    condition: sealedText('answer'),
    depth: 0,
  },
  {
    name: 'waiting events',
    table: 'waiting',
    column: 'payload',
    key: 'id::text',
    type: 'text',
    condition: sealedText('payload'),
    depth: 0,
  },
  {
    name: 'failed requests of providers',
    table: 'listener_request',
    column: 'payload',
    key: 'id::text',
    type: 'text',
    condition: sealedText('payload'),
    depth: 0,
  },
]);

export interface SealedRow {
  readonly key: string;
  /** JSON text. */
  readonly value: string;
}

/** The next rows of a place after a key, held until the transaction ends. */
export async function lockSealed(
  tx: Sql,
  place: SealedPlace,
  after: string,
  limit: number,
): Promise<SealedRow[]> {
  const { table, column, key, condition } = place;
  const rows = await tx.query<SealedRow>(
    `select ${key} as key, ${column}::text as value from ${table}
     where ${condition} and ${key} > $1 order by ${key} limit $2 for update`,
    [after, limit],
  );
  // Anyone who claims skips what is held here, so afterwards it must look behind its cursors.
  if (table === 'waiting' && rows.length > 0) {
    await tx.query(
      'update lane set epoch = epoch + 1 where id in (select lane_id from waiting where id = any($1::uuid[]))',
      [rows.map((row) => row.key)],
    );
  }
  return rows;
}

/** Writes rows back that `lockSealed` gave. */
export async function writeSealed(tx: Sql, place: SealedPlace, rows: readonly SealedRow[]): Promise<void> {
  const { table, column, key, type, condition } = place;
  await tx.query(
    `update ${table} set ${column} = fresh.new_value::${type}
     from unnest($1::text[], $2::text[]) as fresh (row_key, new_value)
     where ${condition} and ${key} = fresh.row_key`,
    [rows.map((row) => row.key), rows.map((row) => row.value)],
  );
}
