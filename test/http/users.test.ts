import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPasswords } from '../../src/access/passwords.ts';
import { accountRoutes } from '../../src/http/routes/accounts.ts';
import { auditRoutes } from '../../src/http/routes/audit.ts';
import { tokenRoutes } from '../../src/http/routes/tokens.ts';
import { userRoutes } from '../../src/http/routes/users.ts';
import { at, pointersOf, rowsOf, textAt } from '../support/answers.ts';
import { type Api, openApi } from '../support/api.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi(({ runtime, tokens }) => [
    ...userRoutes(runtime, tokens, createPasswords({ memoryKib: 64, passes: 1 })),
    ...tokenRoutes(runtime, tokens),
    ...accountRoutes(runtime),
    ...auditRoutes(runtime),
  ]);
});
afterAll(() => api.close());

let made = 0;
const PASSWORD = 'correct horse battery';
const newUser = (more: object = {}) => {
  made += 1;
  return { email: `person${made}@example.com`, name: `Person ${made}`, role: 'editor', ...more };
};
const create = (more: object = {}, headers: Readonly<Record<string, string>> = {}) =>
  api.call('POST /users', { json: newUser(more), headers });
const tokenOf = async (userId: string, role: string) =>
  textAt(await api.call('POST /tokens', { json: { userId, name: 't', role } }), 'token');
const statusOf = async (request: string, token: string) => (await api.call(request, { token })).status;

describe('users', () => {
  it('are made, listed and read, without their passwords', async () => {
    const answer = await create({ password: PASSWORD });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      role: 'editor',
      status: 'active',
      hasPassword: true,
      lockedUntil: null,
    });
    const id = textAt(answer, 'id');
    expect((await api.call(`GET /users/${id}`)).body).toEqual(answer.body);
    const list = await api.call('GET /users?limit=1');
    expect(rowsOf(list)).toEqual([answer.body]);
    const rest = await api.call(`GET /users?limit=100&cursor=${textAt(list, 'pagination.nextCursor')}`);
    expect(rowsOf(rest).at(-1)).toMatchObject({ email: 'admin@localhost', hasPassword: false });
    const [row] = await api.runtime.database.query<{ password_hash: string }>(
      'select password_hash from app_user where id = $1',
      [id],
    );
    expect(row?.password_hash).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
    const books = await api.runtime.database.query('select * from app_user, audit');
    expect(JSON.stringify(books)).not.toContain(PASSWORD);
    expect(list.text + (await api.call('GET /audit?limit=100')).text).not.toContain('argon2id');
  });

  it('have one email in an account, however it is capitalised, and another account has its own', async () => {
    const first = await create({ email: 'Ada@example.com' });
    expect(at(first.body, 'email')).toBe('Ada@example.com');
    const again = await create({ email: 'aDA@EXAMPLE.com' });
    expect(again.status).toBe(409);
    expect(pointersOf(again)).toEqual(['/email']);
    const token = await api.tokenOf('admin', await api.otherAccount('elsewhere'));
    expect(
      (await api.call('POST /users', { token, json: newUser({ email: 'ada@example.com' }) })).status,
    ).toBe(201);
  });

  it.each([
    ['a password of 11 characters', { password: 'elevenchars' }, '/password'],
    ['a password of 257 characters', { password: 'x'.repeat(257) }, '/password'],
    [
      'the email as password',
      { email: 'long.person@example.com', password: 'Long.Person@Example.com' },
      '/password',
    ],
    ['an email without a place', { email: 'nobody' }, '/email'],
    ['an email with letters that look like others', { email: 'аda@example.com' }, '/email'],
    ['a role that is not known', { role: 'owner' }, '/role'],
    ['a member that is not known', { pasword: PASSWORD }, '/pasword'],
    ['NUL', { name: 'a\0' }, '/name'],
  ])('refuse %s', async (_what, more, pointer) => {
    const answer = await create(more);
    expect(answer.status).toBe(422);
    expect(pointersOf(answer)).toEqual([pointer]);
  });

  it('are written by admins only, and read by all of their account', async () => {
    const id = textAt(await create(), 'id');
    const token = await api.tokenOf('editor');
    expect((await api.call('POST /users', { token, json: newUser() })).status).toBe(403);
    expect((await api.call(`PUT /users/${id}`, { token, json: { role: 'admin' } })).status).toBe(403);
    expect(await statusOf(`DELETE /users/${id}`, token)).toBe(403);
    expect(await statusOf(`GET /users/${id}`, token)).toBe(200);
    const stranger = await api.tokenOf('admin', await api.otherAccount('strangers'));
    expect(await statusOf(`GET /users/${id}`, stranger)).toBe(404);
    expect(await statusOf(`DELETE /users/${id}`, stranger)).toBe(404);
    expect((await api.call(`PUT /users/${id}`, { token: stranger, json: { name: 'x' } })).status).toBe(404);
    expect((await api.call('GET /users/nobody')).status).toBe(404);
  });

  it('are made once under an Idempotency-Key, after a crash too, and the key gives no password away', async () => {
    const json = newUser({ password: PASSWORD });
    const headers = { 'idempotency-key': 'user-1' };
    const first = await api.call('POST /users', { json, headers });
    expect((await api.call('POST /users', { json, headers })).headers.get('idempotent-replay')).toBe('true');
    await api.runtime.database.query(
      "update idempotency set status = null, answer = null where key = 'user-1'",
    );
    const again = await api.call('POST /users', { json, headers });
    expect(textAt(again, 'id')).toBe(textAt(first, 'id'));
    const other = await api.call('POST /users', { json: { ...json, password: 'another password' }, headers });
    expect(other.status).toBe(409);
  });

  it.each(['PUT', 'PATCH'])('are changed by %s; what is left out stays', async (method) => {
    const id = textAt(await create(), 'id');
    const answer = await api.call(`${method} /users/${id}`, { json: { name: 'New', password: PASSWORD } });
    expect(answer.body).toMatchObject({ name: 'New', role: 'editor', status: 'active', hasPassword: true });
    const changes = rowsOf(await api.call('GET /audit?limit=100'));
    expect(changes.find((change) => change.action === 'users.update')).toMatchObject({
      subject: `users/${id}`,
      before: { hasPassword: false },
      after: { hasPassword: true, passwordSet: true },
    });
  });
});

