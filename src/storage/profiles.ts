/** Profiles: written many in one statement. */
import type { Sql } from './database.ts';
import type { AudienceCondition } from './launches.ts';

export interface ProfileRow {
  readonly id: string;
  readonly account_id: string;
  readonly external_id: string;
  readonly fields: Readonly<Record<string, unknown>>;
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

/** What a write of a profile gives back. */
export type WrittenProfile = Pick<ProfileRow, 'id' | 'account_id' | 'external_id'>;

/**
 * Creates or updates profiles by external id; given fields are merged into those that are there. External ids must be
 * unique in the list. Gives the rows in no order; one that was created has the id that was given.
 */
export function upsertProfiles(
  sql: Sql,
  profiles: readonly NewProfile[],
  nowMs: number,
): Promise<WrittenProfile[]> {
  // Always in the same order, so that two writes of the same people never wait for each other in a circle.
  return sql.query<WrittenProfile>(
    `insert into profile (id, account_id, external_id, fields, created_at, updated_at)
     select id, account, external_id, fields::jsonb, $1, $1
     from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) as g (id, account, external_id, fields)
     order by account, external_id
     on conflict (account_id, external_id) do update
       set fields = profile.fields || excluded.fields, updated_at = excluded.updated_at
     returning id, account_id, external_id`,
    [
      new Date(nowMs),
      profiles.map((profile) => profile.id),
      profiles.map((profile) => profile.accountId),
      profiles.map((profile) => profile.externalId),
      profiles.map((profile) => profile.fields),
    ],
  );
}

export async function readProfile(
  sql: Sql,
  accountId: string,
  externalId: string,
): Promise<ProfileRow | undefined> {
  const rows = await sql.query<ProfileRow>(
    'select * from profile where account_id = $1 and external_id = $2',
    [accountId, externalId],
  );
  return rows[0];
}

/** What content is rendered with, of some people who meet a condition, in the order of their external ids. */
export function sampleProfiles(
  sql: Sql,
  accountId: string,
  condition: AudienceCondition,
  limit: number,
): Promise<Pick<ProfileRow, 'external_id' | 'fields'>[]> {
  return sql.query(
    `select p.external_id, p.fields from profile p where p.account_id = $1 and ${condition.text}
     order by p.external_id limit $2`,
    [accountId, limit, ...condition.values],
    'authored',
  );
}

/** One page, newest first; of one external id where it is given. */
export async function listProfiles(
  sql: Sql,
  accountId: string,
  externalId: string | undefined,
  page: { limit: number; before: string | undefined },
): Promise<{ rows: ProfileRow[]; total: number }> {
  const where = 'account_id = $1 and ($2::text is null or external_id = $2)';
  const values = [accountId, externalId ?? null];
  const rows = await sql.query<ProfileRow>(
    `select * from profile where ${where} and ($3::uuid is null or id < $3) order by id desc limit $4`,
    [...values, page.before ?? null, page.limit + 1],
  );
  const [count] = await sql.query<{ total: number }>(
    `select count(*)::int as total from profile where ${where}`,
    values,
  );
  return { rows, total: count?.total ?? 0 };
}

/**
 * How many messages to a profile still wait or run. What waits is looked through, message by message: the other way is
 * all messages that the account ever sent.
 */
export async function waitingForProfile(sql: Sql, accountId: string, id: string): Promise<number> {
  const [count] = await sql.query<{ waiting: number }>(
    `select count(*)::int as waiting from waiting w cross join lateral (
       select from message m where m.id = w.message_id and m.account_id = $1 and m.profile_id = $2 offset 0) as m
     where w.account_id = $1`,
    [accountId, id],
  );
  return count?.waiting ?? 0;
}

/** Deletes a profile with its subscriptions, and gives how many those were. Its messages stay, without a name. */
export async function deleteProfile(tx: Sql, accountId: string, id: string): Promise<number> {
  const gone = await tx.query(
    'delete from subscription where account_id = $1 and profile_id = $2 returning id',
    [accountId, id],
  );
  await tx.query('delete from profile where account_id = $1 and id = $2', [accountId, id]);
  return gone.length;
}
