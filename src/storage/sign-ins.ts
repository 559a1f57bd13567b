/** Signing in: wrong passwords are counted before they are looked at, so that no crowd of requests gets more tries. */
import type { Sql } from './database.ts';
import type { UserRow } from './users.ts';

/** How many wrong passwords in a row lock a user, and for how long. */
export interface LockRule {
  readonly most: number;
  readonly lockMs: number;
}

const COUNTED = `failed_sign_ins = case when failed_sign_ins + 1 >= $2 then 0 else failed_sign_ins + 1 end,
  locked_until = case when failed_sign_ins + 1 >= $2 then $3 else locked_until end`;
const OPEN =
  "status = 'active' and password_hash is not null and (locked_until is null or locked_until <= $1)";

function lockValues(rule: LockRule, nowMs: number): [Date, number, Date] {
  return [new Date(nowMs), rule.most, new Date(nowMs + rule.lockMs)];
}

/**
 * Counts a try, for the one user that can sign in with this email, in the account with this name where one is given.
 * Undefined where there is none such, or more than one, or where the user is locked.
 */
export async function countTry(
  sql: Sql,
  email: string,
  account: string | undefined,
  rule: LockRule,
  nowMs: number,
): Promise<UserRow | undefined> {
  const rows = await sql.query<UserRow>(
    `update app_user set ${COUNTED}
     where ${OPEN} and id = (
       select min(other.id::text)::uuid from app_user other join account on account.id = other.account_id
       where lower(other.email) = lower($4) and ($5::text is null or account.name = $5)
         and other.status = 'active' and other.password_hash is not null having count(*) = 1)
     returning *`,
    [...lockValues(rule, nowMs), email, account ?? null],
  );
  return rows[0];
}

/** Counts a try of a user who is known. Undefined where there is no password to try, or the user is locked. */
export async function countTryOf(
  sql: Sql,
  userId: string,
  rule: LockRule,
  nowMs: number,
): Promise<UserRow | undefined> {
  const rows = await sql.query<UserRow>(
    `update app_user set ${COUNTED} where ${OPEN} and id = $4 returning *`,
    [...lockValues(rule, nowMs), userId],
  );
  return rows[0];
}

/**
 * The password was right: the count ends, and `fresh` takes the place of the hash. Undefined where the user was disabled
 * or got another password meanwhile.
 */
export async function clearTries(
  sql: Sql,
  user: UserRow,
  fresh: string | undefined,
  nowMs: number,
): Promise<UserRow | undefined> {
  const rows = await sql.query<UserRow>(
    `update app_user set failed_sign_ins = 0, locked_until = null, password_hash = coalesce($3, password_hash),
       updated_at = case when $3::text is null then updated_at else $4 end
     where id = $1 and password_hash = $2 and status = 'active' returning *`,
    [user.id, user.password_hash, fresh ?? null, new Date(nowMs)],
  );
  return rows[0];
}

/** Moves the expiry of a session on; one that has ended stays ended. */
export async function extendSession(sql: Sql, id: string, untilMs: number): Promise<void> {
  await sql.query(
    "update token set expires_at = $2 where id = $1 and kind = 'session' and revoked_at is null and expires_at < $2",
    [id, new Date(untilMs)],
  );
}

/** Ends a session. False where the token is none. */
export async function endSession(sql: Sql, id: string, nowMs: number): Promise<boolean> {
  const rows = await sql.query(
    "update token set revoked_at = $2 where id = $1 and kind = 'session' and revoked_at is null returning id",
    [id, new Date(nowMs)],
  );
  return rows.length > 0;
}
