/** Users of accounts. */
import type { Role } from './accounts.ts';
import type { Sql } from './database.ts';

export type UserStatus = 'active' | 'disabled';

export interface UserRow {
  readonly id: string;
  readonly account_id: string;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly password_hash: string | null;
  readonly status: UserStatus;
  readonly locked_until: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const USER = 'id, account_id, email, name, role, password_hash, status, locked_until, created_at, updated_at';

export interface NewUser {
  readonly id: string;
  readonly accountId: string;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly passwordHash: string | null;
  readonly nowMs: number;
}

/** Undefined where the account has a user with this email. */
export async function insertUser(sql: Sql, user: NewUser): Promise<UserRow | undefined> {
  const rows = await sql.query<UserRow>(
    `insert into app_user (id, account_id, email, name, role, password_hash, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict do nothing returning ${USER}`,
    [user.id, user.accountId, user.email, user.name, user.role, user.passwordHash, new Date(user.nowMs)],
  );
  return rows[0];
}

export async function readUser(sql: Sql, accountId: string, id: string): Promise<UserRow | undefined> {
  const rows = await sql.query<UserRow>(`select ${USER} from app_user where account_id = $1 and id = $2`, [
    accountId,
    id,
  ]);
  return rows[0];
}

/** The user of an account with this email, however it is capitalised. */
export async function findUser(sql: Sql, accountId: string, email: string): Promise<UserRow | undefined> {
  const rows = await sql.query<UserRow>(
    `select ${USER} from app_user where account_id = $1 and lower(email) = lower($2)`,
    [accountId, email],
  );
  return rows[0];
}

/** The users with this email, of the account with this name or of all. */
export function findByEmail(sql: Sql, email: string, account: string | undefined): Promise<UserRow[]> {
  return sql.query<UserRow>(
    `select ${USER} from app_user where lower(email) = lower($1)
       and ($2::text is null or account_id = (select account.id from account where account.name = $2)) order by id`,
    [email, account ?? null],
  );
}

/** One page, newest first. */
export async function listUsers(
  sql: Sql,
  accountId: string,
  page: { limit: number; before: string | undefined },
): Promise<{ rows: UserRow[]; total: number }> {
  const rows = await sql.query<UserRow>(
    `select ${USER} from app_user where account_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [accountId, page.before ?? null, page.limit + 1],
  );
  const [count] = await sql.query<{ total: number }>(
    'select count(*)::int as total from app_user where account_id = $1',
    [accountId],
  );
  return { rows, total: count?.total ?? 0 };
}

export interface UserChange {
  readonly name: string;
  readonly role: Role;
  readonly status: UserStatus;
  /** Left out: the password stays, and with it the count of wrong ones. */
  readonly passwordHash?: string;
}

/** Writes what an admin may change; a new password opens the lock. */
export async function updateUser(
  sql: Sql,
  accountId: string,
  id: string,
  change: UserChange,
  nowMs: number,
): Promise<UserRow | undefined> {
  const rows = await sql.query<UserRow>(
    `update app_user set name = $3, role = $4, status = $5, password_hash = coalesce($6, password_hash),
       failed_sign_ins = case when $6::text is null then failed_sign_ins else 0 end,
       locked_until = case when $6::text is null then locked_until end, updated_at = $7
     where account_id = $1 and id = $2 returning ${USER}`,
    [accountId, id, change.name, change.role, change.status, change.passwordHash ?? null, new Date(nowMs)],
  );
  return rows[0];
}

/** Ends the sessions of a user, except one. */
export async function endSessions(
  sql: Sql,
  userId: string,
  except: string | null,
  nowMs: number,
): Promise<void> {
  await sql.query(
    `update token set revoked_at = $3 where user_id = $1 and kind = 'session' and revoked_at is null
       and ($2::uuid is null or id <> $2)`,
    [userId, except, new Date(nowMs)],
  );
}
