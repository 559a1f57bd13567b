/** Signing in at an identity provider, a real one on the loopback, over the guarded client. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createExternalSignIn, type ExternalSignIn } from '../../src/access/external-sign-in.ts';
import { createPasswords } from '../../src/access/passwords.ts';
import { createSessions } from '../../src/access/sessions.ts';
import { readConfig } from '../../src/config.ts';
import type { Runtime } from '../../src/flows/runtime.ts';
import { auditRoutes } from '../../src/http/routes/audit.ts';
import { meRoutes } from '../../src/http/routes/me.ts';
import { sessionRoutes } from '../../src/http/routes/sessions.ts';
import { userRoutes } from '../../src/http/routes/users.ts';
import { createAddressGuard } from '../../src/outside/address-guard.ts';
import { createHttpClient, type HttpClient } from '../../src/outside/http-client.ts';
import { createOidc } from '../../src/outside/oidc.ts';
import type { Role } from '../../src/storage/tokens.ts';
import { at, rowsOf, textAt } from '../support/answers.ts';
import { type Answer, type Api, openApi } from '../support/api.ts';
import { startEngine } from '../support/engine.ts';
import { failureOf } from '../support/failure-of.ts';
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type IdentityProvider,
  startIdentityProvider,
} from '../support/identity-provider.ts';

const REDIRECT = 'https://sluiceway.example.com/base/api/v1/sessions/oidc/callback';

let provider: IdentityProvider;
let http: HttpClient;
let api: Api;
/** The sign-in that the routes use, so that a test can set up another. */
let external: ExternalSignIn;
let runtime: Runtime;

function setUp(newUserRole?: Role, client: { secret?: string; http?: HttpClient } = {}): ExternalSignIn {
  const oidc = createOidc({
    issuer: provider.issuer,
    clientId: CLIENT_ID,
    clientSecret: client.secret ?? CLIENT_SECRET,
    redirect: REDIRECT,
    send: (request) => (client.http ?? http).send(request, 'oidc'),
    now: () => runtime.clock.now(),
  });
  return createExternalSignIn(runtime, oidc, { redirect: REDIRECT, newUserRole });
}

beforeAll(async () => {
  provider = await startIdentityProvider();
  http = createHttpClient({ guard: createAddressGuard(['127.0.0.0/8']), defaultConnections: 4 });
  api = await openApi(({ runtime: made, tokens }) => {
    runtime = made;
    const passwords = createPasswords({ memoryKib: 64, passes: 1 });
    const sessions = createSessions(runtime, passwords, tokens.forget, () => {});
    const current: ExternalSignIn = {
      redirect: REDIRECT,
      begin: (account) => external.begin(account),
      finish: (search, kept, ids) => external.finish(search, kept, ids),
    };
    return [
      ...sessionRoutes(sessions, current),
      ...meRoutes(runtime, sessions),
      ...userRoutes(runtime, tokens, passwords),
      ...auditRoutes(runtime),
    ];
  });
});
afterAll(async () => {
  await api.close();
  await http.close();
  await provider.close();
});
beforeEach(() => {
  external = setUp();
  Object.assign(provider.said, { claims: {}, userinfo: {}, wrongKey: false, secretInForm: false });
});