describe('the role of a token', () => {
  it('is never above that of its user, at the making', async () => {
    const id = textAt(await create(), 'id');
    const refused = await api.call('POST /tokens', { json: { userId: id, name: 't', role: 'admin' } });
    expect(refused.status).toBe(422);
    expect(pointersOf(refused)).toEqual(['/role']);
    const unknown = await api.call('POST /tokens', {
      json: { userId: api.accountId, name: 't', role: 'viewer' },
    });
    expect(unknown.status).toBe(422);
    expect(pointersOf(unknown)).toEqual(['/userId']);
  });

  it('goes down and up again with the role of the user, at once', async () => {
    const id = textAt(await create({ role: 'admin' }), 'id');
    const token = await tokenOf(id, 'admin');
    expect(await statusOf('GET /audit', token)).toBe(200);
    await api.call(`PUT /users/${id}`, { json: { role: 'viewer' } });
    expect(await statusOf('GET /audit', token)).toBe(403);
    expect(await statusOf('GET /users', token)).toBe(200);
    await api.call(`PUT /users/${id}`, { json: { role: 'admin' } });
    expect(await statusOf('GET /audit', token)).toBe(200);
  });

  it('is not raised by the role of the user', async () => {
    const id = textAt(await create({ role: 'admin' }), 'id');
    expect(await statusOf('GET /audit', await tokenOf(id, 'viewer'))).toBe(403);
  });

  it('is nothing once the user is disabled; history keeps naming the user', async () => {
    const id = textAt(await create({ role: 'admin' }), 'id');
    const token = await tokenOf(id, 'admin');
    expect((await api.call('POST /users', { token, json: newUser() })).status).toBe(201);
    expect((await api.call(`DELETE /users/${id}`)).status).toBe(204);
    expect(await statusOf('GET /users', token)).toBe(401);
    expect((await api.call(`GET /users/${id}`)).body).toMatchObject({ status: 'disabled' });
    const refused = await api.call('POST /tokens', { json: { userId: id, name: 't', role: 'viewer' } });
    expect(pointersOf(refused)).toEqual(['/userId']);
    const changes = rowsOf(await api.call('GET /audit?limit=100'));
    expect(changes.some((change) => change.userId === id)).toBe(true);
    await api.call(`PUT /users/${id}`, { json: { status: 'active' } });
    expect(await statusOf('GET /users', token)).toBe(200);
  });

  it('is that of the caller, where no user is named', async () => {
    const id = textAt(await create({ role: 'admin' }), 'id');
    const token = await tokenOf(id, 'admin');
    await api.call('POST /tokens', { token, json: { name: 'mine', role: 'viewer' } });
    const tokens = rowsOf(await api.call('GET /tokens?limit=100'));
    expect(tokens.find((row) => row.name === 'mine')).toMatchObject({ userId: id });
  });

  it('is not had through the Idempotency-Key of another user', async () => {
    const given = { json: { name: 'keyed', role: 'admin' }, headers: { 'idempotency-key': 'token-of-one' } };
    expect((await api.call('POST /tokens', given)).status).toBe(201);
    const other = await api.call('POST /tokens', { ...given, token: await api.tokenOf('admin') });
    expect(other.status).toBe(409);
  });
});

describe('the last admin', () => {
  it('can neither be disabled nor lose the role, while the token is the only way in', async () => {
    const account = await api.otherAccount('one-admin');
    const token = await api.tokenOf('admin', account);
    const users = rowsOf(await api.call('GET /users?limit=100', { token }));
    const [only] = users.filter((user) => user.email !== 'admin@localhost');
    for (const change of [{ role: 'editor' }, { status: 'disabled' }]) {
      const refused = await api.call(`PUT /users/${only?.id}`, { token, json: change });
      expect(refused.status).toBe(409);
      expect(at(refused.body, 'detail')).toContain('last admin');
    }
    expect(await statusOf(`DELETE /users/${only?.id}`, token)).toBe(409);
    expect(await statusOf('GET /audit', token)).toBe(200);
    const second = newUser({ role: 'admin', password: PASSWORD });
    await api.call('POST /users', { token, json: second });
    expect(await statusOf(`DELETE /users/${only?.id}`, token)).toBe(204);
    expect(await statusOf('GET /users', token)).toBe(401);
    expect(api.errors).toEqual([]);
  });
});
