/** Sessions: signing in, with a password or at an identity provider, and signing out. */
import type { ExternalSignIn } from '../../access/external-sign-in.ts';
import type { Session, Sessions } from '../../access/sessions.ts';
import { shownUser } from '../../access/users.ts';
import { Failure } from '../../errors.ts';
import { isoTime } from '../../time.ts';
import { type ApiAnswer, openRoute, type Route, route } from '../route.ts';
import { objectSchema, text, time, uuid } from '../schemas.ts';
import { shownUserSchema } from './users.ts';

interface SignInRequest {
  readonly email: string;
  readonly password: string;
  readonly account?: string;
}

const COOKIE = 'sluiceway_oidc';
const account = text('Name of the account; needed where several accounts know the email.', {
  minLength: 1,
  maxLength: 255,
});
const made = {
  description: 'The session. Its token is used like every other one, and stands nowhere else.',
  schema: objectSchema({
    id: uuid,
    token: text('Shown once.'),
    expiresAt: { ...time, description: 'Moves on while the session is used, up to a week in all.' },
    user: shownUserSchema,
  }),
};

/** Routes of sessions; without `external` nobody signs in at an identity provider. */
export function sessionRoutes(sessions: Sessions, external: ExternalSignIn | undefined): Route[] {
  const provider = (): ExternalSignIn => {
    if (external !== undefined) return external;
    throw new Failure(
      'NOT_FOUND',
      'Nobody signs in at an identity provider here; an operator sets it up with SLUICEWAY_OIDC_ISSUER.',
    );
  };
  return [
    openRoute<SignInRequest>({
      method: 'POST',
      path: '/sessions',
      tag: 'sessions',
      summary: 'Sign in with email and password. Ten wrong passwords in a row lock the user for 15 minutes.',
      // Anybody may ask, so nobody gets room for more than this.
      maxBytes: 16_384,
      body: objectSchema(
        {
          email: text('The email of the user.', { minLength: 1, maxLength: 254 }),
          password: text('The password of the user.', { minLength: 1, maxLength: 256 }),
          account,
        },
        ['email', 'password'],
      ),
      answers: { 201: made },
      run: async ({ body, ids }) => {
        return answerOf(201, await sessions.signIn(body, ids));
      },
    }),
    route({
      method: 'DELETE',
      path: '/sessions/current',
      action: 'read',
      tag: 'sessions',
      summary: 'Sign out: end the session whose token is used.',
      answers: { 204: { description: 'The session has ended.' } },
      run: async ({ caller, ids }) => {
        await sessions.signOut(caller, ids);
        return { status: 204 };
      },
    }),
    openRoute({
      method: 'GET',
      path: '/sessions/oidc',
      tag: 'sessions',
      summary: 'Sign in at the identity provider (OpenID Connect); for browsers.',
      query: { account },
      answers: { 302: { description: 'On to the identity provider.' } },
      run: async ({ query }) => {
        const { redirect, begin } = provider();
        const { url, kept } = await begin(typeof query.account === 'string' ? query.account : undefined);
        return {
          status: 302,
          headers: { location: url, 'set-cookie': cookie(redirect, kept, 600), 'cache-control': 'no-store' },
        };
      },
    }),
    openRoute({
      method: 'GET',
      path: '/sessions/oidc/callback',
      tag: 'sessions',
      summary: 'Where the identity provider sends the browser back to.',
      anyQuery: true,
      answers: { 200: made },
      run: async ({ raw, ids }) => {
        const { redirect, finish } = provider();
        const session = await finish(new URL(raw.url).search, cookieIn(raw.headers.get('cookie')), ids);
        return answerOf(200, session, { 'set-cookie': cookie(redirect, '', 0) });
      },
    }),
  ];
}

function answerOf(
  status: number,
  session: Session,
  headers: Readonly<Record<string, string>> = {},
): ApiAnswer {
  const { id, token, expiresAtMs, user } = session;
  const body = { id, token, expiresAt: isoTime(expiresAtMs), user: shownUser(user) };
  return { status, body, headers: { ...headers, 'cache-control': 'no-store' } };
}

/** Lax, because the browser comes back from another site; for the way back only. */
function cookie(redirect: string, value: string, seconds: number): string {
  const { pathname, protocol } = new URL(redirect);
  const secure = protocol === 'https:' ? '; Secure' : '';
  return `${COOKIE}=${value}; Path=${pathname}; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
}

function cookieIn(header: string | null): string | undefined {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
}
