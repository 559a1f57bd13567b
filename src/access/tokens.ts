/** Tokens: shown once, kept as hashes. */
import { createHash, randomBytes } from 'node:crypto';
import { Failure } from '../errors.ts';
import type { Ids } from '../ids.ts';
import { firstAccount, insertAccount } from '../storage/accounts.ts';
import type { Database } from '../storage/database.ts';
import { type FoundToken, findToken, insertToken, type Role } from '../storage/tokens.ts';
import type { Clock } from '../time.ts';
import { firstUser } from './first-user.ts';
import { lowerRole } from './permissions.ts';
import { slide } from './session-life.ts';

/** Who asks: a token, and through it a user, an account and a role. */
export interface Caller {
  readonly tokenId: string;
  /** Counts of people count these, not tokens. */
  readonly userId: string;
  readonly accountId: string;
  /** The lower of the token's role and the one that its user has now. */
  readonly role: Role;
}

const PREFIX = 'slw_';
const FRESH_MS = 5_000;

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** A new token of 32 random bytes. */
export function newToken(): string {
  return PREFIX + randomBytes(32).toString('base64url');
}

export interface Tokens {
  /** The caller of an `Authorization` header; throws UNAUTHENTICATED. */
  readonly callerOf: (authorization: string | undefined) => Promise<Caller>;
  /** A revoked token must stop at once, and so must those of a user who was disabled. */
  readonly forget: () => void;
}

/** Looks tokens up, remembering them for a few seconds. */
export function createTokens(database: Database, clock: Clock): Tokens {
  const known = new Map<string, { at: number; row: Promise<FoundToken | undefined> }>();
  const read = (hash: string) => {
    const found = known.get(hash);
    if (found !== undefined && Math.abs(clock.now() - found.at) < FRESH_MS) return found.row;
    if (known.size > 10_000) known.clear();
    const row = findToken(database, hash).then((read) => read && slide(database, read, clock.now()));
    known.set(hash, { at: clock.now(), row });
    row.catch(() => known.delete(hash));
    return row;
  };
  return Object.freeze<Tokens>({
    callerOf: async (authorization) => {
      const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
      if (token === undefined) {
        throw new Failure('UNAUTHENTICATED', 'Send a token in the header "Authorization: Bearer <token>".');
      }
      const row = await read(hashToken(token));
      const nowMs = clock.now();
      if (
        row === undefined ||
        row.revoked_at !== null ||
        row.user_status !== 'active' ||
        (row.expires_at !== null && row.expires_at.getTime() <= nowMs)
      ) {
        throw new Failure(
          'UNAUTHENTICATED',
          'This token is unknown, revoked or expired, or its user was disabled. Ask an admin for a new one.',
        );
      }
      const role = lowerRole(row.role, row.user_role);
      return { tokenId: row.id, userId: row.user_id, accountId: row.account_id, role };
    },
    forget: () => known.clear(),
  });
}

/**
 * Makes sure that there is an account with a first user and a bootstrap token, all or nothing. Returns the token only to
 * the process that made it: of processes that start together on an empty database one does, and the others wait for it.
 */
export async function bootstrap(
  database: Database,
  clock: Clock,
  ids: Ids,
  given: string | undefined,
): Promise<{ accountId: string; made: string | undefined }> {
  const nowMs = clock.now();
  return database.transaction(async (tx) => {
    const existing = await firstAccount(tx);
    const inserted =
      existing === undefined ? await insertAccount(tx, { id: ids.next(), name: 'main', nowMs }) : undefined;
    const account = existing ?? inserted ?? (await firstAccount(tx));
    if (account === undefined) throw new Failure('BUG', 'The first account could not be made.');
    const user = await firstUser(tx, account.id, ids.next(), nowMs);
    const made = given === undefined && inserted !== undefined ? newToken() : undefined;
    const token = given ?? made;
    if (token !== undefined) {
      await insertToken(tx, {
        id: ids.next(),
        accountId: account.id,
        userId: user.id,
        name: 'bootstrap',
        role: 'admin',
        hash: hashToken(token),
        nowMs,
        expiresAtMs: null,
      });
    }
    return { accountId: account.id, made };
  });
}
