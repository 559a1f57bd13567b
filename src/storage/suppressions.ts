/** Suppressions: addresses that are not sent to. Only keys of addresses are compared, never the addresses. */
import type { Sql, SqlValue } from './database.ts';

export const SUPPRESSION_SCOPES = ['global', 'list'] as const;
export type SuppressionScope = (typeof SUPPRESSION_SCOPES)[number];
export const SUPPRESSION_SOURCES = ['event', 'api', 'import'] as const;
export type SuppressionSource = (typeof SUPPRESSION_SOURCES)[number];

/** One suppression to write; with a resource its scope is `list`, without one `global`. */
export interface NewSuppression {
  readonly id: string;
  readonly key: string;
  readonly address: string | null;
  /** Null: every channel. */
  readonly channelId: number | null;
  readonly resourceId: string | null;
  readonly reason: string;
  readonly expiresAtMs: number | null;
}

/** What a write of a suppression gives back. */
export interface WrittenRow {
  readonly id: string;
  readonly key: string;
  readonly channel_id: number | null;
  readonly resource_id: string | null;
}

/**
 * Writes suppressions of an account, no address twice for the same channel and resource; one that is there gets the new
 * reason, source and expiry. Returns them in no order; one that was made has the id that was given.
 */
export async function writeSuppressions(
  sql: Sql,
  accountId: string,
  source: SuppressionSource,
  given: readonly NewSuppression[],
  nowMs: number,
): Promise<WrittenRow[]> {
  return sql.query(
    `insert into suppression as s (id, account_id, key, address, channel_id, resource_id, reason, source, created_at, expires_at)
     select id, $1, key, address, channel, resource, reason, $2, $3, to_timestamp(expires / 1000)
     from unnest($4::uuid[], $5::text[], $6::text[], $7::int[], $8::uuid[], $9::text[], $10::float8[])
       as g (id, key, address, channel, resource, reason, expires)
     order by key, channel, resource
     on conflict (account_id, key, channel_id, resource_id) do update
       set reason = excluded.reason, source = excluded.source, expires_at = excluded.expires_at,
         address = coalesce(excluded.address, s.address)
     returning id, key, channel_id, resource_id`,
    [
      accountId,
      source,
      new Date(nowMs),
      given.map((each) => each.id),
      given.map((each) => each.key),
      given.map((each) => each.address),
      given.map((each) => each.channelId),
      given.map((each) => each.resourceId),
      given.map((each) => each.reason),
      given.map((each) => each.expiresAtMs),
    ],
  );
}

/** An address that something is about to be sent to. */
export interface AskedAddress {
  readonly accountId: string;
  readonly channelId: number;
  readonly resourceId: string | null;
  /** Whether suppressions of scope `list` speak against it. */
  readonly list: boolean;
  /** The keys that the address may be kept under. */
  readonly keys: readonly [string, string];
}

export interface FoundSuppression {
  readonly place: number;
  readonly id: string;
  readonly scope: SuppressionScope;
  readonly reason: string;
  readonly source: SuppressionSource;
  readonly created_at: Date;
}

/** What speaks against addresses, by their places; of several the widest. */
export function findSuppressions(
  sql: Sql,
  asked: readonly AskedAddress[],
  nowMs: number,
): Promise<FoundSuppression[]> {
  return sql.query<FoundSuppression>(
    `select a.place, s.id, case when s.resource_id is null then 'global' else 'list' end as scope, s.reason, s.source, s.created_at
     from unnest($2::int[], $3::uuid[], $4::int[], $5::uuid[], $6::int[], $7::text[], $8::text[])
       as a (place, account, channel, resource, list, first, second)
     cross join lateral (
       select * from suppression s
       where s.account_id = a.account and s.key in (a.first, a.second)
         and (s.channel_id is null or s.channel_id = a.channel)
         and (s.resource_id is null or (a.list = 1 and s.resource_id = a.resource))
         and (s.expires_at is null or s.expires_at > $1)
       order by s.resource_id nulls first, s.id limit 1) as s`,
    [
      new Date(nowMs),
      asked.map((_, place) => place),
      asked.map((each) => each.accountId),
      asked.map((each) => each.channelId),
      asked.map((each) => each.resourceId),
      asked.map((each) => (each.list ? 1 : 0)),
      asked.map((each) => each.keys[0]),
      asked.map((each) => each.keys[1]),
    ],
  );
}

