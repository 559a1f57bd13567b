/** Accounts, and whether somebody can still administer them. */
import type { Sql } from './database.ts';
import { and, asc, eq, exists, gt, isNotNull, isNull, or, sql } from './drizzle.ts';
import { isAnyOf } from './expressions.ts';
import { account, appUser, token } from './schema.ts';
import { builder, type Given, type Row, rowsOf, statement } from './statement.ts';

export type AccountRow = Row<typeof account>;

const selectByIds = statement((db, given: Given<{ ids: readonly string[] }>) =>
  db.select().from(account).where(isAnyOf(account.id, given.ids)),
);

/** Returns those of the accounts that exist, in no order. */
export function readAccounts(to: Sql, ids: readonly string[]): Promise<AccountRow[]> {
  return selectByIds(to, { ids });
}

const selectFirst = statement((db) =>
  db.select().from(account).orderBy(asc(account.created_at), asc(account.id)).limit(1),
);

/** Returns the oldest account: the one that the bootstrap token belongs to. */
export async function firstAccount(to: Sql): Promise<AccountRow | undefined> {
  const [row] = await selectFirst(to, {});
  return row;
}

const selectAll = statement((db) => db.select().from(account).orderBy(asc(account.id)));

/** Returns all accounts, the oldest first. */
export function listAccounts(to: Sql): Promise<AccountRow[]> {
  return selectAll(to, {});
}

const selectByName = statement((db, given: Given<{ name: string }>) =>
  db.select().from(account).where(eq(account.name, given.name)),
);

/** Returns the account with this name. */
export async function findAccount(to: Sql, name: string): Promise<AccountRow | undefined> {
  const [row] = await selectByName(to, { name });
  return row;
}

/** Makes an account; undefined if the name is taken. */
export async function insertAccount(
  to: Sql,
  made: { id: string; name: string; nowMs: number },
): Promise<AccountRow | undefined> {
  const insert = builder()
    .insert(account)
    .values({ id: made.id, name: made.name, created_at: new Date(made.nowMs) })
    .onConflictDoNothing({ target: account.name })
    .returning();
  const [row] = await rowsOf(to, insert);
  return row;
}

const lock = statement((db, given: Given<{ id: string }>) =>
  db.select({ id: account.id }).from(account).where(eq(account.id, given.id)).for('no key update'),
);

/** Lets one change of an account's users and tokens happen at a time, until the transaction ends. */
export async function holdAccess(tx: Sql, accountId: string): Promise<void> {
  await lock(tx, { id: accountId });
}

const findAdmin = statement((db, given: Given<{ accountId: string; now: Date }>) => {
  const liveToken = db
    .select({ found: sql`1` })
    .from(token)
    .where(
      and(
        eq(token.user_id, appUser.id),
        eq(token.kind, 'api'),
        eq(token.role, 'admin'),
        isNull(token.revoked_at),
        or(isNull(token.expires_at), gt(token.expires_at, given.now)),
      ),
    );
  return db
    .select({ id: appUser.id })
    .from(appUser)
    .where(
      and(
        eq(appUser.account_id, given.accountId),
        eq(appUser.role, 'admin'),
        eq(appUser.status, 'active'),
        or(isNotNull(appUser.password_hash), exists(liveToken)),
      ),
    )
    .limit(1);
});

/** Whether an admin of the account can still get in: with a password, or with a live admin token. */
export async function hasAdmin(tx: Sql, accountId: string, nowMs: number): Promise<boolean> {
  return (await findAdmin(tx, { accountId, now: new Date(nowMs) })).length > 0;
}