let made = 0;
async function newUser(token = api.token, email = `person${++made}@example.com`): Promise<string> {
  await api.call('POST /users', { token, json: { email, name: 'Person', role: 'editor' } });
  return email;
}
const verified = (email: string) => ({ email, email_verified: true });
const noToken = { authorization: '' };
const begin = (query = '') => api.call(`GET /sessions/oidc${query}`, { headers: noToken });
const cookieOf = (answer: Answer) => (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
const comeBack = (back: URL, cookie: string) =>
  api.call(`GET /sessions/oidc/callback${back.search}`, {
    headers: { ...noToken, cookie: `a=b; ${cookie}` },
  });

/** The whole way of a browser. */
async function signIn(query = ''): Promise<Answer> {
  const sent = await begin(query);
  if (sent.status !== 302) return sent;
  return comeBack(await provider.visit(sent.headers.get('location') ?? ''), cookieOf(sent));
}
function expectRefused(answer: Answer, detail: string): void {
  expect(at(answer.body, 'detail')).toContain(detail);
  expect(at(answer.body, 'code')).toBe('SIGN_IN_REFUSED');
  expect(answer.status).toBe(401);
}

describe('signing in at an identity provider', () => {
  it('finds the user by the verified email and gives a session', async () => {
    const email = await newUser();
    provider.said.claims = verified(email.toUpperCase());
    const answer = await signIn();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toMatchObject({ user: { email, role: 'editor' } });
    const me = await api.call('GET /me', { token: textAt(answer, 'token') });
    expect(me.body).toMatchObject({ user: { email }, token: { kind: 'session', name: 'oidc' } });
    expect(rowsOf(await api.call('GET /audit?limit=1'))[0]).toMatchObject({
      action: 'sessions.create',
      after: { by: 'oidc' },
    });
  });

  it('sends the browser with state, nonce and a challenge, and keeps what belongs to them where it cannot be read', async () => {
    const answer = await begin();
    const url = new URL(answer.headers.get('location') ?? '');
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: CLIENT_ID,
      redirect_uri: REDIRECT,
      response_type: 'code',
      scope: 'openid email profile',
      code_challenge_method: 'S256',
    });
    const set = answer.headers.get('set-cookie') ?? '';
    expect(set).toContain(
      '; Path=/base/api/v1/sessions/oidc/callback; Max-Age=600; HttpOnly; SameSite=Lax; Secure',
    );
    const readable = Buffer.from(cookieOf(answer).split('=')[1] ?? '', 'base64url').toString('utf8');
    for (const name of ['state', 'nonce']) {
      const value = url.searchParams.get(name) ?? '';
      expect(value.length).toBeGreaterThan(20);
      expect(readable).not.toContain(value);
    }
  });

  it('gives its secret in the form to a provider that takes it there', async () => {
    const email = await newUser();
    Object.assign(provider.said, { claims: verified(email), secretInForm: true });
    expect((await signIn()).body).toMatchObject({ user: { email } });
  });

  it('asks the userinfo endpoint where the ID token names no email', async () => {
    const email = await newUser();
    provider.said.userinfo = verified(email);
    expect((await signIn()).body).toMatchObject({ user: { email } });
    expect(provider.asked).toContain('/userinfo');
  });

  it.each([
    [
      'an email that is not verified',
      () => ({ claims: { email: 'person1@example.com', email_verified: false } }),
    ],
    ['an email of which it is not said', () => ({ claims: { email: 'person1@example.com' } })],
    [
      'an email verified in text only',
      () => ({ claims: { email: 'person1@example.com', email_verified: 'true' } }),
    ],
    ['no email', () => ({})],
    ['letters that look like others', () => ({ claims: verified('perſon1@example.com') })],
  ])('refuses %s', async (_what, said) => {
    await newUser(api.token, 'person1@example.com');
    Object.assign(provider.said, said());
    expectRefused(await signIn(), 'no verified email');
  });

  it.each([
    ['another nonce', () => ({ claims: { ...verified('person1@example.com'), nonce: 'another' } })],
    ['another audience', () => ({ claims: { ...verified('person1@example.com'), aud: 'another' } })],
    [
      'another issuer',
      () => ({ claims: { ...verified('person1@example.com'), iss: 'https://example.com' } }),
    ],
    ['a time that is over', () => ({ claims: { ...verified('person1@example.com'), exp: 1_000 } })],
    ['a key that is not published', () => ({ claims: verified('person1@example.com'), wrongKey: true })],
  ])('refuses an ID token with %s', async (_what, said) => {
    await newUser(api.token, 'person1@example.com');
    Object.assign(provider.said, said());
    expectRefused(await signIn(), 'did not confirm this sign-in');
  });

  it('refuses a way back that was not begun in this browser, or with another state, or twice, or too late', async () => {
    provider.said.claims = verified(await newUser());
    const [one, two] = [await begin(), await begin()];
    const back = await provider.visit(one.headers.get('location') ?? '');
    expectRefused(await comeBack(back, ''), 'not begun in this browser');
    expectRefused(await comeBack(back, 'sluiceway_oidc=eyJhIjoxfQ'), 'not begun in this browser');
    expectRefused(await comeBack(back, cookieOf(two)), 'did not confirm this sign-in');
    expect((await comeBack(back, cookieOf(one))).status).toBe(200);
    expectRefused(await comeBack(back, cookieOf(one)), 'invalid_grant');
    const late = await begin();
    const lateBack = await provider.visit(late.headers.get('location') ?? '');
    api.pass(600_000);
    expectRefused(await comeBack(lateBack, cookieOf(late)), 'more than ten minutes ago');
  });

  it('takes a secret of another use for no attempt of ours', async () => {
    const sealed = runtime.vault.seal({ state: 's', nonce: 'n', verifier: 'v', expiresMs: 9e15 }, 'now');
    const kept = Buffer.from(JSON.stringify(sealed)).toString('base64url');
    const answer = await comeBack(new URL(`${REDIRECT}?code=x&state=s`), `sluiceway_oidc=${kept}`);
    expectRefused(answer, 'not begun in this browser');
  });

  it('says why where the provider, or the person there, refused', async () => {
    const sent = await begin();
    const state = new URL(sent.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const back = new URL(`${REDIRECT}?error=access_denied&error_description=<b>no</b>&state=${state}`);
    const answer = await comeBack(back, cookieOf(sent));
    expectRefused(answer, 'access_denied');
    expect(answer.text).not.toContain('<b>');
    external = setUp(undefined, { secret: 'wrong' });
    const refused = await signIn();
    expectRefused(refused, 'invalid_client');
    expect(refused.text).not.toContain('wrong');
  });

  it('makes nobody, and lets no disabled user in', async () => {
    provider.said.claims = verified('stranger@example.com');
    expectRefused(await signIn(), 'no active user with the email stranger@example.com');
    const email = await newUser();
    const [row] = rowsOf(await api.call('GET /users?limit=1'));
    await api.call(`DELETE /users/${row?.id}`);
    provider.said.claims = verified(email);
    external = setUp('admin');
    expectRefused(await signIn(), 'no active user');
  });

  it('makes a user with the role of the settings, in the first account only', async () => {
    external = setUp('viewer');
    await api.otherAccount('guarded');
    provider.said.claims = { ...verified('new@example.com'), name: 'New Person' };
    expectRefused(await signIn('?account=guarded'), 'no active user');
    const answer = await signIn();
    expect(answer.body).toMatchObject({
      user: { email: 'new@example.com', name: 'New Person', role: 'viewer', hasPassword: false },
    });
    const again = await signIn('?account=main');
    expect(textAt(again, 'user.id')).toBe(textAt(answer, 'user.id'));
    const entries = rowsOf(await api.call('GET /audit?limit=100'));
    expect(entries.filter((entry) => entry.action === 'users.create' && entry.tokenId === null)).toHaveLength(
      1,
    );
  });

  it('asks for the account where several know the email', async () => {
    const email = await newUser();
    const admin = await api.tokenOf('admin', await api.otherAccount('second'));
    await newUser(admin, email);
    provider.said.claims = verified(email);
    expectRefused(await signIn(), 'Several accounts know');
    const answer = await signIn('?account=second');
    const me = await api.call('GET /me', { token: textAt(answer, 'token') });
    expect(at(me.body, 'account.name')).toBe('second');
  });

  it('reaches no address that the guard forbids', async () => {
    const guarded = createHttpClient({ guard: createAddressGuard([]), defaultConnections: 4 });
    const before = provider.asked.length;
    external = setUp(undefined, { http: guarded });
    const answer = await begin();
    expect(at(answer.body, 'code')).toBe('ADDRESS_FORBIDDEN');
    expect(provider.asked).toHaveLength(before);
    await guarded.close();
    expect(api.errors).toEqual([]);
  });

  it('tries again after the provider could not be asked', async () => {
    let isDown = true;
    const flaky: HttpClient = {
      ...http,
      send: (request, lane) =>
        http.send(isDown ? { ...request, url: `${provider.issuer}/nothing` } : request, lane),
    };
    external = setUp(undefined, { http: flaky });
    const failed = await begin();
    expect(failed.status).toBe(502);
    expect(at(failed.body, 'detail')).toContain('SLUICEWAY_OIDC_ISSUER');
    isDown = false;
    expect((await begin()).status).toBe(302);
  });
});

