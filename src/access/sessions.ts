/** Sessions: tokens that users get by signing in, with an expiry that slides while they are used. */
import { Failure } from '../errors.ts';
import type { Ids } from '../ids.ts';
import { writeAudit } from '../storage/audit.ts';
import type { Database, Sql } from '../storage/database.ts';
import { clearTries, countTry, countTryOf, endSession, type LockRule } from '../storage/sign-ins.ts';
import { issueToken } from '../storage/tokens.ts';
import { endSessions, type UserRow } from '../storage/users.ts';
import type { Clock } from '../time.ts';
import { type Passwords, refuseEasyPassword } from './passwords.ts';
import { SESSION_IDLE_MS } from './session-life.ts';
import { type Caller, hashToken, newToken } from './tokens.ts';

/** Shown once, to anyone who signed in. */
export interface Session {
  readonly id: string;
  readonly token: string;
  readonly expiresAtMs: number;
  readonly user: UserRow;
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
  /** Name of an account; needed where several have a user with this email. */
  readonly account?: string;
}

export interface Sessions {
  /** Throws SIGN_IN_REFUSED, in the same words and after the same work whatever is wrong. */
  readonly signIn: (given: Credentials, ids: Ids) => Promise<Session>;
  /** Ends the session of a caller. Throws WRONG_STATE if the caller's token is none. */
  readonly signOut: (caller: Caller, ids: Ids) => Promise<void>;
  /** Sets a caller's password and ends the other sessions. Throws REQUEST_INVALID. */
  readonly changePassword: (caller: Caller, current: string, password: string, ids: Ids) => Promise<void>;
}

const LOCK: LockRule = Object.freeze({ most: 10, lockMs: 900_000 });

/** Sessions on a database; `ended` is told when some stop, `locked` when a user was locked. */
export function createSessions(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  passwords: Passwords,
  ended: () => void,
  locked: (userId: string) => void,
): Sessions {
  /** Whether it is the password of the counted user. The work is the same where there is no user. */
  const isRight = async (user: UserRow | undefined, password: string): Promise<boolean> => {
    const right = await passwords.check(password, user?.password_hash ?? null);
    const isLocked = (user?.locked_until?.getTime() ?? 0) > clock.now();
    if (user !== undefined && !right && isLocked) locked(user.id);
    return right;
  };

  return Object.freeze<Sessions>({
    signIn: async ({ email, password, account }, ids) => {
      const user = await countTry(database, email, account, LOCK, clock.now());
      if (!(await isRight(user, password)) || user === undefined) throw refusedSignIn();
      const isOld = passwords.isOld(user.password_hash ?? '');
      const fresh = isOld ? await passwords.hash(password) : undefined;
      const nowMs = clock.now();
      return database.transaction(async (tx) => {
        const cleared = await clearTries(tx, user, fresh, nowMs);
        if (cleared === undefined) throw refusedSignIn();
        return openSession(tx, cleared, ids, nowMs, 'password');
      });
    },
    signOut: async ({ accountId, tokenId, userId }, ids) => {
      const nowMs = clock.now();
      const id = ids.next();
      await database.transaction(async (tx) => {
        if (!(await endSession(tx, tokenId, nowMs))) {
          throw new Failure(
            'WRONG_STATE',
            'This is a token and no session. Revoke it with DELETE /api/v1/tokens/{id}.',
          );
        }
        const subject = `users/${userId}`;
        await writeAudit(tx, { id, accountId, tokenId, userId, nowMs, subject, action: 'sessions.delete' });
      });
      ended();
    },
    changePassword: async ({ accountId, tokenId, userId }, current, password, ids) => {
      const id = ids.next();
      const user = await countTryOf(database, userId, LOCK, clock.now());
      if (!(await isRight(user, current)) || user === undefined) throw wrongCurrent();
      refuseEasyPassword(password, user.email);
      const fresh = await passwords.hash(password);
      const nowMs = clock.now();
      await database.transaction(async (tx) => {
        if ((await clearTries(tx, user, fresh, nowMs)) === undefined) throw wrongCurrent();
        await endSessions(tx, userId, tokenId, nowMs);
        const subject = `users/${userId}`;
        await writeAudit(tx, { id, accountId, tokenId, userId, nowMs, subject, action: 'users.password' });
      });
      ended();
    },
  });
}

/** Writes a session of a user whose identity is proven; `by` says how, for the audit. */
export async function openSession(
  tx: Sql,
  user: UserRow,
  ids: Ids,
  nowMs: number,
  by: 'password' | 'oidc',
): Promise<Session> {
  const [id, auditId] = [ids.next(), ids.next()];
  const token = newToken();
  const accountId = user.account_id;
  const expiresAtMs = nowMs + SESSION_IDLE_MS;
  await issueToken(tx, {
    id,
    accountId,
    userId: user.id,
    kind: 'session',
    name: by,
    // The session itself sets no limit: what counts is the role that the user has.
    role: 'admin',
    hash: hashToken(token),
    nowMs,
    expiresAtMs,
  });
  await writeAudit(tx, {
    id: auditId,
    accountId,
    tokenId: id,
    userId: user.id,
    action: 'sessions.create',
    subject: `users/${user.id}`,
    after: { by },
    nowMs,
  });
  return { id, token, expiresAtMs, user };
}

function refusedSignIn(): Failure {
  return new Failure(
    'SIGN_IN_REFUSED',
    'Email and password do not belong together, or too many wrong passwords were tried. Check them; where several accounts know the email, name the account; after ten wrong passwords wait 15 minutes, or ask an admin for a new one.',
  );
}

function wrongCurrent(): Failure {
  const message =
    'This is not your password, or too many wrong ones were tried. Try again in 15 minutes, or ask an admin to set one.';
  return new Failure('REQUEST_INVALID', message, { problems: [{ pointer: '/current', message }] });
}
