import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { senderRoutes } from '../../src/http/routes/senders.ts';
import { findEntity, readEntity } from '../../src/storage/entities.ts';
import { at, pointersOf, rowsOf, textAt } from '../support/answers.ts';
import { type Api, openApi } from '../support/api.ts';
import { texts, wall } from '../support/channels.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi(({ runtime, directory }) => senderRoutes(runtime, directory));
  await api.addChannel(texts);
  await api.addChannel(wall);
});
afterAll(() => api.close());

const SECRET = 's3cr3t-t0ken';
const body = (sid: string, more: object = {}) => ({
  sid,
  name: 'Main',
  channel: 'acme_sms',
  fields: { token: SECRET, region: 'eu' },
  ...more,
});
const create = (sid: string, more: object = {}) => api.call('POST /senders', { json: body(sid, more) });
const open = async (id: string) => {
  api.directory.forget();
  return (await api.directory.sender(id))?.values;
};
const stored = async (id: string) =>
  JSON.stringify(await readEntity(api.runtime.database, 'sender', api.accountId, id));
const auditText = async () => JSON.stringify(await api.runtime.database.query('select * from audit'));

describe('creating a sender', () => {
  it('masks its secrets in the answer, seals them in the database, and gives them to runs', async () => {
    const answer = await create('main');
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      sid: 'main',
      name: 'Main',
      channel: 'acme_sms',
      fields: { token: { set: true, setAt: '2026-06-01T12:00:00.000Z' }, region: 'eu' },
    });
    const id = textAt(answer, 'id');
    expect(await stored(id)).not.toContain(SECRET);
    expect(await open(id)).toMatchObject({ token: SECRET, region: 'eu', sid: 'main' });
  });

  it('is seen at once by this process', async () => {
    expect(await api.directory.senderBySid(texts.id, 'fresh')).toBeUndefined();
    const id = textAt(await create('fresh'), 'id');
    expect((await api.directory.senderBySid(texts.id, 'fresh'))?.row.id).toBe(id);
  });

  it('refuses the same sid in the same channel, and allows it in another', async () => {
    expect((await create('twin')).status).toBe(201);
    const again = await create('twin');
    expect(again.status).toBe(409);
    expect(at(again.body, 'code')).toBe('CONFLICT');
    expect(pointersOf(again)).toEqual(['/sid']);
    expect((await create('twin', { channel: 'acme_wall', fields: {} })).status).toBe(201);
  });

  it('names a channel that is not there, with the one that was meant', async () => {
    const answer = await create('lost', { channel: 'acme_smss' });
    expect(answer.status).toBe(422);
    expect(pointersOf(answer)).toEqual(['/channel']);
    expect(at(answer.body, 'detail')).toContain('Did you mean "acme_sms"?');
  });

  it.each([
    ['a required field', { fields: { region: 'eu' } }, '/fields/token', 'required'],
    [
      'a field that is not known',
      { fields: { token: SECRET, regoin: 'eu' } },
      '/fields/regoin',
      'Did you mean "region"?',
    ],
    ['a value that does not fit', { fields: { token: SECRET, region: 'mars' } }, '/fields/region', 'one of'],
    [
      'the look of a stored secret',
      { fields: { token: SECRET, settings: { $secret: 'a.b.c.d' } } },
      '/fields/settings',
      '$secret',
    ],
    ['NUL', { fields: { token: 'abcd\0' } }, '/fields/token', 'NUL'],
    ['NUL in the name', { name: 'a\0b' }, '/name', 'NUL'],
    ['a member that is not known', { nmae: 'x' }, '/nmae', 'Did you mean "name"?'],
    ['a sid with capitals', { sid: 'Main' }, '/sid', 'form'],
  ])('refuses %s with its place and never with the secret', async (_what, more, pointer, sentence) => {
    const answer = await create('refused', more);
    expect(answer.status).toBe(422);
    expect(pointersOf(answer)).toEqual([pointer]);
    expect(String(at(answer.body, 'problems.0.message'))).toContain(sentence);
    expect(answer.text).not.toContain(SECRET);
    expect(await findEntity(api.runtime.database, 'sender', api.accountId, 'refused')).toBeUndefined();
  });
});

