/** The user that every account begins with: an admin without a password, to whom bootstrap tokens belong. */
import { Failure } from '../errors.ts';
import type { Sql } from '../storage/database.ts';
import { findUser, insertUser, type UserRow } from '../storage/users.ts';

/** Its email; nobody receives mail there. */
export const FIRST_EMAIL = 'admin@localhost';

/** The first user of an account, made under `id` where there is none yet. */
export async function firstUser(sql: Sql, accountId: string, id: string, nowMs: number): Promise<UserRow> {
  const user = { id, accountId, email: FIRST_EMAIL, name: 'bootstrap', role: 'admin', nowMs } as const;
  const row =
    (await findUser(sql, accountId, FIRST_EMAIL)) ??
    (await insertUser(sql, { ...user, passwordHash: null })) ??
    (await findUser(sql, accountId, FIRST_EMAIL));
  if (row === undefined) throw new Failure('BUG', 'The first user of an account could not be made.');
  return row;
}