describe('the settings', () => {
  const settings = {
    SLUICEWAY_OIDC_ISSUER: 'https://id.example.com',
    SLUICEWAY_OIDC_CLIENT_ID: 'x',
    SLUICEWAY_PUBLIC_URL: 'https://sluiceway.example.com/base/',
  };

  it('say where the provider sends the browser back to', () => {
    expect(readConfig(settings).oidc).toMatchObject({ redirect: REDIRECT, newUserRole: undefined });
    expect(readConfig({}).oidc).toBeUndefined();
  });

  it.each([
    ['an issuer that anybody on the way can play', { SLUICEWAY_OIDC_ISSUER: 'http://id.example.com' }],
    ['no client', { SLUICEWAY_OIDC_CLIENT_ID: '' }],
    ['no address of ours', { SLUICEWAY_PUBLIC_URL: '' }],
    ['a role that is not known', { SLUICEWAY_OIDC_ROLE: 'owner' }],
    ['no issuer', { SLUICEWAY_OIDC_ISSUER: '' }],
  ])('refuse %s', async (_what, more) => {
    expect((await failureOf(() => readConfig({ ...settings, ...more }))).code).toBe('SETTINGS_INVALID');
  });

  it('open the way in a whole process', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluiceway-oidc-'));
    const engine = await startEngine({
      SLUICEWAY_DATA: folder,
      SLUICEWAY_ALLOW_ADDRESSES: '127.0.0.0/8',
      SLUICEWAY_PUBLIC_URL: 'http://127.0.0.1:1',
      SLUICEWAY_OIDC_ISSUER: provider.issuer,
      SLUICEWAY_OIDC_CLIENT_ID: CLIENT_ID,
      SLUICEWAY_OIDC_CLIENT_SECRET: CLIENT_SECRET,
      SLUICEWAY_OIDC_ROLE: 'editor',
    });
    try {
      provider.said.claims = verified('whole@example.com');
      const sent = await fetch(`${engine.url}/api/v1/sessions/oidc`, { redirect: 'manual' });
      const back = await provider.visit(sent.headers.get('location') ?? '');
      expect(back.origin).toBe('http://127.0.0.1:1');
      const cookie = (sent.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
      const answer = await fetch(engine.url + back.pathname + back.search, { headers: { cookie } });
      expect(await answer.json()).toMatchObject({ user: { email: 'whole@example.com', role: 'editor' } });
      expect(engine.errors()).not.toContain(CLIENT_SECRET);
    } finally {
      await engine.end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    }
  });
});
