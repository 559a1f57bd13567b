/** Signing in: wrong passwords are counted before they are looked at, so that no crowd of requests gets more tries. */
import type { Sql } from './database.ts';
import { and, eq, isNotNull, isNull, lt, lte, or, sql } from './drizzle.ts';
import { account, appUser, token } from './schema.ts';
import { type Given, statement } from './statement.ts';
import { type UserRow, userColumns } from './users.ts';

/** How many wrong passwords in a row lock a user, and for how long. */
export interface LockRule {
  readonly most: number;
  readonly lockMs: number;
}

interface Try {
  readonly now: Date;
  readonly most: number;
  readonly lockedUntil: Date;
}

const tryOf = (rule: LockRule, nowMs: number): Try => ({
  now: new Date(nowMs),
  most: rule.most,
  lockedUntil: new Date(nowMs + rule.lockMs),
});

/** The columns of a user after one more try. */
function counted(given: Given<Try>) {
  const isLast = sql`${appUser.failed_sign_ins} + 1 >= ${given.most}`;
  return {
    failed_sign_ins: sql`case when ${isLast} then 0 else ${appUser.failed_sign_ins} + 1 end`,
    locked_until: sql`case when ${isLast} then ${given.lockedUntil} else ${appUser.locked_until} end`,
  };
}

/** Whether a user may try a password now. */
const isOpen = (given: Given<Try>) =>
  and(
    eq(appUser.status, 'active'),
    isNotNull(appUser.password_hash),
    or(isNull(appUser.locked_until), lte(appUser.locked_until, given.now)),
  );

const countByEmail = statement((db, given: Given<Try & { email: string; account: string | null }>) =>
  db
    .update(appUser)
    .set(counted(given))
    .where(
      and(
        isOpen(given),
        sql`${appUser.id} = (
          select min(other.id::text)::uuid from ${appUser} other join ${account} on ${account.id} = other.account_id
          where lower(other.email) = lower(${given.email})
            and (${given.account}::text is null or ${account.name} = ${given.account})
            and other.status = 'active' and other.password_hash is not null having count(*) = 1)`,
      ),
    )
    .returning(userColumns()),
);

/**
 * Counts a try for the one user that can sign in with this email, in the account with this name if one is given.
 * Returns undefined if there is no such user or more than one, or if the user is locked.
 */
export async function countTry(
  to: Sql,
  email: string,
  accountName: string | undefined,
  rule: LockRule,
  nowMs: number,
): Promise<UserRow | undefined> {
  const [row] = await countByEmail(to, { ...tryOf(rule, nowMs), email, account: accountName ?? null });
  return row;
}

const countById = statement((db, given: Given<Try & { id: string }>) =>
  db
    .update(appUser)
    .set(counted(given))
    .where(and(isOpen(given), eq(appUser.id, given.id)))
    .returning(userColumns()),
);

/** Counts a try of a user who is known. Returns undefined if there is no password to try, or the user is locked. */
export async function countTryOf(
  to: Sql,
  userId: string,
  rule: LockRule,
  nowMs: number,
): Promise<UserRow | undefined> {
  const [row] = await countById(to, { ...tryOf(rule, nowMs), id: userId });
  return row;
}

interface RightPassword {
  readonly id: string;
  readonly hash: string;
  readonly fresh: string | null;
  readonly now: Date;
}

const clear = statement((db, given: Given<RightPassword>) =>
  db
    .update(appUser)
    .set({
      failed_sign_ins: 0,
      locked_until: null,
      password_hash: sql`coalesce(${given.fresh}, ${appUser.password_hash})`,
      updated_at: sql`case when ${given.fresh}::text is null then ${appUser.updated_at} else ${given.now} end`,
    })
    .where(and(eq(appUser.id, given.id), eq(appUser.password_hash, given.hash), eq(appUser.status, 'active')))
    .returning(userColumns()),
);

/**
 * Ends the count, since the password was right; `fresh` takes the place of the hash. Returns undefined if the user has
 * been disabled or got another password in the meantime.
 */
export async function clearTries(
  to: Sql,
  user: Pick<UserRow, 'id' | 'password_hash'>,
  fresh: string | undefined,
  nowMs: number,
): Promise<UserRow | undefined> {
  const { id, password_hash: hash } = user;
  if (hash === null) return undefined;
  const [row] = await clear(to, { id, hash, fresh: fresh ?? null, now: new Date(nowMs) });
  return row;
}

/** Whether a token is a session that nobody ended. */
const isSession = (id: Given<{ id: string }>['id']) =>
  and(eq(token.id, id), eq(token.kind, 'session'), isNull(token.revoked_at));

const extend = statement((db, given: Given<{ id: string; until: Date }>) =>
  db
    .update(token)
    .set({ expires_at: given.until })
    .where(and(isSession(given.id), lt(token.expires_at, given.until))),
);

/** Moves the expiry of a session on; one that has ended stays ended. */
export async function extendSession(to: Sql, id: string, untilMs: number): Promise<void> {
  await extend(to, { id, until: new Date(untilMs) });
}

const end = statement((db, given: Given<{ id: string; now: Date }>) =>
  db.update(token).set({ revoked_at: given.now }).where(isSession(given.id)).returning({ id: token.id }),
);

/** Ends a session; false if the token is not one, or has ended. */
export async function endSession(to: Sql, id: string, nowMs: number): Promise<boolean> {
  return (await end(to, { id, now: new Date(nowMs) })).length > 0;
}
