/** Profiles: written many in one statement. */
import { type Column, unnestRows } from './columns.ts';
import type { Sql, SqlValue } from './database.ts';
import { and, count, desc, eq, lt } from './drizzle.ts';
import type { AudienceCondition } from './launches.ts';
import { type PageRequest, type PageRows, totalOf } from './page.ts';
import { profile, subscription } from './schema.ts';
import { builder, type Given, type Row, rowsOf, statement } from './statement.ts';

export type ProfileRow = Row<typeof profile>;

export interface NewProfile {
  readonly id: string;
  readonly accountId: string;
  readonly externalId: string;
  /** JSON text. */
  readonly fields: string;
}

/** What a write of a profile returns. */
export type WrittenProfile = Pick<ProfileRow, 'id' | 'account_id' | 'external_id'>;

const NEW_PROFILE: readonly Column<NewProfile>[] = [
  ['id', 'uuid', (row) => row.id],
  ['account', 'uuid', (row) => row.accountId],
  ['external_id', 'text', (row) => row.externalId],
  ['fields', 'text', (row) => row.fields],
];

/**
 * Creates or updates profiles by external id; given fields are merged into those that are there. External ids must be
 * unique in the list. Returns the rows in no order; one that was created has the id that was given.
 */
export function upsertProfiles(
  to: Sql,
  profiles: readonly NewProfile[],
  nowMs: number,
): Promise<WrittenProfile[]> {
  const values: SqlValue[] = [new Date(nowMs)];
  // Always in the same order, so that two writes of the same people never wait for each other in a circle.
  return to.query<WrittenProfile>(
    `insert into profile (id, account_id, external_id, fields, created_at, updated_at)
     select id, account, external_id, fields::jsonb, $1, $1
     from ${unnestRows(values, profiles, NEW_PROFILE)}
     order by account, external_id
     on conflict (account_id, external_id) do update
       set fields = profile.fields || excluded.fields, updated_at = excluded.updated_at
     returning id, account_id, external_id`,
    values,
  );
}

const selectByExternalId = statement((db, given: Given<{ accountId: string; externalId: string }>) =>
  db
    .select()
    .from(profile)
    .where(and(eq(profile.account_id, given.accountId), eq(profile.external_id, given.externalId))),
);

/** Returns the profile of an account with this external id. */
export async function readProfile(
  to: Sql,
  accountId: string,
  externalId: string,
): Promise<ProfileRow | undefined> {
  const [row] = await selectByExternalId(to, { accountId, externalId });
  return row;
}

/** Returns what content is rendered with, of some people who meet a condition, in the order of their external ids. */
export function sampleProfiles(
  to: Sql,
  accountId: string,
  condition: AudienceCondition,
  limit: number,
): Promise<Pick<ProfileRow, 'external_id' | 'fields'>[]> {
  return to.query(
    `select p.external_id, p.fields from profile p where p.account_id = $1 and ${condition.text}
     order by p.external_id limit $2`,
    [accountId, limit, ...condition.values],
    'authored',
  );
}

/** Returns one page, newest first; of one external id if it is given. */
export async function listProfiles(
  to: Sql,
  accountId: string,
  externalId: string | undefined,
  page: PageRequest,
): Promise<PageRows<ProfileRow>> {
  const db = builder();
  const matches = and(
    eq(profile.account_id, accountId),
    externalId === undefined ? undefined : eq(profile.external_id, externalId),
  );
  const selected = db
    .select()
    .from(profile)
    .where(and(matches, page.before === undefined ? undefined : lt(profile.id, page.before)))
    .orderBy(desc(profile.id))
    .limit(page.limit + 1);
  const rows = await rowsOf(to, selected);
  const counted = db.select({ total: count() }).from(profile).where(matches);
  return { rows, total: totalOf(await rowsOf(to, counted)) };
}

/**
 * Returns how many messages to a profile still wait or run. What waits is looked through, message by message: otherwise
 * it would be all messages that the account ever sent.
 */
export async function waitingForProfile(to: Sql, accountId: string, id: string): Promise<number> {
  const [row] = await to.query<{ waiting: number }>(
    `select count(*)::int as waiting from waiting w cross join lateral (
       select from message m where m.id = w.message_id and m.account_id = $1 and m.profile_id = $2 offset 0) as m
     where w.account_id = $1`,
    [accountId, id],
  );
  return row?.waiting ?? 0;
}

const removeSubscriptions = statement((db, given: Given<{ accountId: string; id: string }>) =>
  db
    .delete(subscription)
    .where(and(eq(subscription.account_id, given.accountId), eq(subscription.profile_id, given.id)))
    .returning({ id: subscription.id }),
);

const remove = statement((db, given: Given<{ accountId: string; id: string }>) =>
  db.delete(profile).where(and(eq(profile.account_id, given.accountId), eq(profile.id, given.id))),
);

/** Deletes a profile with its subscriptions, and returns how many those were. Its messages stay, without a name. */
export async function deleteProfile(tx: Sql, accountId: string, id: string): Promise<number> {
  const gone = await removeSubscriptions(tx, { accountId, id });
  await remove(tx, { accountId, id });
  return gone.length;
}