describe('changing a sender', () => {
  it('keeps secrets that are left out or come back masked, clears with null, and replaces the rest', async () => {
    const made = await create('change', {
      fields: { token: SECRET, signing_key: 'key-of-signing', region: 'eu' },
    });
    const id = textAt(made, 'id');
    api.pass(60_000);
    const put = (json: object) => api.call(`PUT /senders/${id}`, { json });

    const kept = await put({ name: 'Renamed', fields: { region: 'us' } });
    expect(kept.status).toBe(200);
    expect(at(kept.body, 'name')).toBe('Renamed');
    expect(at(kept.body, 'fields.token')).toEqual(at(made.body, 'fields.token'));
    expect(await open(id)).toMatchObject({ token: SECRET, signing_key: 'key-of-signing', region: 'us' });

    expect((await put({ fields: at(kept.body, 'fields') })).status).toBe(200);
    expect(await open(id)).toMatchObject({ token: SECRET, signing_key: 'key-of-signing' });

    const set = await put({ fields: { token: 'another-token', signing_key: null } });
    expect(at(set.body, 'fields')).toEqual({
      token: { set: true, setAt: new Date(api.runtime.clock.now()).toISOString() },
    });
    expect(await open(id)).not.toHaveProperty('signing_key');
    expect(await open(id)).not.toHaveProperty('region');
    expect(await open(id)).toMatchObject({ token: 'another-token' });

    const cleared = await put({ fields: { token: null } });
    expect(cleared.status).toBe(422);
    expect(pointersOf(cleared)).toEqual(['/fields/token']);
    expect(await open(id)).toMatchObject({ token: 'another-token' });

    const renamed = await put({ name: 'Only the name' });
    expect(at(renamed.body, 'fields.token.set')).toBe(true);
  });

  it.each([{ sid: 'elsewhere' }, { channel: 'acme_wall' }])('never changes %j', async (json) => {
    const found = await findEntity(api.runtime.database, 'sender', api.accountId, 'main');
    const answer = await api.call(`PUT /senders/${found?.id}`, { json });
    expect(answer.status).toBe(409);
    expect(at(answer.body, 'code')).toBe('IMMUTABLE');
    expect(pointersOf(answer)).toEqual([`/${Object.keys(json)[0]}`]);
  });

  it('takes the sid and channel that it has', async () => {
    const found = await findEntity(api.runtime.database, 'sender', api.accountId, 'main');
    const json = { sid: 'main', channel: 'acme_sms', name: 'Main' };
    expect((await api.call(`PUT /senders/${found?.id}`, { json })).status).toBe(200);
  });

  it('masks a value that became secret after it was stored, and seals it with the next change', async () => {
    const id = textAt(
      await create('turned', { fields: { token: SECRET, settings: { pass: 'word-of-pass' } } }),
      'id',
    );
    const turned = texts.fields.sender?.map((row) =>
      'field' in row && row.field === 'settings' ? { ...row, secret: true } : row,
    );
    await api.addChannel({ ...texts, fields: { ...texts.fields, sender: turned ?? [] } });
    const shown = await api.call(`GET /senders/${id}`);
    expect(at(shown.body, 'fields.settings')).toEqual({ set: true, setAt: null });
    await api.call(`PUT /senders/${id}`, { json: { fields: { region: 'eu' } } });
    expect(await stored(id)).not.toContain('word-of-pass');
    expect(await open(id)).toMatchObject({ settings: { pass: 'word-of-pass' } });
    await api.addChannel(texts);
  });
});

