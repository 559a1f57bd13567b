/** Profiles and subscriptions: always many in one statement. */
import type { Sql } from './database.ts';

export interface ProfileRow {
  readonly id: string;
  readonly account_id: string;
  readonly external_id: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface SubscriptionRow {
  readonly id: string;
  readonly account_id: string;
  readonly profile_id: string;
  readonly resource_id: string;
  readonly channel_id: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly status: 'subscribed' | 'unsubscribed' | 'hard_bounced';
  readonly status_reason: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface NewProfile {
  readonly id: string;
  readonly accountId: string;
  readonly externalId: string;
  /** JSON text. */
  readonly fields: string;
}

/**
 * Creates or updates profiles by external id; given fields are merged into those that are there. External ids must be
 * unique in the list. Gives the rows in no order.
 */
export function upsertProfiles(sql: Sql, profiles: readonly NewProfile[], nowMs: number): Promise<ProfileRow[]> {
  return sql.query<ProfileRow>(
    `insert into profile (id, account_id, external_id, fields, created_at, updated_at)
     select id, account, external_id, fields::jsonb, $1, $1
     from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) as g (id, account, external_id, fields)
     on conflict (account_id, external_id) do update
       set fields = profile.fields || excluded.fields, updated_at = excluded.updated_at
     returning *`,
    [
      new Date(nowMs),
      profiles.map((profile) => profile.id),
      profiles.map((profile) => profile.accountId),
      profiles.map((profile) => profile.externalId),
      profiles.map((profile) => profile.fields),
    ],
  );
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
  readonly status: 'subscribed' | 'unsubscribed' | null;
}

/** Creates or updates subscriptions; (profile, resource, channel) must be unique in the list. */
export function upsertSubscriptions(
  sql: Sql,
  subscriptions: readonly NewSubscription[],
  nowMs: number,
): Promise<SubscriptionRow[]> {
  return sql.query<SubscriptionRow>(
    `insert into subscription (id, account_id, profile_id, resource_id, channel_id, fields, status, created_at, updated_at)
     select id, account, profile, resource, channel, fields::jsonb, coalesce(status, 'subscribed'), $1, $1
     from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::text[], $8::text[])
       as g (id, account, profile, resource, channel, fields, status)
     on conflict (profile_id, resource_id, channel_id) do update
       set fields = subscription.fields || excluded.fields, updated_at = excluded.updated_at,
         status = coalesce((select x.status from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $8::text[])
           as x (account, profile, resource, channel, status)
           where x.profile = subscription.profile_id and x.resource = subscription.resource_id
             and x.channel = subscription.channel_id limit 1), subscription.status)
     returning *`,
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

/** Profiles by external id, each with its subscription to a resource in a channel, if any. */
export function findSubscriptions(
  sql: Sql,
  asked: readonly { accountId: string; externalId: string; resourceId: string; channelId: number }[],
): Promise<FoundSubscription[]> {
  return sql.query<FoundSubscription>(
    `select g.place, p.id as profile_id, s.id as subscription_id
     from unnest($1::int[], $2::uuid[], $3::text[], $4::uuid[], $5::int[]) as g (place, account, external_id, resource, channel)
     join profile p on p.account_id = g.account and p.external_id = g.external_id
     left join subscription s on s.profile_id = p.id and s.resource_id = g.resource and s.channel_id = g.channel`,
    [
      asked.map((_, place) => place),
      asked.map((each) => each.accountId),
      asked.map((each) => each.externalId),
      asked.map((each) => each.resourceId),
      asked.map((each) => each.channelId),
    ],
  );
}

/** Ids of profiles by external id. */
export function findProfiles(
  sql: Sql,
  accountId: string,
  externalIds: readonly string[],
): Promise<{ id: string; external_id: string }[]> {
  return sql.query(
    'select id, external_id from profile where account_id = $1 and external_id = any($2::text[])',
    [accountId, externalIds],
  );
}
