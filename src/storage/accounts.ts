/** Accounts and their tokens. */
import type { Sql } from './database.ts';

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
    [
      token.id,
      token.accountId,
      token.name,
      token.role,
      token.hash,
      new Date(token.nowMs),
      token.expiresAtMs === null ? null : new Date(token.expiresAtMs),
    ],
  );
  return rows[0];
}

export async function findToken(sql: Sql, hash: string): Promise<TokenRow | undefined> {
  const rows = await sql.query<TokenRow>(`select ${TOKEN} from token where hash = $1`, [hash]);
  return rows[0];
}

export function listTokens(sql: Sql, accountId: string): Promise<TokenRow[]> {
  return sql.query<TokenRow>(`select ${TOKEN} from token where account_id = $1 order by id desc`, [accountId]);
}

/** False where there is no such token to revoke. */
export async function revokeToken(sql: Sql, accountId: string, id: string, nowMs: number): Promise<boolean> {
  const rows = await sql.query(
    'update token set revoked_at = $3 where account_id = $1 and id = $2 and revoked_at is null returning id',
    [accountId, id, new Date(nowMs)],
  );
  return rows.length === 1;
}
