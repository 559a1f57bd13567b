import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountRoutes } from '../../src/http/routes/accounts.ts';
import { auditRoutes } from '../../src/http/routes/audit.ts';
import { tokenRoutes } from '../../src/http/routes/tokens.ts';
import { at, pointersOf, rowsOf, textAt } from '../support/answers.ts';
import { type Api, NOW_MS, openApi } from '../support/api.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi(({ runtime, tokens }) => [
    ...tokenRoutes(runtime, tokens),
    ...accountRoutes(runtime),
    ...auditRoutes(runtime),
  ]);
});
afterAll(() => api.close());

const create = (json: object, headers: Readonly<Record<string, string>> = {}) =>
  api.call('POST /tokens', { json, headers });
const booksText = async () => {
  const tables = ['token', 'audit', 'idempotency', 'account'];
  const rows = await Promise.all(tables.map((table) => api.runtime.database.query(`select * from ${table}`)));
  return JSON.stringify(rows);
};

describe('tokens', () => {
  it('are shown once, work, and stand nowhere in the database', async () => {
    const made = await create({ name: 'reader', role: 'viewer' });
    expect(made.status).toBe(201);
    expect(Object.keys(made.body as object)).toEqual(['id', 'token']);
    const token = textAt(made, 'token');
    const list = await api.call('GET /tokens', { token });
    expect(list.status).toBe(200);
    expect(rowsOf(list)[0]).toMatchObject({
      id: textAt(made, 'id'),
      name: 'reader',
      role: 'viewer',
      revokedAt: null,
    });
    expect(list.text).not.toContain(token);
    expect(list.text).not.toContain('hash');
    expect(await booksText()).not.toContain(token);
  });

  it('end when they are revoked, at once', async () => {
    const made = await create({ name: 'short', role: 'editor' });
    const token = textAt(made, 'token');
    expect((await api.call('GET /tokens', { token })).status).toBe(200);
    expect((await api.call(`DELETE /tokens/${textAt(made, 'id')}`)).status).toBe(204);
    expect((await api.call('GET /tokens', { token })).status).toBe(401);
    expect((await api.call(`DELETE /tokens/${textAt(made, 'id')}`)).status).toBe(404);
  });

  it('end when they expire', async () => {
    const expiresAt = new Date(api.runtime.clock.now() + 60_000).toISOString();
    const made = await create({ name: 'timed', role: 'viewer', expiresAt });
    const token = textAt(made, 'token');
    expect((await api.call('GET /tokens', { token })).status).toBe(200);
    api.pass(60_000);
    expect((await api.call('GET /tokens', { token })).status).toBe(401);
  });

  it.each([
    ['a time that is over', { expiresAt: new Date(NOW_MS).toISOString() }, '/expiresAt'],
    ['what is no time', { expiresAt: 'tomorrow' }, '/expiresAt'],
    ['a role that is not known', { role: 'owner' }, '/role'],
    ['a member that is not known', { rol: 'admin' }, '/rol'],
    ['NUL', { name: 'a\0' }, '/name'],
  ])('refuse %s', async (_what, more, pointer) => {
    const answer = await create({ name: 'x', role: 'viewer', ...more });
    expect(answer.status).toBe(422);
    expect(pointersOf(answer)).toEqual([pointer]);
  });

  it('are given again to a repeat with the same Idempotency-Key, and kept for it only encrypted', async () => {
    const headers = { 'idempotency-key': 'token-1' };
    const first = await create({ name: 'repeat', role: 'viewer' }, headers);
    const second = await create({ name: 'repeat', role: 'viewer' }, headers);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('idempotent-replay')).toBe('true');
    expect(await booksText()).not.toContain(textAt(first, 'token'));
  });

  it('are made again where the answer was lost in a crash: the one that nobody saw opens nothing', async () => {
    const headers = { 'idempotency-key': 'token-2' };
    const lost = await create({ name: 'lost', role: 'viewer' }, headers);
    await api.runtime.database.query(
      "update idempotency set status = null, answer = null where key = 'token-2'",
    );
    const again = await create({ name: 'lost', role: 'viewer' }, headers);
    expect(again.status).toBe(201);
    expect(textAt(again, 'id')).toBe(textAt(lost, 'id'));
    expect((await api.call('GET /tokens', { token: textAt(again, 'token') })).status).toBe(200);
    expect((await api.call('GET /tokens', { token: textAt(lost, 'token') })).status).toBe(401);
  });

  it('are made by admins only', async () => {
    const token = await api.tokenOf('editor');
    expect((await api.call('POST /tokens', { token, json: { name: 'x', role: 'admin' } })).status).toBe(403);
  });

  it('leave an account its last admin', async () => {
    const account = await api.otherAccount('lonely');
    const token = await api.tokenOf('admin', account);
    const [only] = rowsOf(await api.call('GET /tokens', { token }));
    const refused = await api.call(`DELETE /tokens/${only?.id}`, { token });
    expect(refused.status).toBe(409);
    expect(at(refused.body, 'detail')).toContain('last admin token');
    const second = await api.tokenOf('admin', account);
    expect((await api.call(`DELETE /tokens/${only?.id}`, { token: second })).status).toBe(204);
    expect((await api.call('GET /tokens', { token })).status).toBe(401);
  });

  it('of another account cannot be revoked', async () => {
    const [own] = rowsOf(await api.call('GET /tokens'));
    const stranger = await api.tokenOf('admin', await api.otherAccount('stranger'));
    expect((await api.call(`DELETE /tokens/${own?.id}`, { token: stranger })).status).toBe(404);
    expect((await api.call('DELETE /tokens/nothing')).status).toBe(404);
  });
});