describe('reading senders', () => {
  it('gives pages that stay stable while rows are added', async () => {
    for (const name of ['page_a', 'page_b', 'page_c']) await create(name);
    const all = rowsOf(await api.call('GET /senders?limit=100')).map((row) => row.id);
    const first = await api.call('GET /senders?limit=2');
    expect(at(first.body, 'pagination')).toMatchObject({ total: all.length, limit: 2, hasMore: true });
    await create('page_later');
    const second = await api.call(`GET /senders?limit=100&cursor=${textAt(first, 'pagination.nextCursor')}`);
    expect([...rowsOf(first), ...rowsOf(second)].map((row) => row.id)).toEqual(all);
    expect(at(second.body, 'pagination')).toMatchObject({ hasMore: false, nextCursor: null });
  });

  it('filters by channel', async () => {
    const answer = await api.call('GET /senders?channel=acme_wall');
    expect(rowsOf(answer).map((row) => row.sid)).toEqual(['twin']);
    expect(at(answer.body, 'pagination.total')).toBe(1);
    expect(rowsOf(await api.call('GET /senders?channel=none'))).toEqual([]);
  });

  it.each(['limit=0', 'limit=x', 'page=2', 'channel=%00'])('refuses the query %s', async (query) => {
    const answer = await api.call(`GET /senders?${query}`);
    expect([400, 422]).toContain(answer.status);
    expect(pointersOf(answer)[0]).toMatch(/^\/query\//);
  });

  it('shows senders of a deleted channel', async () => {
    const gone = { ...wall, sid: 'acme_gone', id: 10_003 };
    await api.addChannel(gone);
    const id = textAt(await create('orphan', { channel: 'acme_gone', fields: {} }), 'id');
    await api.runtime.database.query('update channel set deleted_at = now() where id = $1', [gone.id]);
    api.directory.forget();
    const answer = await api.call(`GET /senders/${id}`);
    expect(answer.status).toBe(200);
    expect(at(answer.body, 'channel')).toBe('acme_gone');
    expect((await api.call(`PUT /senders/${id}`, { json: { fields: {} } })).status).toBe(409);
    expect((await api.call(`DELETE /senders/${id}`)).status).toBe(204);
  });

  it("answers 404 for another account's sender, whatever is asked of it", async () => {
    const token = await api.tokenOf('admin', await api.otherAccount('stranger'));
    const found = await findEntity(api.runtime.database, 'sender', api.accountId, 'main');
    for (const call of ['GET', 'DELETE'] as const) {
      expect((await api.call(`${call} /senders/${found?.id}`, { token })).status).toBe(404);
    }
    expect((await api.call(`PUT /senders/${found?.id}`, { token, json: { name: 'Mine' } })).status).toBe(404);
    expect(rowsOf(await api.call('GET /senders', { token }))).toEqual([]);
    expect((await api.call('GET /senders/not-an-id')).status).toBe(404);
  });
});

describe('deleting a sender', () => {
  it('is refused while a mailing refers to it, with a sentence', async () => {
    const { database } = api.runtime;
    const id = textAt(await create('mailed'), 'id');
    const [mailing, resource] = [api.runtime.ids.next(), api.runtime.ids.next()];
    await database.query(
      `insert into resource (id, account_id, sid, name, channels, created_at, updated_at)
       values ($1, $2, 'brand', 'Brand', '{}', now(), now())`,
      [resource, api.accountId],
    );
    await database.query(
      `insert into mailing (id, account_id, name, channel_id, sender_id, resource_id, content, fields, audience, class,
         state, created_at, updated_at)
       values ($1, $2, 'News', $3, $4, $5, '{}', '{}', '{}', 'marketing', 'draft', now(), now())`,
      [mailing, api.accountId, texts.id, id, resource],
    );
    const refused = await api.call(`DELETE /senders/${id}`);
    expect(refused.status).toBe(409);
    expect(at(refused.body, 'detail')).toContain('mailings refer to it');
    await database.query('delete from mailing where id = $1', [mailing]);
    expect((await api.call(`DELETE /senders/${id}`)).status).toBe(204);
    expect((await api.call(`GET /senders/${id}`)).status).toBe(404);
  });

  it('is refused while a message refers to it', async () => {
    const id = textAt(await create('used'), 'id');
    await api.runtime.database.query(
      `insert into message (id, account_id, channel_id, channel_version_id, lane_id, resource_id, sender_id, state, class,
         updated_at) values ($1, $2, $3, 1, 1, $2, $4, 40, 'urgent', now())`,
      [api.runtime.ids.next(), api.accountId, texts.id, id],
    );
    const refused = await api.call(`DELETE /senders/${id}`);
    expect(refused.status).toBe(409);
    expect(at(refused.body, 'detail')).toContain('messages refer to it');
    expect((await api.call(`GET /senders/${id}`)).status).toBe(200);
  });
});

describe('the audit of senders', () => {
  it('has before and after of each write, and no secret', async () => {
    const id = textAt(await create('audited'), 'id');
    await api.call(`PUT /senders/${id}`, { json: { fields: { token: 'changed-secret', region: 'us' } } });
    await api.call(`DELETE /senders/${id}`);
    const rows = await api.runtime.database.query(
      'select action, before, after from audit where subject = $1 order by id',
      [`senders/${id}`],
    );
    const eu = { sid: 'audited', channel: 'acme_sms', fields: { token: { set: true }, region: 'eu' } };
    const us = { sid: 'audited', fields: { token: { set: true }, region: 'us' } };
    expect(rows).toMatchObject([
      { action: 'senders.create', before: null, after: eu },
      { action: 'senders.update', before: eu, after: us },
      { action: 'senders.delete', before: us, after: null },
    ]);
    const text = await auditText();
    const secrets = [SECRET, 'changed-secret', 'another-token', 'key-of-signing'];
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  });

  it('left no failure of ours in the log', () => {
    expect(api.errors).toEqual([]);
  });
});
