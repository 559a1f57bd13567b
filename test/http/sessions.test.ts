import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPasswords, type PasswordCost, type Passwords } from '../../src/access/passwords.ts';
import { createSessions, type Sessions } from '../../src/access/sessions.ts';
import { auditRoutes } from '../../src/http/routes/audit.ts';
import { meRoutes } from '../../src/http/routes/me.ts';
import { sessionRoutes } from '../../src/http/routes/sessions.ts';
import { tokenRoutes } from '../../src/http/routes/tokens.ts';
import { userRoutes } from '../../src/http/routes/users.ts';
import { dropOld } from '../../src/storage/retention.ts';
import { at, pointersOf, rowsOf, textAt } from '../support/answers.ts';
import { type Api, openApi } from '../support/api.ts';

const HOUR_MS = 3_600_000;
const PASSWORD = 'correct horse battery';

/** What was compared with what, so that answers can be held to the same work. */
const checked: (string | null)[] = [];
const lockedUsers: string[] = [];
function watched(cost: PasswordCost): Passwords {
  const passwords = createPasswords(cost);
  return {
    ...passwords,
    check: (password, kept) => {
      checked.push(kept);
      return passwords.check(password, kept);
    },
  };
}

let api: Api;
let dearer: Sessions;
beforeAll(async () => {
  api = await openApi(({ runtime, tokens }) => {
    const passwords = watched({ memoryKib: 64, passes: 1 });
    const locked = (user: string) => lockedUsers.push(user);
    const sessions = createSessions(runtime, passwords, tokens.forget, locked);
    dearer = createSessions(runtime, watched({ memoryKib: 128, passes: 2 }), tokens.forget, () => {});
    return [
      ...sessionRoutes(sessions, undefined),
      ...meRoutes(runtime, sessions),
      ...userRoutes(runtime, tokens, passwords),
      ...tokenRoutes(runtime, tokens),
      ...auditRoutes(runtime),
    ];
  });
});
afterAll(() => api.close());

let made = 0;
async function newUser(more: object = {}, token = api.token): Promise<{ id: string; email: string }> {
  made += 1;
  const email = `person${made}@example.com`;
  const json = { email, name: 'Person', role: 'editor', password: PASSWORD, ...more };
  return { id: textAt(await api.call('POST /users', { json, token }), 'id'), email };
}
const noToken = { authorization: '' };
const signIn = (email: string, password = PASSWORD, more: object = {}) =>
  api.call('POST /sessions', { json: { email, password, ...more }, headers: noToken });
const session = async (email: string, password = PASSWORD) => textAt(await signIn(email, password), 'token');
const statusOf = async (request: string, token: string) => (await api.call(request, { token })).status;