export interface MessageAddress {
  readonly message_id: string;
  readonly account_id: string;
  readonly channel_id: number;
  readonly resource_id: string;
  /** Fields of the subscription as they are stored. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Whom messages went to, as their subscriptions say now. */
export function addressesOfMessages(sql: Sql, ids: readonly string[]): Promise<MessageAddress[]> {
  return sql.query<MessageAddress>(
    `select m.id as message_id, m.account_id, m.channel_id, m.resource_id, s.fields
     from message m join subscription s on s.id = m.subscription_id where m.id = any($1::uuid[])`,
    [ids],
  );
}

export interface SuppressionRow {
  readonly id: string;
  readonly address: string | null;
  readonly channel: string | null;
  readonly resource: string | null;
  readonly reason: string;
  readonly source: SuppressionSource;
  readonly message_id: string | null;
  readonly created_at: Date;
  readonly expires_at: Date | null;
}

export interface SuppressionFilter {
  readonly id?: string | undefined;
  /** Any of these keys. */
  readonly keys?: readonly string[] | undefined;
  readonly channelId?: number | undefined;
  readonly scope?: SuppressionScope | undefined;
  readonly reason?: string | undefined;
  readonly source?: SuppressionSource | undefined;
}

const SELECT = `select s.id, s.address, c.sid as channel, r.sid as resource, s.reason, s.source, s.message_id, s.created_at, s.expires_at
  from suppression s left join channel c on c.id = s.channel_id left join resource r on r.id = s.resource_id`;

function condition(filter: SuppressionFilter, values: SqlValue[]): string {
  const parts: string[] = [];
  const where = (text: (at: string) => string, value: SqlValue | undefined) => {
    if (value === undefined) return;
    values.push(value);
    parts.push(` and ${text(`$${values.length}`)}`);
  };
  where((at) => `s.id = ${at}`, filter.id);
  where((at) => `s.key = any(${at}::text[])`, filter.keys && [...filter.keys]);
  where((at) => `s.channel_id = ${at}`, filter.channelId);
  where((at) => `(s.resource_id is not null) = (${at} = 'list')`, filter.scope);
  where((at) => `s.reason = ${at}`, filter.reason);
  where((at) => `s.source = ${at}`, filter.source);
  return parts.join('');
}

/** Up to `limit` suppressions, newest first, from `before` on. */
export function readSuppressions(
  sql: Sql,
  accountId: string,
  filter: SuppressionFilter,
  page: { readonly limit: number; readonly before: string | undefined },
): Promise<SuppressionRow[]> {
  const values: SqlValue[] = [accountId, page.before ?? null, page.limit];
  const where = condition(filter, values);
  return sql.query<SuppressionRow>(
    `${SELECT} where s.account_id = $1 and ($2::uuid is null or s.id < $2)${where} order by s.id desc limit $3`,
    values,
  );
}

export async function countSuppressions(
  sql: Sql,
  accountId: string,
  filter: SuppressionFilter,
): Promise<number> {
  const values: SqlValue[] = [accountId];
  const where = condition(filter, values);
  const [row] = await sql.query<{ total: number }>(
    `select count(*)::int as total from suppression s where s.account_id = $1${where}`,
    values,
  );
  return row?.total ?? 0;
}

/** Returns what was deleted; undefined if the account has none with this id. */
export async function deleteSuppression(
  sql: Sql,
  accountId: string,
  id: string,
): Promise<SuppressionRow | undefined> {
  const [row] = await sql.query<SuppressionRow>(
    `with gone as (delete from suppression where account_id = $1 and id = $2 returning *)
     ${SELECT.replace('from suppression s', 'from gone s')}`,
    [accountId, id],
  );
  return row;
}
