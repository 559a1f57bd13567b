/** Accounts and the tokens of their users. */
import type { Sql, SqlValue } from './database.ts';

export type Role = 'viewer' | 'editor' | 'admin';
/** What a token came from: made by an admin, or by signing in. */
export type TokenKind = 'api' | 'session';

export interface AccountRow {
  readonly id: string;
  readonly name: string;
  readonly created_at: Date;
}

export interface TokenRow {
  readonly id: string;
  readonly account_id: string;
  readonly user_id: string;
  readonly kind: TokenKind;
  readonly name: string;
  readonly role: Role;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
}

const TOKEN = 'id, account_id, user_id, kind, name, role, created_at, expires_at, revoked_at';

export function readAccounts(sql: Sql, ids: readonly string[]): Promise<AccountRow[]> {
  return sql.query<AccountRow>('select * from account where id = any($1::uuid[])', [ids]);
}

/** The oldest account: the one that the bootstrap token belongs to. */
export async function firstAccount(sql: Sql): Promise<AccountRow | undefined> {
  const rows = await sql.query<AccountRow>('select * from account order by created_at, id limit 1');
  return rows[0];
}

export function listAccounts(sql: Sql): Promise<AccountRow[]> {
  return sql.query<AccountRow>('select * from account order by id');
}

export async function findAccount(sql: Sql, name: string): Promise<AccountRow | undefined> {
  const rows = await sql.query<AccountRow>('select * from account where name = $1', [name]);
  return rows[0];
}

/** Undefined where the name is taken. */
export async function insertAccount(
  sql: Sql,
  account: { id: string; name: string; nowMs: number },
): Promise<AccountRow | undefined> {
  const rows = await sql.query<AccountRow>(
    'insert into account (id, name, created_at) values ($1, $2, $3) on conflict (name) do nothing returning *',
    [account.id, account.name, new Date(account.nowMs)],
  );
  return rows[0];
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

const INSERT_TOKEN = `insert into token (id, account_id, user_id, kind, name, role, hash, created_at, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

export async function insertToken(sql: Sql, token: NewToken): Promise<TokenRow | undefined> {
  const rows = await sql.query<TokenRow>(
    `${INSERT_TOKEN} on conflict (hash) do nothing returning ${TOKEN}`,
    valuesOf(token),
  );
  return rows[0];
}

function valuesOf(token: NewToken): SqlValue[] {
  const { id, accountId, userId, kind = 'api', name, role, hash } = token;
  const expiresAt = token.expiresAtMs === null ? null : new Date(token.expiresAtMs);
  return [id, accountId, userId, kind, name, role, hash, new Date(token.nowMs), expiresAt];
}

/**
 * Writes a token under its id. The same write again gives it the new hash: what the first one made was never shown,
 * or its answer would have been kept.
 */
export async function issueToken(sql: Sql, token: NewToken): Promise<TokenRow> {
  const [row] = await sql.query<TokenRow>(
    `${INSERT_TOKEN} on conflict (id) do update set hash = excluded.hash returning ${TOKEN}`,
    valuesOf(token),
  );
  return row as TokenRow;
}

/** A token with what decides about it: its user as the user is now. */
export interface FoundToken extends TokenRow {
  readonly user_role: Role;
  readonly user_status: 'active' | 'disabled';
}

export async function readToken(sql: Sql, accountId: string, id: string): Promise<TokenRow | undefined> {
  const rows = await sql.query<TokenRow>(`select ${TOKEN} from token where account_id = $1 and id = $2`, [
    accountId,
    id,
  ]);
  return rows[0];
}

export async function findToken(sql: Sql, hash: string): Promise<FoundToken | undefined> {
  const rows = await sql.query<FoundToken>(
    `select ${TOKEN.replaceAll(/(\w+)/g, 'token.$1')}, app_user.role as user_role, app_user.status as user_status
     from token join app_user on app_user.id = token.user_id where hash = $1`,
    [hash],
  );
  return rows[0];
}

/** One page of what admins made, newest first; sessions are not among them. */
export async function listTokens(
  sql: Sql,
  accountId: string,
  page: { limit: number; before: string | undefined },
): Promise<{ rows: TokenRow[]; total: number }> {
  const rows = await sql.query<TokenRow>(
    `select ${TOKEN} from token where account_id = $1 and kind = 'api' and ($2::uuid is null or id < $2)
     order by id desc limit $3`,
    [accountId, page.before ?? null, page.limit + 1],
  );
  const [count] = await sql.query<{ total: number }>(
    "select count(*)::int as total from token where account_id = $1 and kind = 'api'",
    [accountId],
  );
  return { rows, total: count?.total ?? 0 };
}

/** Lets one change of an account's users and tokens happen at a time, until the transaction ends. */
export async function holdAccess(tx: Sql, accountId: string): Promise<void> {
  await tx.query('select id from account where id = $1 for no key update', [accountId]);
}

/** Whether an admin of the account can still get in: with a password, or with a live admin token. */
export async function hasAdmin(tx: Sql, accountId: string, nowMs: number): Promise<boolean> {
  const rows = await tx.query(
    `select 1 from app_user where account_id = $1 and role = 'admin' and status = 'active'
       and (password_hash is not null or exists (
         select 1 from token where token.user_id = app_user.id and kind = 'api' and token.role = 'admin'
           and revoked_at is null and (expires_at is null or expires_at > $2)))
     limit 1`,
    [accountId, new Date(nowMs)],
  );
  return rows.length > 0;
}

/** The token as it was, or undefined where there is none to revoke. */
export async function revokeToken(
  sql: Sql,
  accountId: string,
  id: string,
  nowMs: number,
): Promise<TokenRow | undefined> {
  const rows = await sql.query<TokenRow>(
    `update token set revoked_at = $3 where account_id = $1 and id = $2 and kind = 'api' and revoked_at is null returning ${TOKEN}`,
    [accountId, id, new Date(nowMs)],
  );
  return rows[0];
}