describe('signing in', () => {
  it('gives a session, whose token works and stands nowhere in the database', async () => {
    const { id, email } = await newUser();
    const answer = await signIn(email.toUpperCase());
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toMatchObject({ user: { id, email, role: 'editor' } });
    const token = textAt(answer, 'token');
    const me = await api.call('GET /me', { token });
    expect(me.body).toMatchObject({
      user: { id, hasPassword: true },
      account: { id: api.accountId, name: 'main' },
      role: 'editor',
      token: {
        id: textAt(answer, 'id'),
        kind: 'session',
        name: 'password',
        expiresAt: at(answer.body, 'expiresAt'),
      },
    });
    const books = await api.runtime.database.query('select * from token, audit, app_user');
    expect(JSON.stringify(books)).not.toContain(token);
    expect(JSON.stringify(books)).not.toContain(PASSWORD);
    expect((await api.call('GET /tokens?limit=100')).text).not.toContain(textAt(answer, 'id'));
    expect(rowsOf(await api.call('GET /audit?limit=1'))[0]).toMatchObject({
      action: 'sessions.create',
      subject: `users/${id}`,
      userId: id,
      after: { by: 'password' },
    });
  });

  it('refuses in the same words after the same work, whatever is wrong', async () => {
    const { email } = await newUser();
    const disabled = await newUser();
    await api.call(`DELETE /users/${disabled.id}`);
    const without = await newUser({ password: undefined });
    const locked = await newUser();
    for (let count = 0; count < 10; count += 1) await signIn(locked.email, 'wrong password');
    checked.length = 0;
    const answers = [
      await signIn(email, 'wrong password'),
      await signIn('nobody@example.com'),
      await signIn(disabled.email),
      await signIn(without.email),
      await signIn(locked.email),
      await signIn(email, PASSWORD, { account: 'elsewhere' }),
    ];
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(answers[0]?.status).toBe(401);
    expect(at(answers[0]?.body, 'code')).toBe('SIGN_IN_REFUSED');
    expect(checked).toEqual([expect.stringContaining('$argon2id$'), null, null, null, null, null]);
  });

  it('locks a user after ten wrong passwords for 15 minutes, and says so to admins only', async () => {
    const { id, email } = await newUser();
    lockedUsers.length = 0;
    await Promise.all(Array.from({ length: 10 }, () => signIn(email, 'wrong password')));
    expect(lockedUsers.length).toBeGreaterThan(0);
    expect(new Set(lockedUsers)).toEqual(new Set([id]));
    expect((await signIn(email)).status).toBe(401);
    expect(at((await api.call(`GET /users/${id}`)).body, 'lockedUntil')).not.toBeNull();
    api.pass(899_999);
    expect((await signIn(email)).status).toBe(401);
    api.pass(1);
    expect((await signIn(email)).status).toBe(201);
    expect(at((await api.call(`GET /users/${id}`)).body, 'lockedUntil')).toBeNull();
  });

  it('counts wrong passwords in a row: a right one begins again, and so does one that an admin sets', async () => {
    const { id, email } = await newUser();
    const wrong = async (times: number) => {
      for (let count = 0; count < times; count += 1) await signIn(email, 'wrong password');
    };
    await wrong(9);
    expect((await signIn(email)).status).toBe(201);
    await wrong(9);
    expect((await signIn(email)).status).toBe(201);
    await wrong(10);
    await api.call(`PUT /users/${id}`, { json: { password: 'another password' } });
    expect((await signIn(email, 'another password')).status).toBe(201);
  });

  it('names the account where several know the email', async () => {
    const { email } = await newUser();
    const token = await api.tokenOf('admin', await api.otherAccount('second'));
    await newUser({ email, password: 'password of second' }, token);
    expect((await signIn(email)).status).toBe(401);
    expect((await signIn(email, PASSWORD, { account: 'main' })).status).toBe(201);
    expect((await signIn(email, 'password of second', { account: 'second' })).status).toBe(201);
    expect((await signIn(email, PASSWORD, { account: 'second' })).status).toBe(401);
  });

  it('brings a password to the cost that is asked for now', async () => {
    const { id, email } = await newUser();
    const { ids } = api.runtime;
    await dearer.signIn({ email, password: PASSWORD }, ids);
    const [row] = await api.runtime.database.query<{ password_hash: string }>(
      'select password_hash from app_user where id = $1',
      [id],
    );
    expect(row?.password_hash).toContain('$m=128,t=2,p=1$');
    expect((await signIn(email)).status).toBe(201);
  });

  it.each([
    ['no email', { email: '' }, ['/email']],
    ['a member that is not known', { pasword: 'x' }, ['/pasword']],
    ['NUL', { password: 'a\0' }, ['/password']],
  ])('refuses %s', async (_what, more, pointers) => {
    const answer = await api.call('POST /sessions', {
      json: { email: 'a@b.c', password: PASSWORD, ...more },
      headers: noToken,
    });
    expect(answer.status).toBe(422);
    expect(pointersOf(answer)).toEqual(pointers);
  });

  it('is the only thing that is asked without a token', async () => {
    const calls = ['GET /me', 'POST /me/password', 'DELETE /sessions/current', 'GET /users'];
    for (const call of calls) expect((await api.call(call, { headers: noToken })).status).toBe(401);
    expect((await api.call('GET /sessions/oidc', { headers: noToken })).status).toBe(404);
    expect((await api.call('GET /sessions/oidc/callback?code=x', { headers: noToken })).status).toBe(404);
  });
});

