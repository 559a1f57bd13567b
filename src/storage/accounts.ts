/** Accounts and their tokens. */
import type { Sql, SqlValue } from './database.ts';

export type Role = 'viewer' | 'editor' | 'admin';

export interface AccountRow {
  readonly id: string;
  readonly name: string;
  readonly created_at: Date;
}

export interface TokenRow {
  readonly id: string;
  readonly account_id: string;
  readonly name: string;
  readonly role: Role;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
}

const TOKEN = 'id, account_id, name, role, created_at, expires_at, revoked_at';

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
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the token, hex. */
  readonly hash: string;
  readonly nowMs: number;
  readonly expiresAtMs: number | null;
}

export async function insertToken(sql: Sql, token: NewToken): Promise<TokenRow | undefined> {
  const rows = await sql.query<TokenRow>(
    `insert into token (id, account_id, name, role, hash, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (hash) do nothing returning ${TOKEN}`,
    valuesOf(token),
  );
  return rows[0];
}

function valuesOf(token: NewToken): SqlValue[] {
  const expiresAt = token.expiresAtMs === null ? null : new Date(token.expiresAtMs);
  return [token.id, token.accountId, token.name, token.role, token.hash, new Date(token.nowMs), expiresAt];
}

/**
 * Writes a token under its id. The same write again gives it the new hash: what the first one made was never shown,
 * or its answer would have been kept.
 */
export async function issueToken(sql: Sql, token: NewToken): Promise<TokenRow> {
  const [row] = await sql.query<TokenRow>(
    `insert into token (id, account_id, name, role, hash, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (id) do update set hash = excluded.hash returning ${TOKEN}`,
    valuesOf(token),
  );
  return row as TokenRow;
}

export async function findToken(sql: Sql, hash: string): Promise<TokenRow | undefined> {
  const rows = await sql.query<TokenRow>(`select ${TOKEN} from token where hash = $1`, [hash]);
  return rows[0];
}

/** One page, newest first. */
export async function listTokens(
  sql: Sql,
  accountId: string,
  page: { limit: number; before: string | undefined },
): Promise<{ rows: TokenRow[]; total: number }> {
  const rows = await sql.query<TokenRow>(
    `select ${TOKEN} from token where account_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [accountId, page.before ?? null, page.limit + 1],
  );
  const [count] = await sql.query<{ total: number }>(
    'select count(*)::int as total from token where account_id = $1',
    [accountId],
  );
  return { rows, total: count?.total ?? 0 };
}

/** The tokens of an account that still open the door to an admin, held until the transaction ends. */
export function lockAdminTokens(tx: Sql, accountId: string, nowMs: number): Promise<TokenRow[]> {
  return tx.query<TokenRow>(
    `select ${TOKEN} from token where account_id = $1 and role = 'admin' and revoked_at is null
       and (expires_at is null or expires_at > $2) order by id for update`,
    [accountId, new Date(nowMs)],
  );
}

/** The token as it was, or undefined where there is none to revoke. */
export async function revokeToken(
  sql: Sql,
  accountId: string,
  id: string,
  nowMs: number,
): Promise<TokenRow | undefined> {
  const rows = await sql.query<TokenRow>(
    `update token set revoked_at = $3 where account_id = $1 and id = $2 and revoked_at is null returning ${TOKEN}`,
    [accountId, id, new Date(nowMs)],
  );
  return rows[0];
}
