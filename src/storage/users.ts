/** Users of accounts. */
import type { SQL } from 'drizzle-orm';
import type { Sql } from './database.ts';
import { and, asc, count, desc, eq, getTableColumns, isNull, ne, or, sql } from './drizzle.ts';
import { isBefore, type PageRequest, type PageRows, pageValues, totalOf } from './page.ts';
import { account, appUser, token } from './schema.ts';
import { builder, type Given, type Row, rowsOf, statement } from './statement.ts';

export type UserRow = Omit<Row<typeof appUser>, 'failed_sign_ins'>;
export type UserStatus = UserRow['status'];

/** The columns that are shown of a user. */
export function userColumns() {
  const { failed_sign_ins: _counted, ...columns } = getTableColumns(appUser);
  return columns;
}

export interface NewUser {
  readonly id: string;
  readonly accountId: string;
  readonly email: string;
  readonly name: string;
  readonly role: UserRow['role'];
  readonly passwordHash: string | null;
  readonly nowMs: number;
}

/** Makes a user; undefined if the account has a user with this email. */
export async function insertUser(to: Sql, user: NewUser): Promise<UserRow | undefined> {
  const { id, email, name, role } = user;
  const now = new Date(user.nowMs);
  const insert = builder()
    .insert(appUser)
    .values({
      ...{ id, email, name, role },
      account_id: user.accountId,
      password_hash: user.passwordHash,
      created_at: now,
      updated_at: now,
    })
    .onConflictDoNothing()
    .returning(userColumns());
  const [row] = await rowsOf(to, insert);
  return row;
}

const selectById = statement((db, given: Given<{ accountId: string; id: string }>) =>
  db
    .select(userColumns())
    .from(appUser)
    .where(and(eq(appUser.account_id, given.accountId), eq(appUser.id, given.id))),
);

/** Returns a user of an account. */
export async function readUser(to: Sql, accountId: string, id: string): Promise<UserRow | undefined> {
  const [row] = await selectById(to, { accountId, id });
  return row;
}

/** Whether a user has this email, however it is capitalised. */
const hasEmail = (email: SQL<string>) => sql`lower(${appUser.email}) = lower(${email})`;

const selectOfAccount = statement((db, given: Given<{ accountId: string; email: string }>) =>
  db
    .select(userColumns())
    .from(appUser)
    .where(and(eq(appUser.account_id, given.accountId), hasEmail(given.email))),
);

/** Returns the user of an account with this email, however it is capitalised. */
export async function findUser(to: Sql, accountId: string, email: string): Promise<UserRow | undefined> {
  const [row] = await selectOfAccount(to, { accountId, email });
  return row;
}

const selectByEmail = statement((db, given: Given<{ email: string; account: string | null }>) => {
  const named = db.select({ id: account.id }).from(account).where(eq(account.name, given.account));
  return db
    .select(userColumns())
    .from(appUser)
    .where(and(hasEmail(given.email), or(isNull(sql`${given.account}::text`), eq(appUser.account_id, named))))
    .orderBy(asc(appUser.id));
});

/** Returns the users with this email, of the account with this name or of all. */
export function findByEmail(to: Sql, email: string, accountName: string | undefined): Promise<UserRow[]> {
  return selectByEmail(to, { email, account: accountName ?? null });
}

const selectPage = statement(
  (db, given: Given<{ accountId: string; before: string | null; limit: number }>) =>
    db
      .select(userColumns())
      .from(appUser)
      .where(and(eq(appUser.account_id, given.accountId), isBefore(appUser.id, given.before)))
      .orderBy(desc(appUser.id))
      .limit(given.limit),
);

const countAll = statement((db, given: Given<{ accountId: string }>) =>
  db.select({ total: count() }).from(appUser).where(eq(appUser.account_id, given.accountId)),
);

/** Returns one page, newest first. */
export async function listUsers(to: Sql, accountId: string, page: PageRequest): Promise<PageRows<UserRow>> {
  const rows = await selectPage(to, { accountId, ...pageValues(page) });
  return { rows, total: totalOf(await countAll(to, { accountId })) };
}

export interface UserChange {
  readonly name: string;
  readonly role: UserRow['role'];
  readonly status: UserStatus;
  /** Left out: the password stays, and with it the count of wrong ones. */
  readonly passwordHash?: string;
}

/** Writes what an admin may change; a new password opens the lock. */
export async function updateUser(
  to: Sql,
  accountId: string,
  id: string,
  { name, role, status, passwordHash }: UserChange,
  nowMs: number,
): Promise<UserRow | undefined> {
  const fresh =
    passwordHash === undefined ? {} : { password_hash: passwordHash, failed_sign_ins: 0, locked_until: null };
  const update = builder()
    .update(appUser)
    .set({ name, role, status, ...fresh, updated_at: new Date(nowMs) })
    .where(and(eq(appUser.account_id, accountId), eq(appUser.id, id)))
    .returning(userColumns());
  const [row] = await rowsOf(to, update);
  return row;
}

const revokeOthers = statement((db, given: Given<{ userId: string; except: string | null; now: Date }>) =>
  db
    .update(token)
    .set({ revoked_at: given.now })
    .where(
      and(
        eq(token.user_id, given.userId),
        eq(token.kind, 'session'),
        isNull(token.revoked_at),
        or(isNull(sql`${given.except}::uuid`), ne(token.id, given.except)),
      ),
    ),
);

/** Ends the sessions of a user, except one. */
export async function endSessions(
  to: Sql,
  userId: string,
  except: string | null,
  nowMs: number,
): Promise<void> {
  await revokeOthers(to, { userId, except, now: new Date(nowMs) });
}
