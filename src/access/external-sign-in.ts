/** Signing in at an identity provider (OpenID Connect): its verified email finds the user. */
import { Failure } from '../errors.ts';
import type { Ids } from '../ids.ts';
import { own } from '../json.ts';
import { firstAccount } from '../storage/accounts.ts';
import { writeAudit } from '../storage/audit.ts';
import type { Database, Sql } from '../storage/database.ts';
import type { Role } from '../storage/tokens.ts';
import { findByEmail, insertUser, type UserRow } from '../storage/users.ts';
import { type Clock, isoTime } from '../time.ts';
import { openSession, type Session } from './sessions.ts';
import { shownUser } from './users.ts';
import { isSealed, type Vault } from './vault.ts';

/** What must come back unchanged from the provider, and what only we know. */
export interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** Who the provider says it is. */
export interface Identity {
  readonly email: string | undefined;
  readonly emailVerified: boolean;
  readonly name: string | undefined;
}

/** The provider, as this folder needs it. */
export interface Issuer {
  readonly begin: () => Promise<Attempt & { readonly url: string }>;
  /** `search` is the query with which the browser came back. Throws SIGN_IN_REFUSED and AUTH_FAILED. */
  readonly finish: (search: string, attempt: Attempt) => Promise<Identity>;
}

export interface ExternalSignIn {
  /** Where the provider sends the browser back to. */
  readonly redirect: string;
  /** Where to send the browser, and what it must bring along when it comes back: a text that it cannot read. */
  readonly begin: (account: string | undefined) => Promise<{ readonly url: string; readonly kept: string }>;
  /** Throws SIGN_IN_REFUSED, AUTH_FAILED and what requests throw. */
  readonly finish: (search: string, kept: string | undefined, ids: Ids) => Promise<Session>;
}

export interface ExternalOptions {
  readonly redirect: string;
  /** Role of users who are not known yet, in the first account; without it nobody is made. */
  readonly newUserRole: Role | undefined;
}

const ATTEMPT_MS = 600_000;
const EMAIL = /^[!-?A-~]+@[!-?A-~]+$/;

/** Signing in at one provider. */
export function createExternalSignIn(
  deps: { readonly database: Database; readonly clock: Clock; readonly vault: Vault },
  issuer: Issuer,
  { redirect, newUserRole }: ExternalOptions,
): ExternalSignIn {
  const { database, clock, vault } = deps;
  return Object.freeze<ExternalSignIn>({
    redirect,
    begin: async (account) => {
      const { url, ...attempt } = await issuer.begin();
      const expiresMs = clock.now() + ATTEMPT_MS;
      const sealed = vault.seal({ ...attempt, account, expiresMs, use: 'oidc' }, isoTime(clock.now()));
      return { url, kept: Buffer.from(JSON.stringify(sealed)).toString('base64url') };
    },
    finish: async (search, kept, ids) => {
      const { attempt, account } = openAttempt(vault, kept, clock.now());
      const { email, emailVerified, name } = await issuer.finish(search, attempt);
      if (email === undefined || !emailVerified || !EMAIL.test(email)) {
        throw refusal('The provider gave no verified email. Verify it there, then sign in again.');
      }
      const nowMs = clock.now();
      return database.transaction(async (tx) => {
        const known = await findByEmail(tx, email, account);
        const active = known.filter((user) => user.status === 'active');
        if (active.length > 1) {
          throw refusal(`Several accounts know ${email}. Name one: /api/v1/sessions/oidc?account=<name>.`);
        }
        const user =
          active[0] ??
          (known.length === 0
            ? await makeUser(tx, { email, name, account, role: newUserRole }, ids, nowMs)
            : undefined);
        if (user === undefined) {
          throw refusal(`There is no active user with the email ${email} here. Ask an admin for one.`);
        }
        return openSession(tx, user, ids, nowMs, 'oidc');
      });
    },
  });
}

interface Stranger {
  readonly email: string;
  readonly name: string | undefined;
  readonly account: string | undefined;
  readonly role: Role | undefined;
}

/** Strangers come into the first account only: a name in an address must not open the others. */
async function makeUser(
  tx: Sql,
  { email, name, account, role }: Stranger,
  ids: Ids,
  nowMs: number,
): Promise<UserRow | undefined> {
  const first = role === undefined ? undefined : await firstAccount(tx);
  if (role === undefined || first === undefined) return undefined;
  if (account !== undefined && account !== first.name) return undefined;
  const id = ids.next();
  const named = { id, accountId: first.id, email: email.slice(0, 254), name: (name ?? email).slice(0, 255) };
  const user = await insertUser(tx, { ...named, role, passwordHash: null, nowMs });
  if (user === undefined) return undefined;
  await writeAudit(tx, {
    id: ids.next(),
    accountId: first.id,
    tokenId: null,
    userId: id,
    action: 'users.create',
    subject: `users/${id}`,
    after: shownUser(user),
    nowMs,
  });
  return user;
}

function openAttempt(
  vault: Vault,
  kept: string | undefined,
  nowMs: number,
): { attempt: Attempt; account: string | undefined } {
  const opened = opens(vault, kept ?? '');
  const [state, nonce, verifier, account] = ['state', 'nonce', 'verifier', 'account'].map((name) => {
    const value = own(opened, name);
    return typeof value === 'string' ? value : undefined;
  });
  const isOurs = own(opened, 'use') === 'oidc' && Number(own(opened, 'expiresMs')) > nowMs;
  if (!isOurs || state === undefined || nonce === undefined || verifier === undefined) {
    throw refusal(
      'This sign-in was not begun in this browser, or more than ten minutes ago. Begin again at /api/v1/sessions/oidc.',
    );
  }
  return { attempt: { state, nonce, verifier }, account };
}

/** What was sealed, or undefined for anything else. */
function opens(vault: Vault, kept: string): unknown {
  try {
    const sealed: unknown = JSON.parse(Buffer.from(kept, 'base64url').toString('utf8'));
    return isSealed(sealed) ? vault.open(sealed) : undefined;
  } catch {
    return undefined;
  }
}

function refusal(message: string): Failure {
  return new Failure('SIGN_IN_REFUSED', message);
}
