/** Subscriptions: written many in one statement. */
import { arrayText } from './array-text.ts';
import type { Sql, SqlValue } from './database.ts';

export const SUBSCRIPTION_STATUSES = ['subscribed', 'unsubscribed', 'hard_bounced'] as const;
export type SubscriptionStatus = (typeof SUBSCRIPTION_STATUSES)[number];

export interface SubscriptionRow {
  readonly id: string;
  readonly account_id: string;
  readonly profile_id: string;
  readonly resource_id: string;
  readonly channel_id: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly status: SubscriptionStatus;
  readonly status_reason: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface NewSubscription {
  readonly id: string;
  readonly accountId: string;
  readonly profileId: string;
  readonly resourceId: string;
  readonly channelId: number;
  /** JSON text. */
  readonly fields: string;
  /** Null: `subscribed` when new, otherwise as it is. */
  readonly status: SubscriptionStatus | null;
}

/** What a write of a subscription gives back. */
export type WrittenSubscription = Pick<SubscriptionRow, 'id' | 'profile_id' | 'resource_id' | 'channel_id'>;

/**
 * Creates or updates subscriptions; given fields are merged into those that are there. (profile, resource, channel)
 * must be unique in the list. Returns the rows in no order; one that was created has the id that was given.
 */
export async function upsertSubscriptions(
  sql: Sql,
  subscriptions: readonly NewSubscription[],
  nowMs: number,
): Promise<WrittenSubscription[]> {
  const kept = subscriptions.filter((each) => each.status === null);
  const set = subscriptions.filter((each) => each.status !== null);
  return [
    ...(kept.length === 0 ? [] : await upsert(sql, kept, '', nowMs)),
    ...(set.length === 0
      ? []
      : await upsert(sql, set, ', status = excluded.status, status_reason = null', nowMs)),
  ];
}

function upsert(sql: Sql, subscriptions: readonly NewSubscription[], alsoSet: string, nowMs: number) {
  return sql.query<WrittenSubscription>(
    `insert into subscription (id, account_id, profile_id, resource_id, channel_id, fields, status, created_at, updated_at)
     select id, account, profile, resource, channel, fields::jsonb, coalesce(status, 'subscribed'), $1, $1
     from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::text[], $8::text[])
       as g (id, account, profile, resource, channel, fields, status)
     order by profile, resource, channel
     on conflict (profile_id, resource_id, channel_id) do update
       set fields = subscription.fields || excluded.fields, updated_at = excluded.updated_at${alsoSet}
     returning id, profile_id, resource_id, channel_id`,
    [
      new Date(nowMs),
      subscriptions.map((each) => each.id),
      subscriptions.map((each) => each.accountId),
      subscriptions.map((each) => each.profileId),
      subscriptions.map((each) => each.resourceId),
      subscriptions.map((each) => each.channelId),
      subscriptions.map((each) => each.fields),
      subscriptions.map((each) => each.status),
    ],
  );
}

export interface FoundSubscription {
  readonly place: number;
  readonly profile_id: string;
  readonly subscription_id: string | null;
}

export interface AskedSubscription {
  readonly accountId: string;
  readonly externalId: string;
  readonly resourceId: string;
  readonly channelId: number;
}

const columnsOf = (asked: readonly AskedSubscription[]): SqlValue[] => [
  arrayText(asked, 'uuid', (each) => each.accountId),
  arrayText(asked, 'text', (each) => each.externalId),
  arrayText(asked, 'uuid', (each) => each.resourceId),
  arrayText(asked, 'int', (each) => each.channelId),
];

const FOUND = 'from find_subscriptions($1::uuid[], $2::text[], $3::uuid[], $4::int[])';

/** Profiles by external id, each with its subscription to a resource in a channel, if any. */
export function findSubscriptions(
  sql: Sql,
  asked: readonly AskedSubscription[],
): Promise<FoundSubscription[]> {
  return sql.query<FoundSubscription>(`select place, profile_id, subscription_id ${FOUND}`, columnsOf(asked));
}

/** The same with the fields that a subscription has now. */
export function findSubscriptionFields(
  sql: Sql,
  asked: readonly AskedSubscription[],
): Promise<(FoundSubscription & { readonly fields: Readonly<Record<string, unknown>> | null })[]> {
  return sql.query(`select place, profile_id, subscription_id, fields ${FOUND}`, columnsOf(asked));
}

/** A subscription with the names of what it ties together. */
export interface ShownSubscription extends SubscriptionRow {
  readonly profile: string;
  readonly resource: string;
  readonly channel: string;
}

/** Subscriptions `s`, which `from` gives, with their names. */
const shown = (from: string) => `select s.*, p.external_id as profile, r.sid as resource, c.sid as channel
  from ${from} s join profile p on p.id = s.profile_id join resource r on r.id = s.resource_id
  join channel c on c.id = s.channel_id`;

export async function readSubscription(
  sql: Sql,
  accountId: string,
  id: string,
): Promise<ShownSubscription | undefined> {
  const rows = await sql.query<ShownSubscription>(
    `${shown('subscription')} where s.account_id = $1 and s.id = $2`,
    [accountId, id],
  );
  return rows[0];
}

export interface SubscriptionFilter {
  /** External id. */
  readonly profile?: string | undefined;
  /** Sid. */
  readonly resource?: string | undefined;
  /** Sid. */
  readonly channel?: string | undefined;
  readonly status?: string | undefined;
}

/** One page, newest first. */
export async function listSubscriptions(
  sql: Sql,
  accountId: string,
  filter: SubscriptionFilter,
  page: { limit: number; before: string | undefined },
): Promise<{ rows: ShownSubscription[]; total: number }> {
  const parts: string[] = [];
  const values: SqlValue[] = [accountId];
  const where = (condition: (place: string) => string, value: string | undefined) => {
    if (value === undefined) return;
    values.push(value);
    parts.push(` and ${condition(`$${values.length}`)}`);
  };
  where(
    (at) => `s.profile_id = (select id from profile where account_id = $1 and external_id = ${at})`,
    filter.profile,
  );
  where(
    (at) => `s.resource_id = (select id from resource where account_id = $1 and sid = ${at})`,
    filter.resource,
  );
  where((at) => `s.channel_id = (select id from channel where sid = ${at})`, filter.channel);
  where((at) => `s.status = ${at}`, filter.status);
  const [count] = await sql.query<{ total: number }>(
    `select count(*)::int as total from subscription s where s.account_id = $1${parts.join('')}`,
    values,
  );
  const next = values.length;
  // Names are looked up for the page alone, not for all that fit.
  const found = `select * from subscription s where s.account_id = $1${parts.join('')}
     and ($${next + 1}::uuid is null or s.id < $${next + 1}) order by s.id desc limit $${next + 2}`;
  const rows = await sql.query<ShownSubscription>(`${shown(`(${found})`)} order by s.id desc`, [
    ...values,
    page.before ?? null,
    page.limit + 1,
  ]);
  return { rows, total: count?.total ?? 0 };
}

/** Sets what is given: all fields, as JSON text, and the status. */
export async function changeSubscription(
  sql: Sql,
  accountId: string,
  id: string,
  change: { readonly fields: string | null; readonly status: SubscriptionStatus | null },
  nowMs: number,
): Promise<void> {
  await sql.query(
    `update subscription set updated_at = $3, fields = coalesce($4::text::jsonb, fields),
       status = coalesce($5, status), status_reason = case when $5::text is null then status_reason end
     where account_id = $1 and id = $2`,
    [accountId, id, new Date(nowMs), change.fields, change.status],
  );
}
