/** The tokens of users. What is stored is the hash of a token, which no row that is returned has. */
import type { Sql } from './database.ts';
import { and, count, desc, eq, getTableColumns, isNull } from './drizzle.ts';
import { excluded } from './expressions.ts';
import { isBefore, type PageRequest, type PageRows, pageValues, totalOf } from './page.ts';
import { appUser, token } from './schema.ts';
import { builder, type Given, type Row, rowsOf, statement } from './statement.ts';

export type TokenRow = Omit<Row<typeof token>, 'hash'>;
/** What a token may do: that of its user at most. */
export type Role = TokenRow['role'];
/** What a token came from: made by an admin, or by signing in. */
export type TokenKind = TokenRow['kind'];

function shown() {
  const { hash: _hash, ...columns } = getTableColumns(token);
  return columns;
}

export interface NewToken {
  readonly id: string;
  readonly accountId: string;
  readonly userId: string;
  readonly kind?: TokenKind;
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the token, hex. */
  readonly hash: string;
  readonly nowMs: number;
  readonly expiresAtMs: number | null;
}

function insertion(made: NewToken) {
  const { id, kind = 'api', name, role, hash, expiresAtMs } = made;
  return builder()
    .insert(token)
    .values({
      ...{ id, kind, name, role, hash },
      account_id: made.accountId,
      user_id: made.userId,
      created_at: new Date(made.nowMs),
      expires_at: expiresAtMs === null ? null : new Date(expiresAtMs),
    });
}

/** Makes a token; undefined if its hash is there already. */
export async function insertToken(to: Sql, made: NewToken): Promise<TokenRow | undefined> {
  const insert = insertion(made).onConflictDoNothing({ target: token.hash }).returning(shown());
  const [row] = await rowsOf(to, insert);
  return row;
}

/**
 * Writes a token under its id. The same write again gives it the new hash: what the first one made was never shown,
 * or its answer would have been stored.
 */
export async function issueToken(to: Sql, made: NewToken): Promise<TokenRow> {
  const insert = insertion(made)
    .onConflictDoUpdate({ target: token.id, set: { hash: excluded(token.hash) } })
    .returning(shown());
  const [row] = await rowsOf(to, insert);
  return row as TokenRow;
}

const selectById = statement((db, given: Given<{ accountId: string; id: string }>) =>
  db
    .select(shown())
    .from(token)
    .where(and(eq(token.account_id, given.accountId), eq(token.id, given.id))),
);

/** Returns a token of an account. */
export async function readToken(to: Sql, accountId: string, id: string): Promise<TokenRow | undefined> {
  const [row] = await selectById(to, { accountId, id });
  return row;
}

/** A token with what decides about it: its user as the user is now. */
export type FoundToken = TokenRow & {
  readonly user_role: Row<typeof appUser>['role'];
  readonly user_status: Row<typeof appUser>['status'];
};

const selectByHash = statement((db, given: Given<{ hash: string }>) =>
  db
    .select({ ...shown(), user_role: appUser.role, user_status: appUser.status })
    .from(token)
    .innerJoin(appUser, eq(appUser.id, token.user_id))
    .where(eq(token.hash, given.hash)),
);

/** Returns the token with this hash, with its user. */
export async function findToken(to: Sql, hash: string): Promise<FoundToken | undefined> {
  const [row] = await selectByHash(to, { hash });
  return row;
}

const selectPage = statement(
  (db, given: Given<{ accountId: string; before: string | null; limit: number }>) =>
    db
      .select(shown())
      .from(token)
      .where(
        and(eq(token.account_id, given.accountId), eq(token.kind, 'api'), isBefore(token.id, given.before)),
      )
      .orderBy(desc(token.id))
      .limit(given.limit),
);

const countAll = statement((db, given: Given<{ accountId: string }>) =>
  db
    .select({ total: count() })
    .from(token)
    .where(and(eq(token.account_id, given.accountId), eq(token.kind, 'api'))),
);

/** Returns one page of what admins made, newest first; sessions are not among them. */
export async function listTokens(to: Sql, accountId: string, page: PageRequest): Promise<PageRows<TokenRow>> {
  const rows = await selectPage(to, { accountId, ...pageValues(page) });
  return { rows, total: totalOf(await countAll(to, { accountId })) };
}

const revoke = statement((db, given: Given<{ accountId: string; id: string; now: Date }>) =>
  db
    .update(token)
    .set({ revoked_at: given.now })
    .where(
      and(
        eq(token.account_id, given.accountId),
        eq(token.id, given.id),
        eq(token.kind, 'api'),
        isNull(token.revoked_at),
      ),
    )
    .returning(shown()),
);

/** Revokes a token and returns it; undefined if there is none to revoke. */
export async function revokeToken(
  to: Sql,
  accountId: string,
  id: string,
  nowMs: number,
): Promise<TokenRow | undefined> {
  const [row] = await revoke(to, { accountId, id, now: new Date(nowMs) });
  return row;
}