describe('a session', () => {
  it('has the role of the user, at once when it changes', async () => {
    const { id, email } = await newUser({ role: 'viewer' });
    const token = await session(email);
    expect(await statusOf('GET /audit', token)).toBe(403);
    await api.call(`PUT /users/${id}`, { json: { role: 'admin' } });
    expect(await statusOf('GET /audit', token)).toBe(200);
  });

  it('lives while it is used, ends after eight hours without, and after a week in all', async () => {
    const { email } = await newUser();
    const [used, unused] = [await session(email), await session(email)];
    for (let hours = 0; hours < 24 * 7 - 7; hours += 7) {
      expect(await statusOf('GET /me', used)).toBe(200);
      api.pass(7 * HOUR_MS);
    }
    expect(await statusOf('GET /me', unused)).toBe(401);
    expect(await statusOf('GET /me', used)).toBe(200);
    api.pass(7 * HOUR_MS);
    expect(await statusOf('GET /me', used)).toBe(401);
  });

  it('ends when its user signs out, and only it', async () => {
    const { id, email } = await newUser();
    const [one, two] = [await session(email), await session(email)];
    expect(await statusOf('DELETE /sessions/current', one)).toBe(204);
    expect(await statusOf('GET /me', one)).toBe(401);
    expect(await statusOf('GET /me', two)).toBe(200);
    expect(rowsOf(await api.call('GET /audit?limit=1'))[0]).toMatchObject({
      action: 'sessions.delete',
      userId: id,
    });
    const refused = await api.call('DELETE /sessions/current');
    expect(refused.status).toBe(409);
    expect(at(refused.body, 'detail')).toContain('DELETE /api/v1/tokens');
  });

  it('ends for good when its user is disabled or an admin sets a password', async () => {
    const { id, email } = await newUser();
    const first = await session(email);
    await api.call(`DELETE /users/${id}`);
    expect(await statusOf('GET /me', first)).toBe(401);
    await api.call(`PUT /users/${id}`, { json: { status: 'active' } });
    expect(await statusOf('GET /me', first)).toBe(401);
    const second = await session(email);
    await api.call(`PUT /users/${id}`, { json: { password: 'another password' } });
    expect(await statusOf('GET /me', second)).toBe(401);
  });

  it('is not among the tokens that admins list and revoke, and goes a week after it ended', async () => {
    const { email } = await newUser();
    const id = textAt(await signIn(email), 'id');
    expect((await api.call(`DELETE /tokens/${id}`)).status).toBe(404);
    const left = () => api.runtime.database.query('select id from token where id = $1', [id]);
    api.pass(8 * HOUR_MS + 7 * 24 * HOUR_MS - 1);
    await dropOld(api.runtime.database, api.runtime.clock.now(), 400);
    expect(await left()).toHaveLength(1);
    api.pass(2);
    await dropOld(api.runtime.database, api.runtime.clock.now(), 400);
    expect(await left()).toHaveLength(0);
    expect((await api.call('GET /me')).status).toBe(200);
  });
});

describe('your own password', () => {
  const change = (token: string, current: string, password: string, headers = {}) =>
    api.call('POST /me/password', { token, json: { current, password }, headers });

  it('is changed with the one until now, which ends your other sessions and leaves your tokens', async () => {
    const { id, email } = await newUser({ role: 'admin' });
    const [one, two] = [await session(email), await session(email)];
    const token = textAt(
      await api.call('POST /tokens', { json: { userId: id, name: 't', role: 'viewer' } }),
      'token',
    );
    expect((await change(one, PASSWORD, 'another password')).status).toBe(204);
    expect(await statusOf('GET /me', one)).toBe(200);
    expect(await statusOf('GET /me', two)).toBe(401);
    expect(await statusOf('GET /me', token)).toBe(200);
    expect((await signIn(email)).status).toBe(401);
    expect((await signIn(email, 'another password')).status).toBe(201);
    const actions = rowsOf(await api.call('GET /audit?limit=5')).map((entry) => entry.action);
    expect(actions).toContain('users.password');
  });

  it('is not changed with a wrong one, however often: these count as well', async () => {
    const { email } = await newUser();
    const token = await session(email);
    const refused = await change(token, 'wrong password', 'another password');
    expect(refused.status).toBe(422);
    expect(pointersOf(refused)).toEqual(['/current']);
    for (let count = 1; count < 10; count += 1) await change(token, 'wrong password', 'another password');
    expect((await change(token, PASSWORD, 'another password')).status).toBe(422);
    expect((await signIn(email)).status).toBe(401);
  });

  it('keeps the rules, and is not there to change where there is none', async () => {
    const { email } = await newUser();
    const token = await session(email);
    expect(pointersOf(await change(token, PASSWORD, 'short'))).toEqual(['/password']);
    expect(pointersOf(await change(token, PASSWORD, email))).toEqual(['/password']);
    expect(pointersOf(await change(api.token, PASSWORD, 'another password'))).toEqual(['/current']);
    expect(api.errors).toEqual([]);
  });
});
