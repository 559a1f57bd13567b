import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resourceRoutes } from '../../src/http/routes/resources.ts';
import { findEntity } from '../../src/storage/entities.ts';
import { at, pointersOf, textAt } from '../support/answers.ts';
import { type Api, openApi } from '../support/api.ts';
import { texts, wall } from '../support/channels.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi(({ runtime, directory }) => resourceRoutes(runtime, directory));
  await api.addChannel(texts);
  await api.addChannel(wall);
});
afterAll(() => api.close());

const PIN = 'pin-0042-secret';
const channels = { acme_sms: { fields: { brand: 'Acme', pin: PIN } }, acme_wall: { fields: { page: 'p1' } } };
const create = (sid: string, more: object = {}) =>
  api.call('POST /resources', { json: { sid, name: 'Brand', channels, ...more } });
const valuesIn = async (id: string, channel: string) => {
  api.directory.forget();
  return (await api.directory.resource(id, channel))?.values;
};

describe('resources', () => {
  it('keep values for each channel, with secrets sealed', async () => {
    const answer = await create('brand');
    expect(answer.status).toBe(201);
    expect(at(answer.body, 'channels')).toEqual({
      acme_sms: { fields: { brand: 'Acme', pin: { set: true, setAt: '2026-06-01T12:00:00.000Z' } } },
      acme_wall: { fields: { page: 'p1' } },
    });
    const id = textAt(answer, 'id');
    expect(await valuesIn(id, 'acme_sms')).toMatchObject({ brand: 'Acme', pin: PIN, sid: 'brand' });
    expect(await valuesIn(id, 'acme_wall')).toMatchObject({ page: 'p1' });
    const row = await findEntity(api.runtime.database, 'resource', api.accountId, 'brand');
    expect(JSON.stringify(row)).not.toContain(PIN);
  });

  it('need no channel, and take the values without the member "fields" too', async () => {
    expect(at((await create('bare', { channels: undefined })).body, 'channels')).toEqual({});
    const short = await create('short', { channels: { acme_wall: { page: 'p2' } } });
    expect(at(short.body, 'channels')).toEqual({ acme_wall: { fields: { page: 'p2' } } });
  });

  it.each([
    [
      'a channel that is not there',
      { acme_wal: { fields: {} } },
      '/channels/acme_wal',
      'Did you mean "acme_wall"?',
    ],
    ['a missing value', { acme_wall: { fields: {} } }, '/channels/acme_wall/fields/page', 'required'],
    [
      'a value that is too long',
      { acme_sms: { fields: { brand: 'x'.repeat(12) } } },
      '/channels/acme_sms/fields/brand',
      'at most 11',
    ],
    [
      'a field that is not known',
      { acme_sms: { brnad: 'x' } },
      '/channels/acme_sms/brnad',
      'Did you mean "brand"?',
    ],
  ])('refuse %s at its place', async (_what, given, pointer, sentence) => {
    const answer = await create('refused', { channels: given });
    expect(answer.status).toBe(422);
    expect(pointersOf(answer)).toEqual([pointer]);
    expect(String(at(answer.body, 'problems.0.message'))).toContain(sentence);
  });

  it('refuse a sid that is taken, and a change of it', async () => {
    const id = textAt(await create('taken'), 'id');
    expect((await create('taken')).status).toBe(409);
    const answer = await api.call(`PUT /resources/${id}`, { json: { sid: 'other' } });
    expect(at(answer.body, 'code')).toBe('IMMUTABLE');
  });

  it('keep a secret while its channel is named, and lose it with the channel', async () => {
    const id = textAt(await create('kept'), 'id');
    const put = (given: object) => api.call(`PUT /resources/${id}`, { json: given });
    await put({ channels: { acme_sms: { fields: { brand: 'New' } } } });
    expect(await valuesIn(id, 'acme_sms')).toMatchObject({ brand: 'New', pin: PIN });
    expect(await valuesIn(id, 'acme_wall')).not.toHaveProperty('page');
    await put({ name: 'Renamed' });
    expect(await valuesIn(id, 'acme_sms')).toMatchObject({ name: 'Renamed', pin: PIN });
    await put({ channels: { acme_wall: { fields: { page: 'p3' } } } });
    await put({ channels: { acme_sms: { fields: {} } } });
    expect(await valuesIn(id, 'acme_sms')).not.toHaveProperty('pin');
  });

  it('stay while a subscription refers to them', async () => {
    const { database, ids } = api.runtime;
    const id = textAt(await create('subscribed'), 'id');
    const profile = ids.next();
    await database.query(
      "insert into profile (id, account_id, external_id, fields, created_at, updated_at) values ($1, $2, 'ann', '{}', now(), now())",
      [profile, api.accountId],
    );
    await database.query(
      `insert into subscription (id, account_id, profile_id, resource_id, channel_id, fields, status, created_at, updated_at)
       values ($1, $2, $3, $4, $5, '{}', 'subscribed', now(), now())`,
      [ids.next(), api.accountId, profile, id, texts.id],
    );
    const refused = await api.call(`DELETE /resources/${id}`);
    expect(refused.status).toBe(409);
    expect(at(refused.body, 'detail')).toContain('subscriptions refer to it');
    await database.query('delete from subscription');
    expect((await api.call(`DELETE /resources/${id}`)).status).toBe(204);
  });

  it('are not changed by editors, nor seen by other accounts', async () => {
    const token = await api.tokenOf('editor');
    expect((await api.call('POST /resources', { token, json: { sid: 'x1', name: 'X' } })).status).toBe(403);
    const stranger = await api.tokenOf('admin', await api.otherAccount('stranger'));
    const row = await findEntity(api.runtime.database, 'resource', api.accountId, 'brand');
    expect((await api.call(`GET /resources/${row?.id}`, { token: stranger })).status).toBe(404);
    expect((await api.call(`DELETE /resources/${row?.id}`, { token: stranger })).status).toBe(404);
  });

  it('leave no secret in the audit or in any list', async () => {
    expect((await api.call('GET /resources')).text).not.toContain(PIN);
    const rows = await api.runtime.database.query('select * from audit');
    expect(rows.length).toBeGreaterThan(5);
    expect(JSON.stringify(rows).includes(PIN)).toBe(false);
    expect(api.errors).toEqual([]);
  });
});
