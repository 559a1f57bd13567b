/** Makes and changes the users of an account, each write together with its audit. */
import { Failure } from '../errors.ts';
import type { Ids } from '../ids.ts';
import { hasAdmin, holdAccess } from '../storage/accounts.ts';
import { writeAudit } from '../storage/audit.ts';
import type { Database, Sql } from '../storage/database.ts';
import type { Role } from '../storage/tokens.ts';
import {
  endSessions,
  findUser,
  insertUser,
  readUser,
  type UserRow,
  type UserStatus,
  updateUser,
} from '../storage/users.ts';
import type { Clock } from '../time.ts';
import { type Passwords, refuseEasyPassword } from './passwords.ts';
import type { Caller } from './tokens.ts';

/** Who writes, and the ids of what the write makes. */
export interface By {
  /** Without a token it is a command on the database. */
  readonly caller: Pick<Caller, 'accountId'> & { readonly tokenId: Caller['tokenId'] | null };
  readonly ids: Ids;
}

export interface UserRequest {
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly password?: string;
}

/** What is left out stays. */
export interface UserChangeRequest {
  readonly name?: string;
  readonly role?: Role;
  readonly status?: UserStatus;
  readonly password?: string;
}

export interface Users {
  /** Throws CONFLICT if the account has a user with this email. */
  readonly create: (by: By, user: UserRequest) => Promise<UserRow>;
  /** Throws NOT_FOUND, and CONFLICT if it would leave the account without an admin. */
  readonly change: (by: By, id: string, change: UserChangeRequest) => Promise<UserRow>;
}

/** Users on a database; `changed` is told when what a token may do has changed. */
export function createUsers(
  database: Database,
  clock: Clock,
  passwords: Passwords,
  changed: () => void,
): Users {
  return Object.freeze<Users>({
    create: async ({ caller, ids }, { email, name, role, password }) => {
      const { accountId, tokenId } = caller;
      const [id, auditId] = [ids.next(), ids.next()];
      if (password !== undefined) refuseEasyPassword(password, email);
      const passwordHash = password === undefined ? null : await passwords.hash(password);
      const nowMs = clock.now();
      return database.transaction(async (tx) => {
        const made = await insertUser(tx, { id, accountId, email, name, role, passwordHash, nowMs });
        const row = made ?? (await findUser(tx, accountId, email));
        // The same id: a repeat of this very write, whose answer was lost.
        if (row === undefined || row.id !== id) {
          const message = `There is already a user "${email}". Change that one, or choose another email.`;
          throw new Failure('CONFLICT', message, { problems: [{ pointer: '/email', message }] });
        }
        const entry = { id: auditId, accountId, tokenId, nowMs, subject: `users/${id}` };
        await writeAudit(tx, { ...entry, action: 'users.create', after: shownUser(row) });
        return row;
      });
    },
    change: async ({ caller, ids }, id, change) => {
      const { accountId, tokenId } = caller;
      const auditId = ids.next();
      const { password } = change;
      const known = await found(database, accountId, id);
      if (password !== undefined) refuseEasyPassword(password, known.email);
      const passwordHash = password === undefined ? undefined : await passwords.hash(password);
      const nowMs = clock.now();
      const after = await database.transaction(async (tx) => {
        await holdAccess(tx, accountId);
        const before = await found(tx, accountId, id);
        const hadAdmin = await hasAdmin(tx, accountId, nowMs);
        const { name = before.name, role = before.role, status = before.status } = change;
        const values = { name, role, status, ...(passwordHash !== undefined && { passwordHash }) };
        const row = (await updateUser(tx, accountId, id, values, nowMs)) ?? before;
        if (hadAdmin && !(await hasAdmin(tx, accountId, nowMs))) {
          throw new Failure(
            'CONFLICT',
            'This is the last admin who can get in; without one nobody could change this account any more. Make another admin with a password or a token first.',
          );
        }
        if (passwordHash !== undefined || status === 'disabled') await endSessions(tx, id, null, nowMs);
        const entry = { id: auditId, accountId, tokenId, nowMs, subject: `users/${id}` };
        await writeAudit(tx, {
          ...entry,
          action: 'users.update',
          before: shownUser(before),
          after: { ...shownUser(row), ...(passwordHash !== undefined && { passwordSet: true }) },
        });
        return row;
      });
      changed();
      return after;
    },
  });
}

async function found(sql: Sql, accountId: string, id: string): Promise<UserRow> {
  const row = await readUser(sql, accountId, id);
  if (row === undefined) throw new Failure('NOT_FOUND', 'There is no user with this id.');
  return row;
}

/** A user as answers and the audit show it: of the password only whether there is one. */
export function shownUser(row: UserRow) {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    role: row.role,
    status: row.status,
    hasPassword: row.password_hash !== null,
    lockedUntil: row.locked_until,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
