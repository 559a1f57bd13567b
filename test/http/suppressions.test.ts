/** Suppressions and rules of sending through the API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allRoutes, type RouteDeps } from '../../src/http/routes.ts';
import { type Api, type Call, NOW_MS, openApi } from '../support/api.ts';
import { texts } from '../support/channels.ts';

let api: Api;
let editor: string;
beforeAll(async () => {
  // Routes of other parts are made, and not called.
  api = await openApi((parts) =>
    allRoutes({ ...parts, wakeLanes: () => {} } as unknown as RouteDeps).filter((route) =>
      /^\/(suppressions|sending-rules|resources|audit)/.test(route.path),
    ),
  );
  const plain = {
    ...texts.fields,
    subscription: [{ field: 'phone', type: 'string', name: 'P', required: true }],
  };
  await api.addChannel({ ...texts, sid: 'open_sms', id: 10_500, fields: plain as typeof texts.fields });
  await api.addChannel(texts);
  await api.call('POST /resources', { json: { sid: 'shop', name: 'Shop', channels: {} } });
  editor = await api.tokenOf('editor');
});
afterAll(() => api.close());

interface Page {
  data: Record<string, unknown>[];
  pagination: { total: number; nextCursor: string | null };
}
const post = (json: object, more: Call = {}) => api.call('POST /suppressions', { json, ...more });
const list = async (query = '', more: Call = {}) =>
  (await api.call(`GET /suppressions${query}`, more)).body as Page;
const LATER = new Date(NOW_MS + 86_400_000).toISOString();

describe('suppressions', () => {
  it('are made, changed and deleted by admins, and read by editors', async () => {
    const made = await post({ address: 'Ann@Example.com', reason: 'letter', expiresAt: LATER });
    expect(made).toMatchObject({
      status: 201,
      body: {
        address: 'ann@example.com',
        channel: null,
        resource: null,
        scope: 'global',
        reason: 'letter',
        source: 'api',
        expiresAt: LATER,
      },
    });
    const { id } = made.body as { id: string };
    expect(await post({ address: 'ANN@example.com' })).toMatchObject({
      status: 200,
      body: { id, reason: 'api', expiresAt: null },
    });
    expect((await list('?address=ann@EXAMPLE.com', { token: editor })).data).toMatchObject([{ id }]);
    expect((await post({ address: 'x' }, { token: editor })).status).toBe(403);
    expect((await api.call(`DELETE /suppressions/${id}`, { token: editor })).status).toBe(403);
    expect((await list('', { token: await api.tokenOf('viewer') })) as unknown).toMatchObject({
      status: 403,
    });
    const other = await api.tokenOf('admin', await api.otherAccount('Other'));
    expect((await list('', { token: other })).data).toEqual([]);
    expect((await api.call(`DELETE /suppressions/${id}`, { token: other })).status).toBe(404);
    expect((await api.call(`DELETE /suppressions/${id}`)).status).toBe(204);
    expect((await api.call(`DELETE /suppressions/${id}`)).status).toBe(404);
    expect(JSON.stringify((await api.call('GET /audit')).body).toLowerCase()).not.toContain('example.com');
  });

  it('name channel and resource; list and global do not go together', async () => {
    expect(await post({ address: '+1 5', channel: 'open_sms', resource: 'shop' })).toMatchObject({
      status: 201,
      body: { address: '15', channel: 'open_sms', resource: 'shop', scope: 'list' },
    });
    for (const [json, pointer] of [
      [{ address: 'a', scope: 'list' }, '/resource'],
      [{ address: 'a', scope: 'global', resource: 'shop' }, '/resource'],
      [{ address: 'a', resource: 'shup' }, '/resource'],
      [{ address: 'a', channel: 'open_smz' }, '/channel'],
      [{ address: '   ' }, '/address'],
      [{ address: 'a\u0000' }, '/address'],
      [{ address: 'a', expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
    ] as const) {
      const answer = await post(json);
      expect(answer, JSON.stringify(json)).toMatchObject({ status: 422, body: { problems: [{ pointer }] } });
    }
  });

  it('come many at once, and one that is wrong costs no other', async () => {
    const { status, body } = await post({
      suppressions: [
        { address: 'm1@x.org' },
        { adress: 'm2' },
        { address: 'm3', channel: 'nope' },
        { address: 'M1@x.org', reason: 'twice' },
      ],
    });
    const { results } = body as { results: { id?: string; problem?: object }[] };
    expect(status).toBe(200);
    expect(results.map((each) => Object.keys(each)[0])).toEqual(['id', 'problem', 'problem', 'id']);
    expect(results[3]?.id).toBe(results[0]?.id);
    expect((await list('?address=m1@x.org')).data).toMatchObject([{ reason: 'twice' }]);
  });

  it('are imported as CSV and NDJSON, and exported as CSV', async () => {
    const csv =
      'address,reason,channel\nold@x.org,moved,\n,none,\n+49 160 1,sms,open_sms\nz@x.org,bad,nope\n';
    const tally = await api.call('POST /suppressions/import', {
      body: csv,
      headers: { 'content-type': 'text/csv' },
    });
    expect(tally).toMatchObject({
      status: 200,
      body: { created: 2, updated: 0, failed: 2, problems: [{ line: 3 }, { line: 5 }] },
    });
    const ndjson = '{"address":"OLD@x.org","reason":"moved again"}\n';
    const again = await api.call('POST /suppressions/import', {
      body: ndjson,
      headers: { 'content-type': 'application/x-ndjson' },
    });
    expect(again.body).toMatchObject({ created: 0, updated: 1, failed: 0 });
    const wrong = await api.call('POST /suppressions/import', {
      body: 'address,reson\n',
      headers: { 'content-type': 'text/csv' },
    });
    expect(wrong.text).toContain('Is it \\"reason\\"?');
    const { text } = await api.call('GET /suppressions?source=import', { headers: { accept: 'text/csv' } });
    const lines = text.trim().split('\r\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe('id,address,channel,resource,scope,reason,source,message,createdAt,expiresAt');
    expect(text).toContain(',old@x.org,,,global,moved again,import,');
    expect((await api.call('POST /suppressions/import', { body: csv, token: editor })).status).toBe(403);
  });

  it('are found by filters and in pages', async () => {
    const { data, pagination } = await list('?reason=moved%20again');
    expect([data.length, pagination.total]).toEqual([1, 1]);
    const all = await list('?limit=100');
    const seen: unknown[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Page = await list(`?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...page.data);
      cursor = page.pagination.nextCursor;
    }
    expect(seen).toEqual(all.data);
    expect((await list('?scope=list')).data).toMatchObject([{ resource: 'shop' }]);
    expect((await list('?channel=open_sms&source=api')).data).toMatchObject([{ resource: 'shop' }]);
    expect((await list('?channel=unknown')).data).toEqual([]);
  });

  it('of long addresses are compared by their hash', async () => {
    const address = `https://push.example/${'a'.repeat(4_000)}`;
    expect((await post({ address })).status).toBe(201);
    expect((await list(`?address=${address}`)).data).toMatchObject([{ address }]);
  });
});

describe('rules of sending', () => {
  const put = (json: object, more: Call = {}) => api.call('PUT /sending-rules', { json, ...more });
  const night = { from: '22:00', to: '08:00', timeZone: 'Europe/Berlin', onHit: 'hold' };

  it('are empty at first, kept as they are written, and audited', async () => {
    expect((await api.call('GET /sending-rules')).body).toEqual({ quietHours: [], caps: [] });
    const rules = {
      quietHours: [{ ...night, days: ['fri', 'sat'], timeZoneField: 'tz', channel: 'open_sms' }],
      caps: [{ category: 'offers', messages: 3, perHours: 24, onHit: 'drop' }],
    };
    expect(await put(rules)).toMatchObject({ status: 200, body: rules });
    expect((await api.call('GET /sending-rules', { token: editor })).body).toEqual(rules);
    expect((await put(rules, { token: editor })).status).toBe(403);
    const { data } = (await api.call('GET /audit')).body as Page;
    expect(data[0]).toMatchObject({ action: 'sending_rules.update', before: { caps: [] }, after: rules });
    const other = await api.tokenOf('admin', await api.otherAccount('Ruleless'));
    expect((await api.call('GET /sending-rules', { token: other })).body).toEqual({
      quietHours: [],
      caps: [],
    });
  });

  it.each([
    [
      'a zone that does not exist',
      [{ ...night, timeZone: 'Europe/Berln' }],
      '/quietHours/0/timeZone',
      'is no time zone',
    ],
    [
      'hours that end when they begin',
      [{ ...night, to: '22:00' }],
      '/quietHours/0/to',
      'end when they begin',
    ],
    [
      'a channel that is not there',
      [{ ...night, channel: 'nope' }],
      '/quietHours/0/channel',
      'no channel "nope"',
    ],
    ['a time that is none', [{ ...night, from: '24:00' }], '/quietHours/0/from', ''],
    [
      'a week without an hour to send in',
      [night, { ...night, from: '08:00', to: '22:00', channel: 'open_sms' }],
      '/quietHours',
      'fill the whole week',
    ],
  ])('with %s are refused', async (_name, quietHours, pointer, says) => {
    const { status, body } = await put({ quietHours, caps: [] });
    expect(status).toBe(422);
    expect((body as { problems: unknown[] }).problems).toMatchObject([
      { pointer, message: expect.stringContaining(says) },
    ]);
  });

  it('refuse caps that mean nothing, and members that do not exist', async () => {
    const cap = { messages: 1, perHours: 1, onHit: 'drop' };
    for (const wrong of [
      { messages: 0 },
      { perHours: 0 },
      { perHours: 1e6 },
      { onHit: 'wait' },
      { chanel: 'x' },
    ]) {
      expect((await put({ quietHours: [], caps: [{ ...cap, ...wrong }] })).status).toBe(422);
    }
  });
});
