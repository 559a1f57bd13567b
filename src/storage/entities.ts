/** Senders, resources, templates and connectors: small tables that an account's admins keep. */
import type { Sql } from './database.ts';

export interface SenderRow {
  readonly id: string;
  readonly account_id: string;
  readonly sid: string;
  readonly name: string;
  readonly channel_id: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface ResourceRow {
  readonly id: string;
  readonly account_id: string;
  readonly sid: string;
  readonly name: string;
  readonly channels: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface TemplateRow {
  readonly id: string;
  readonly account_id: string;
  readonly sid: string;
  readonly name: string;
  readonly channel_id: number;
  readonly version: number;
  readonly values: Readonly<Record<string, unknown>>;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface ConnectorRow {
  readonly id: string;
  readonly account_id: string;
  readonly sid: string;
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface Tables {
  readonly sender: SenderRow;
  readonly resource: ResourceRow;
  readonly template: TemplateRow;
  readonly connector: ConnectorRow;
}

export type EntityTable = keyof Tables;

/** Rows by id, whatever their account: for the corridor, whose rows name them. */
export function readByIds<T extends EntityTable>(
  sql: Sql,
  table: T,
  ids: readonly string[],
): Promise<Tables[T][]> {
  return sql.query<Tables[T]>(`select * from ${table} where id = any($1::uuid[])`, [ids]);
}

export async function readEntity<T extends EntityTable>(
  sql: Sql,
  table: T,
  accountId: string,
  id: string,
): Promise<Tables[T] | undefined> {
  const rows = await sql.query<Tables[T]>(`select * from ${table} where account_id = $1 and id = $2`, [
    accountId,
    id,
  ]);
  return rows[0];
}

/** By sid; senders and templates also by channel, since their sids are unique within one. */
export async function findEntity<T extends EntityTable>(
  sql: Sql,
  table: T,
  accountId: string,
  sid: string,
  channelId?: number,
): Promise<Tables[T] | undefined> {
  const rows = await sql.query<Tables[T]>(
    `select * from ${table} where account_id = $1 and sid = $2 ${channelId === undefined ? '' : 'and channel_id = $3'} limit 1`,
    channelId === undefined ? [accountId, sid] : [accountId, sid, channelId],
  );
  return rows[0];
}

/** Two rows at most: enough to know whether there is exactly one to choose. */
export function firstEntities<T extends EntityTable>(
  sql: Sql,
  table: T,
  accountId: string,
  channelId?: number,
): Promise<Tables[T][]> {
  return sql.query<Tables[T]>(
    `select * from ${table} where account_id = $1 ${channelId === undefined ? '' : 'and channel_id = $2'} order by id limit 2`,
    channelId === undefined ? [accountId] : [accountId, channelId],
  );
}

/** Senders of a sid in a channel over all accounts, for listener addresses; the oldest first. */
export function findSenders(sql: Sql, channelId: number, sid: string): Promise<SenderRow[]> {
  return sql.query<SenderRow>('select * from sender where channel_id = $1 and sid = $2 order by id', [
    channelId,
    sid,
  ]);
}

/** All senders of a channel, of every account. */
export function sendersOfChannel(
  sql: Sql,
  channelId: number,
): Promise<{ readonly id: string; readonly account_id: string }[]> {
  return sql.query('select id, account_id from sender where channel_id = $1 order by id', [channelId]);
}

/** Whose value stands for the row: texts as they are, objects as JSON text with a cast. */
export interface EntityValues {
  readonly [column: string]: string | number | { readonly json: string };
}

function columnsOf(
  values: EntityValues,
  first: number,
): { names: string[]; places: string[]; list: (string | number)[] } {
  const names: string[] = [];
  const places: string[] = [];
  const list: (string | number)[] = [];
  for (const [name, value] of Object.entries(values)) {
    const isJson = typeof value === 'object';
    names.push(`"${name}"`);
    places.push(`$${first + list.length}${isJson ? '::text::jsonb' : ''}`);
    list.push(isJson ? value.json : value);
  }
  return { names, places, list };
}

export async function insertEntity<T extends EntityTable>(
  sql: Sql,
  table: T,
  id: string,
  accountId: string,
  values: EntityValues,
  nowMs: number,
): Promise<Tables[T] | undefined> {
  const { names, places, list } = columnsOf(values, 4);
  const rows = await sql.query<Tables[T]>(
    `insert into ${table} (id, account_id, created_at, updated_at, ${names.join(', ')})
     values ($1, $2, $3, $3, ${places.join(', ')}) on conflict do nothing returning *`,
    [id, accountId, new Date(nowMs), ...list],
  );
  return rows[0];
}

export async function updateEntity<T extends EntityTable>(
  sql: Sql,
  table: T,
  accountId: string,
  id: string,
  values: EntityValues,
  nowMs: number,
): Promise<Tables[T] | undefined> {
  const { names, places, list } = columnsOf(values, 4);
  const sets = names.map((name, index) => `${name} = ${places[index]}`);
  const rows = await sql.query<Tables[T]>(
    `update ${table} set updated_at = $3, ${sets.join(', ')} where account_id = $1 and id = $2 returning *`,
    [accountId, id, new Date(nowMs), ...list],
  );
  return rows[0];
}

/** Holds the row until the transaction ends, so that what is decided on it stays true. */
export async function lockEntity<T extends EntityTable>(
  tx: Sql,
  table: T,
  accountId: string,
  id: string,
): Promise<Tables[T] | undefined> {
  const rows = await tx.query<Tables[T]>(
    `select * from ${table} where account_id = $1 and id = $2 for update`,
    [accountId, id],
  );
  return rows[0];
}

export async function deleteEntity(
  sql: Sql,
  table: EntityTable,
  accountId: string,
  id: string,
): Promise<void> {
  await sql.query(`delete from ${table} where account_id = $1 and id = $2`, [accountId, id]);
}

/** One page, newest first, by keyset; `total` counts all. A channel can be given for senders and templates. */
export async function listEntities<T extends EntityTable>(
  sql: Sql,
  table: T,
  accountId: string,
  page: { limit: number; before?: string | undefined },
  channelId?: number,
): Promise<{ rows: Tables[T][]; total: number }> {
  const inChannel = (place: number) => (channelId === undefined ? '' : `and channel_id = $${place}`);
  const channel = channelId === undefined ? [] : [channelId];
  const rows = await sql.query<Tables[T]>(
    `select * from ${table} where account_id = $1 and ($2::uuid is null or id < $2) ${inChannel(4)}
     order by id desc limit $3`,
    [accountId, page.before ?? null, page.limit + 1, ...channel],
  );
  const [count] = await sql.query<{ total: number }>(
    `select count(*)::int as total from ${table} where account_id = $1 ${inChannel(2)}`,
    [accountId, ...channel],
  );
  return { rows, total: count?.total ?? 0 };
}
