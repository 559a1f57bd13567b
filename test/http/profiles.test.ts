import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profileRoutes } from '../../src/http/routes/profiles.ts';
import { subscriptionRoutes } from '../../src/http/routes/subscriptions.ts';
import { insertEntity } from '../../src/storage/entities.ts';
import { at, pointersOf, rowsOf, textAt } from '../support/answers.ts';
import { type Api, openApi } from '../support/api.ts';
import { texts, wall } from '../support/channels.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi(({ runtime, directory }) => [
    ...profileRoutes(runtime),
    ...subscriptionRoutes(runtime, directory),
  ]);
  await api.addChannel(texts);
  await api.addChannel(wall);
  for (const sid of ['brand', 'shop']) {
    const values = { sid, name: sid, channels: { json: '{}' } };
    await insertEntity(api.runtime.database, 'resource', api.runtime.ids.next(), api.accountId, values, 0);
  }
});
afterAll(() => api.close());

const write = (externalId: string, fields?: object) =>
  api.call('POST /profiles', { json: { externalId, fields } });
const subscribe = (profile: string, more: object = {}) =>
  api.call('POST /subscriptions', {
    json: { profile, resource: 'brand', channel: 'acme_sms', fields: { phone: '+100000000' }, ...more },
  });

describe('profiles', () => {
  it('are created, then updated by their external id, field by field', async () => {
    const made = await write('ann', { name: 'Ann', age: 30 });
    expect(made.status).toBe(201);
    const updated = await write('ann', { age: 31 });
    expect(updated.status).toBe(200);
    expect(updated.body).toMatchObject({ id: textAt(made, 'id'), fields: { name: 'Ann', age: 31 } });
    expect((await api.call('GET /profiles/ann')).body).toEqual(updated.body);
    expect((await write('bare')).body).toMatchObject({ fields: {} });
  });

  it('may have any external id, also one that looks like a path', async () => {
    const name = 'crm/7 ä?&%';
    expect((await write(name)).status).toBe(201);
    const path = encodeURIComponent(name);
    expect(at((await api.call(`GET /profiles/${path}`)).body, 'externalId')).toBe(name);
    const list = await api.call(`GET /profiles?externalId=${path}`);
    expect(rowsOf(list).map((row) => row.externalId)).toEqual([name]);
    expect(at(list.body, 'pagination.total')).toBe(1);
    expect((await api.call(`DELETE /profiles/${path}`)).status).toBe(204);
    expect((await api.call(`GET /profiles/${path}`)).status).toBe(404);
  });

  it('keep odd member names as they are', async () => {
    const json = '{"externalId":"odd","fields":{"__proto__":{"x":1},"constructor":2,"":3}}';
    const headers = { 'content-type': 'application/json' };
    expect((await api.call('POST /profiles', { body: json, headers })).status).toBe(201);
    expect((await api.call('GET /profiles/odd')).text).toContain('"__proto__":{"x":1}');
  });

  it.each([
    ['NUL in a field', { fields: { a: ['x\0'] } }, '/fields/a/0'],
    ['NUL in a name of a field', { fields: { 'a\0': 1 } }, '/fields'],
    ['half a character', { fields: { a: '\ud800' } }, '/fields/a'],
    ['NUL in the external id', { externalId: 'a\0' }, '/externalId'],
    ['an empty external id', { externalId: '' }, '/externalId'],
    ['a member that is not known', { feilds: {} }, '/feilds'],
    ['fields that are no object', { fields: [] }, '/fields'],
  ])('refuse %s', async (_what, more, pointer) => {
    const answer = await api.call('POST /profiles', { json: { externalId: 'refused', ...more } });
    expect(answer.status).toBe(422);
    expect(pointersOf(answer)).toEqual([pointer]);
    expect(rowsOf(await api.call('GET /profiles?externalId=refused'))).toEqual([]);
  });

  it('refuse values that are nested too deep for the database', async () => {
    const deep = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`);
    const answer = await write('deep', { deep });
    expect(answer.status).toBe(422);
    expect(at(answer.body, 'detail')).toContain('nested deeper');
  });

  it('are pages that stay stable while rows are added', async () => {
    for (const name of ['p1', 'p2', 'p3']) await write(name);
    const all = rowsOf(await api.call('GET /profiles?limit=100')).map((row) => row.externalId);
    const first = await api.call('GET /profiles?limit=2');
    await write('p4');
    const rest = await api.call(`GET /profiles?limit=100&cursor=${textAt(first, 'pagination.nextCursor')}`);
    expect([...rowsOf(first), ...rowsOf(rest)].map((row) => row.externalId)).toEqual(all);
  });

  it('go with their subscriptions, but not while messages wait', async () => {
    const { database, ids } = api.runtime;
    const id = textAt(await write('going'), 'id');
    await subscribe('going');
    const message = ids.next();
    await database.query(
      `insert into message (id, account_id, channel_id, channel_version_id, lane_id, resource_id, profile_id, state, class,
         updated_at) values ($1, $2, $3, 1, 1, $2, $4, 10, 'urgent', now())`,
      [message, api.accountId, texts.id, id],
    );
    await database.query(
      `insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id)
       values ($1, $2, 1, now(), 1, $1, 1)`,
      [message, api.accountId],
    );
    const refused = await api.call('DELETE /profiles/going');
    expect(refused.status).toBe(409);
    expect(at(refused.body, 'detail')).toContain('wait (1)');
    await database.query('delete from waiting');
    expect((await api.call('DELETE /profiles/going')).status).toBe(204);
    expect(await database.query('select * from subscription where profile_id = $1', [id])).toEqual([]);
    expect((await api.call('DELETE /profiles/going')).status).toBe(404);
  });

  it('are written by editors, read by viewers, and apart between accounts', async () => {
    const viewer = await api.tokenOf('viewer');
    expect((await api.call('POST /profiles', { token: viewer, json: { externalId: 'v' } })).status).toBe(403);
    expect((await api.call('GET /profiles/ann', { token: viewer })).status).toBe(200);
    const stranger = await api.tokenOf('editor', await api.otherAccount('stranger'));
    expect((await api.call('GET /profiles/ann', { token: stranger })).status).toBe(404);
    expect((await api.call('DELETE /profiles/ann', { token: stranger })).status).toBe(404);
    const json = { externalId: 'ann', fields: { name: 'Other' } };
    expect((await api.call('POST /profiles', { token: stranger, json })).status).toBe(201);
    expect(at((await api.call('GET /profiles/ann')).body, 'fields.name')).toBe('Ann');
  });

  it('are created again by a repeat whose answer was lost', async () => {
    const given = { json: { externalId: 'crash' }, headers: { 'idempotency-key': 'profile-1' } };
    const lost = await api.call('POST /profiles', given);
    await api.runtime.database.query(
      "update idempotency set status = null, answer = null where key = 'profile-1'",
    );
    const again = await api.call('POST /profiles', given);
    expect(again.status).toBe(201);
    expect(textAt(again, 'id')).toBe(textAt(lost, 'id'));
  });
});

describe('subscriptions', () => {
  it('are created, then updated, field by field and as a whole checked', async () => {
    await write('sub');
    const made = await subscribe('sub');
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      profile: 'sub',
      resource: 'brand',
      channel: 'acme_sms',
      status: 'subscribed',
    });
    const path = `/subscriptions/${textAt(made, 'id')}`;
    const updated = await subscribe('sub', { fields: { weight: 5 }, status: 'unsubscribed' });
    expect(updated.status).toBe(200);
    expect(updated.body).toMatchObject({
      fields: { phone: '+100000000', weight: 5 },
      status: 'unsubscribed',
    });
    expect((await subscribe('sub', { fields: {} })).body).toMatchObject({ status: 'unsubscribed' });
    expect((await api.call(`GET ${path}`)).body).toMatchObject({
      fields: { weight: 5 },
      status: 'unsubscribed',
    });
  });

  it.each([
    ['a profile that is not there', { profile: 'nobody' }, '/profile'],
    ['a resource that is not there', { resource: 'nothing' }, '/resource'],
    ['a channel that is not there', { channel: 'acme_sm' }, '/channel'],
    ['an indirect channel', { channel: 'acme_wall', fields: {} }, '/channel'],
    ['an address that is none', { fields: { phone: '12' } }, '/fields/phone'],
    ['Liquid as an address', { fields: { phone: '{{ x }}' } }, '/fields/phone'],
    ['a missing address', { fields: {} }, '/fields/phone'],
    ['a field that is not known', { fields: { phone: '+100000000', fone: 1 } }, '/fields/fone'],
    ['a status that is not known', { status: 'gone' }, '/status'],
    ['NUL', { fields: { phone: '+1\0' } }, '/fields/phone'],
  ])('refuse %s', async (_what, more, pointer) => {
    await write('refuser');
    const answer = await subscribe('refuser', more);
    expect(answer.status).toBe(422);
    expect(pointersOf(answer)).toEqual([pointer]);
    expect(rowsOf(await api.call('GET /subscriptions?profile=refuser'))).toEqual([]);
  });

  it('change by PUT: the status alone, or all fields', async () => {
    await write('put');
    const made = await subscribe('put', {
      fields: { phone: '+100000001', weight: 1, push_key: 'key-of-push' },
    });
    const put = (json: object) => api.call(`PUT /subscriptions/${textAt(made, 'id')}`, { json });
    const bounced = "update subscription set status = 'hard_bounced', status_reason = '550' where id = $1";
    await api.runtime.database.query(bounced, [textAt(made, 'id')]);
    expect((await put({ fields: { phone: '+100000002' } })).body).toMatchObject({
      status: 'hard_bounced',
      statusReason: '550',
      fields: { phone: '+100000002', push_key: { set: true } },
    });
    const back = await put({ status: 'subscribed' });
    expect(back.body).toMatchObject({ status: 'subscribed', statusReason: null });
    expect(at(back.body, 'fields')).not.toHaveProperty('weight');
    const refused = await put({ fields: { weight: 2 } });
    expect(pointersOf(refused)).toEqual(['/fields/phone']);
    expect((await put({})).status).toBe(422);
    expect((await put({ profile: 'x' })).status).toBe(422);
  });

  it('are found by profile, resource, channel and status', async () => {
    await write('many');
    await subscribe('many');
    await subscribe('many', { resource: 'shop', status: 'unsubscribed' });
    const resources = async (query: string) =>
      rowsOf(await api.call(`GET /subscriptions?profile=many&${query}`)).map((row) => row.resource);
    expect(await resources('limit=5')).toEqual(['shop', 'brand']);
    expect(await resources('resource=shop')).toEqual(['shop']);
    expect(await resources('status=subscribed')).toEqual(['brand']);
    expect(await resources('channel=acme_wall')).toEqual([]);
    const first = await api.call('GET /subscriptions?profile=many&limit=1');
    expect(at(first.body, 'pagination')).toMatchObject({ total: 2, hasMore: true });
    expect(await resources(`cursor=${textAt(first, 'pagination.nextCursor')}`)).toEqual(['brand']);
  });

  it('mask secrets, and are apart between accounts', async () => {
    await write('secret');
    const made = await subscribe('secret', { fields: { phone: '+100000000', push_key: 'key-of-push' } });
    expect(at(made.body, 'fields.push_key')).toMatchObject({ set: true });
    expect((await api.call('GET /subscriptions?limit=100')).text).not.toContain('key-of-push');
    const stranger = await api.tokenOf('admin', await api.otherAccount('outsider'));
    const path = `/subscriptions/${textAt(made, 'id')}`;
    expect((await api.call(`GET ${path}`, { token: stranger })).status).toBe(404);
    expect(
      (await api.call(`PUT ${path}`, { token: stranger, json: { status: 'unsubscribed' } })).status,
    ).toBe(404);
    expect(rowsOf(await api.call('GET /subscriptions', { token: stranger }))).toEqual([]);
  });
});

describe('the audit of people', () => {
  it('names what was written and never the values, so that deletion leaves nothing', async () => {
    // The id of a request with a key counts on from the key: within a millisecond it may be above the next one's.
    api.pass(1);
    await write('private', { email: 'ann@private.example' });
    await write('private', { city: 'Privatown' });
    await subscribe('private', { fields: { phone: '+19998887766' } });
    await api.call('DELETE /profiles/private');
    const rows = await api.runtime.database.query(
      'select action, before, after from audit order by id desc limit 4',
    );
    expect(rows.reverse()).toMatchObject([
      { action: 'profiles.create', before: null, after: { fields: ['email'] } },
      { action: 'profiles.update', before: { fields: ['email'] }, after: { fields: ['city', 'email'] } },
      { action: 'subscriptions.create', after: { status: 'subscribed', fields: ['phone'] } },
      { action: 'profiles.delete', before: { subscriptions: 1 }, after: null },
    ]);
    const text = JSON.stringify(await api.runtime.database.query('select * from audit'));
    const personal = ['ann@private.example', 'Privatown', '+19998887766', 'key-of-push', '"private"'];
    expect(personal.filter((each) => text.includes(each))).toEqual([]);
    expect(api.errors).toEqual([]);
  });
});
