import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profileRoutes } from '../../src/http/routes/profiles.ts';
import { subscriptionRoutes } from '../../src/http/routes/subscriptions.ts';
import { insertEntity } from '../../src/storage/entities.ts';
import { at } from '../support/answers.ts';
import { type Api, openApi } from '../support/api.ts';
import { texts, wall } from '../support/channels.ts';
import { importsOf, linesOf } from '../support/imports.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi(({ runtime, directory }) => [
    ...profileRoutes(runtime),
    ...subscriptionRoutes(runtime, directory),
  ]);
  await api.addChannel(texts);
  await api.addChannel(wall);
  const values = { sid: 'brand', name: 'Brand', channels: { json: '{}' } };
  await insertEntity(api.runtime.database, 'resource', api.runtime.ids.next(), api.accountId, values, 0);
});
afterAll(() => api.close());

const { csv, ndjson } = importsOf(() => api);

describe('importing subscriptions', () => {
  const of = async (profile: string) =>
    at((await api.call(`GET /subscriptions?profile=${profile}`)).body, 'data.0');

  it('takes 5,000 lines of CSV in the types of the channel, and reports the bad ones', async () => {
    const people = Array.from({ length: 5_000 }, (_, index) => `{"externalId":"s${index}"}`);
    await ndjson('profiles', people.join('\n'));
    const bad = new Map([
      [2, 'nobody,brand,acme_sms,,+100000000,,'],
      [3, 's1,nothing,acme_sms,,+100000000,,'],
      [4, 's2,brand,acme_wall,,,,'],
      [5, 's3,brand,acme_smss,,+100000000,,'],
      [1_500, 's1498,brand,acme_sms,,12,,'],
      [1_501, 's1499,brand,acme_sms,gone,+100000000,,'],
      [5_001, 's4999,brand,acme_sms,,+100000000,heavy,'],
    ]);
    const row = (index: number) =>
      `s${index},brand,acme_sms,${index % 2 === 0 ? 'unsubscribed' : ''},+1000${10_000 + index},${index},true`;
    const rows = Array.from({ length: 5_000 }, (_, index) => bad.get(index + 2) ?? row(index));
    const text = `profile,resource,channel,status,phone,fields.weight,vip\n${rows.join('\n')}`;
    const answer = await csv('subscriptions', text);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ created: 4_993, updated: 0, failed: 7 });
    expect(linesOf(answer)).toEqual([...bad.keys()]);
    expect(JSON.stringify(at(answer.body, 'problems'))).toContain('Did you mean \\"acme_sms\\"?');
    expect(await of('s10')).toMatchObject({
      fields: { phone: '+100010010', weight: 10, vip: true },
      status: 'unsubscribed',
    });
    expect(await of('s11')).toMatchObject({ status: 'subscribed' });
    expect((await csv('subscriptions', text)).body).toMatchObject({ created: 0, updated: 4_993, failed: 7 });
  });

  it('takes NDJSON, merges into what is there, and keeps a status that is not given', async () => {
    const line = (more: object) =>
      JSON.stringify({ profile: 'm1', resource: 'brand', channel: 'acme_sms', ...more });
    await ndjson('profiles', '{"externalId":"m1"}');
    const lines = [
      line({ fields: { weight: 1 } }),
      line({ fields: { phone: '+100000001', weight: 2 }, status: 'hard_bounced' }),
      line({ fields: { weight: 3 } }),
      line({ fields: { weight: 'heavy' } }),
      line({ fields: { weight: 4 }, sttaus: 'x' }),
    ];
    const answer = await ndjson('subscriptions', lines.join('\n'));
    expect(answer.body).toMatchObject({ created: 1, updated: 1, failed: 3 });
    expect(linesOf(answer)).toEqual([1, 4, 5]);
    expect(await of('m1')).toMatchObject({
      fields: { phone: '+100000001', weight: 3 },
      status: 'hard_bounced',
    });
    expect((await ndjson('subscriptions', line({ fields: { vip: true } }))).body).toMatchObject({
      updated: 1,
    });
    expect(await of('m1')).toMatchObject({ fields: { weight: 3, vip: true }, status: 'hard_bounced' });
  });

  it("does not reach another account's people", async () => {
    const token = await api.tokenOf('editor', await api.otherAccount('stranger'));
    const body = '{"profile":"m1","resource":"brand","channel":"acme_sms","fields":{"phone":"+199999999"}}';
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await api.call('POST /subscriptions/import', { token, body, headers });
    expect(answer.body).toMatchObject({ created: 0, updated: 0, failed: 1 });
    expect(await of('m1')).toMatchObject({ fields: { phone: '+100000001' } });
    expect(api.errors).toEqual([]);
  });
});