describe('accounts', () => {
  it('are made with a first admin token, and are apart from each other', async () => {
    const made = await api.call('POST /accounts', { json: { name: 'Second' } });
    expect(made.status).toBe(201);
    const token = textAt(made, 'token');
    const own = await api.call('GET /accounts', { token });
    expect(rowsOf(own)).toMatchObject([{ id: textAt(made, 'id'), name: 'Second' }]);
    expect(at(own.body, 'pagination')).toMatchObject({ total: 1, hasMore: false });
    expect((await api.call(`GET /accounts/${textAt(made, 'id')}`, { token })).status).toBe(200);
    expect((await api.call(`GET /accounts/${api.accountId}`, { token })).status).toBe(404);
    expect(rowsOf(await api.call('GET /tokens', { token }))).toMatchObject([
      { name: 'first', role: 'admin' },
    ]);
    expect(rowsOf(await api.call('GET /audit', { token }))).toEqual([]);
    expect(await booksText()).not.toContain(token);
  });

  it('have names of their own, and are made by admins only', async () => {
    await api.call('POST /accounts', { json: { name: 'Third' } });
    const again = await api.call('POST /accounts', { json: { name: 'Third' } });
    expect(again.status).toBe(409);
    expect(pointersOf(again)).toEqual(['/name']);
    const token = await api.tokenOf('editor');
    expect((await api.call('POST /accounts', { token, json: { name: 'Fourth' } })).status).toBe(403);
  });

  it('survive a crash before the answer was kept', async () => {
    const given = { json: { name: 'Fifth' }, headers: { 'idempotency-key': 'account-1' } };
    const lost = await api.call('POST /accounts', given);
    await api.runtime.database.query(
      "update idempotency set status = null, answer = null where key = 'account-1'",
    );
    const again = await api.call('POST /accounts', given);
    expect(again.status).toBe(201);
    expect(textAt(again, 'id')).toBe(textAt(lost, 'id'));
    expect((await api.call('GET /accounts', { token: textAt(again, 'token') })).status).toBe(200);
  });
});

describe('the audit', () => {
  it('says who did what, newest first, in pages', async () => {
    api.pass(1_000);
    await create({ name: 'audited', role: 'viewer' });
    const all = rowsOf(await api.call('GET /audit?limit=100'));
    expect(all[0]).toMatchObject({
      action: 'tokens.create',
      before: null,
      after: { name: 'audited', role: 'viewer', revokedAt: null },
    });
    expect(all[0]?.tokenId).toBe(rowsOf(await api.call('GET /tokens?limit=100')).at(-1)?.id);
    expect(new Set(all.map((row) => row.action))).toEqual(
      new Set(['tokens.create', 'tokens.revoke', 'accounts.create']),
    );
    const first = await api.call('GET /audit?limit=2');
    const rest = await api.call(`GET /audit?limit=100&cursor=${textAt(first, 'pagination.nextCursor')}`);
    expect([...rowsOf(first), ...rowsOf(rest)]).toEqual(all);
  });

  it('is for admins', async () => {
    expect((await api.call('GET /audit', { token: await api.tokenOf('editor') })).status).toBe(403);
    expect(api.errors).toEqual([]);
  });
});
