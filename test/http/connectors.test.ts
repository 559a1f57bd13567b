import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFields } from '../../src/access/vault.ts';
import { connectorRoutes } from '../../src/http/routes/connectors.ts';
import { findEntity } from '../../src/storage/entities.ts';
import { at, pointersOf, textAt } from '../support/answers.ts';
import { type Api, openApi } from '../support/api.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi(({ runtime, directory }) => connectorRoutes(runtime, directory));
});
afterAll(() => api.close());

const PASSWORD = 'pass-w0rd-of-crm';
const body = (sid: string, more: object = {}) => ({
  sid,
  name: 'CRM',
  kind: 'postgresql',
  host: 'db.example',
  database: 'crm',
  user: 'reader',
  password: PASSWORD,
  ...more,
});
const create = (sid: string, more: object = {}) => api.call('POST /connectors', { json: body(sid, more) });
const opened = async (sid: string) => {
  const row = await findEntity(api.runtime.database, 'connector', api.accountId, sid);
  expect(JSON.stringify(row)).not.toContain(PASSWORD);
  return openFields(api.runtime.vault, row?.fields ?? {}).values;
};

describe('connectors', () => {
  it('fill in the usual port and the safe way of TLS, and never show the password', async () => {
    const answer = await create('crm');
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      kind: 'postgresql',
      port: 5432,
      tls: 'verify',
      password: { set: true },
    });
    expect(answer.text).not.toContain(PASSWORD);
    expect(await opened('crm')).toEqual({
      kind: 'postgresql',
      host: 'db.example',
      port: 5432,
      database: 'crm',
      user: 'reader',
      password: PASSWORD,
      tls: 'verify',
    });
    expect(at((await create('mysql', { kind: 'mysql', tls: false })).body, 'port')).toBe(3306);
    expect(await opened('mysql')).toMatchObject({ tls: 'off' });
  });

  it('keep the password where it is left out or comes back masked, and clear it with null', async () => {
    const made = await create('changed');
    const put = (json: object) => api.call(`PUT /connectors/${textAt(made, 'id')}`, { json });
    expect(at((await put({ host: 'other.example' })).body, 'host')).toBe('other.example');
    expect(await opened('changed')).toMatchObject({
      host: 'other.example',
      password: PASSWORD,
      user: 'reader',
    });
    await put({ password: at(made.body, 'password') });
    expect(await opened('changed')).toMatchObject({ password: PASSWORD });
    await put({ name: 'Named' });
    expect(await opened('changed')).toMatchObject({ password: PASSWORD });
    expect(at((await put({ password: null })).body, 'password')).toBeNull();
    expect(await opened('changed')).toMatchObject({ password: '' });
  });

  it.each([
    ['a kind that is not known', { kind: 'oracle' }, '/kind'],
    ['an address with credentials', { host: 'u:p@db.example' }, '/host'],
    ['a port that cannot be', { port: 70_000 }, '/port'],
    ['a member that is not known', { hots: 'x' }, '/hots'],
    ['NUL', { user: 'a\0b' }, '/user'],
  ])('refuse %s', async (_what, more, pointer) => {
    const answer = await create('refused', more);
    expect(answer.status).toBe(422);
    expect(pointersOf(answer)).toContain(pointer);
    expect(answer.text).not.toContain(PASSWORD);
  });

  it('are deleted, refused twice, and only for admins of the account', async () => {
    const id = textAt(await create('gone'), 'id');
    expect((await create('gone')).status).toBe(409);
    const editor = await api.tokenOf('editor');
    expect((await api.call(`DELETE /connectors/${id}`, { token: editor })).status).toBe(403);
    const stranger = await api.tokenOf('admin', await api.otherAccount('stranger'));
    expect((await api.call(`PUT /connectors/${id}`, { token: stranger, json: { name: 'x' } })).status).toBe(
      404,
    );
    expect((await api.call(`DELETE /connectors/${id}`)).status).toBe(204);
    expect((await api.call(`GET /connectors/${id}`)).status).toBe(404);
  });

  it('leave no password in the audit or in any list', async () => {
    expect((await api.call('GET /connectors')).text).not.toContain(PASSWORD);
    const rows = await api.runtime.database.query('select * from audit');
    expect(JSON.stringify(rows).includes(PASSWORD)).toBe(false);
    expect(rows.length).toBeGreaterThan(5);
    expect(api.errors).toEqual([]);
  });
});
