/** Whom an audience would reach, asked before anything begins. */

import { FIRST_ID } from './claim.ts';
import type { Sql } from './database.ts';
import type { AudienceCondition } from './launches.ts';
import type { SubscriptionStatus } from './subscriptions.ts';

/** Where a mailing goes: its resource in its channel. */
export interface AudiencePlace {
  readonly accountId: string;
  readonly resourceId: string;
  readonly channelId: number;
}

/** The audience's values begin after those of the statement that counts. */
export const FIRST_COUNTED_VALUE = 4;
/** And after those of a page. */
export const FIRST_PAGED_VALUE = 5;

const SUBSCRIPTION = 's.profile_id = p.id and s.resource_id = $2::uuid and s.channel_id = $3::int';

/** Counts the people of an audience by the status of their subscription; null: they have none here. */
export function countByStatus(
  sql: Sql,
  { accountId, resourceId, channelId }: AudiencePlace,
  condition: AudienceCondition,
): Promise<{ status: SubscriptionStatus | null; people: number }[]> {
  return sql.query(
    `select s.status, count(*)::int as people from profile p left join subscription s on ${SUBSCRIPTION}
     where p.account_id = $1 and (${condition.text}) group by 1`,
    [accountId, resourceId, channelId, ...condition.values],
    'authored',
  );
}

/** One page of the subscriptions that a launch would open, in the order of their ids. */
export function subscribedPage(
  sql: Sql,
  { accountId, resourceId, channelId }: AudiencePlace,
  condition: AudienceCondition,
  after: string | undefined,
  most: number,
): Promise<{ id: string; fields: Readonly<Record<string, unknown>> }[]> {
  return sql.query(
    `select s.id, s.fields from subscription s join profile p on ${SUBSCRIPTION}
     where p.account_id = $1 and s.id > $4::uuid and s.status = 'subscribed' and (${condition.text})
     order by s.id limit ${Math.trunc(most)}`,
    [accountId, resourceId, channelId, after ?? FIRST_ID, ...condition.values],
    'authored',
  );
}

/** The subscription of each of some people who are named by their external ids; those who do not exist are left out. */
export function statusesOf(
  sql: Sql,
  { accountId, resourceId, channelId }: AudiencePlace,
  externalIds: readonly string[],
): Promise<{ external_id: string; status: SubscriptionStatus | null }[]> {
  return sql.query(
    `select p.external_id, s.status from profile p left join subscription s on ${SUBSCRIPTION}
     where p.account_id = $1 and p.external_id = any($4::text[])`,
    [accountId, resourceId, channelId, [...externalIds]],
  );
}

/** Of some field names those that no profile of the account has. */
export async function fieldsOfNobody(
  sql: Sql,
  accountId: string,
  fields: readonly string[],
): Promise<string[]> {
  const rows = await sql.query<{ field: string }>(
    `select f.field from unnest($2::text[]) as f (field) where not exists (
       select from profile p where p.account_id = $1 and jsonb_exists(p.fields, f.field))`,
    [accountId, [...fields]],
  );
  return rows.map((row) => row.field);
}

/** The names of the fields that the newest profiles of an account have. */
export async function usualFields(sql: Sql, accountId: string): Promise<string[]> {
  const rows = await sql.query<{ field: string }>(
    `select distinct jsonb_object_keys(fields) as field
     from (select fields from profile where account_id = $1 order by id desc limit 1000) as newest order by 1`,
    [accountId],
  );
  return rows.map((row) => row.field);
}
