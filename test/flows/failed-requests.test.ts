/** Requests of providers whose run failed are kept, seen and run again; refused ones are counted. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { databaseKinds } from '../support/database.ts';
import { until } from '../support/engine.ts';
import { messagePipeline, type Pipe, person, smsChannel } from '../support/sms-channel.ts';

const kinds = await databaseKinds();

/** Each report is looked up at the provider before it becomes an event. */
const asking: readonly Pipe[] = [
  { id: 1, type: 'unpack', outs: { success: 2 } },
  { id: 2, type: 'split', params: { items: '$in.data', as: 'report', each: 3 } },
  {
    id: 3,
    type: 'event',
    params: { sid: 'delivered', event: { external_id: '$in.report.id', time: '$now' } },
    outs: { success: 4 },
  },
  {
    id: 4,
    type: 'http_request',
    params: { url: '$sender.base_url/check', method: 'POST', content_type: 'json' },
  },
];

describe.each(kinds)('on the %s database', (kind) => {
  let corridor: Corridor;
  beforeAll(async () => {
    corridor = await openCorridor(kind);
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
    for (const [sid, listener] of [
      ['asking', {}],
      ['signed', { verify: { type: 'hmac', header: 'x-signature', secrets: ['$sender.webhook_secret'] } }],
    ] as const) {
      await corridor.addChannel(
        smsChannel(sid, messagePipeline(), { listener, pipelines: { listener: asking } }),
      );
      await corridor.addSender(sid, 'main', { webhook_secret: 'a-secret-of-this-sender' });
    }
  });
  afterAll(() => corridor.end());

  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    corridor.listen(path, { headers, body });
  const listed = async (query = '') => (await corridor.api(`GET /listener/requests${query}`)).body;
  const sentAs = async (externalId: string) => {
    await corridor.provider.script('/send', { body: { id: externalId } });
    const id = await corridor.send('asking', person(`p-${externalId}`));
    await corridor.idle();
    return id;
  };

  it('keeps what was not readable, without what proves who asked', async () => {
    const answer = await post('asking/1/main', 'no JSON, but a-secret-of-this-sender', {
      authorization: 'Bearer of-the-provider',
      'x-delivery': '7',
    });
    expect(answer.status).toBe(200);
    await corridor.idle();
    const page = await listed('?channel=asking&reason=PARSE_FAILED');
    expect(page).toMatchObject({
      pagination: { total: 1 },
      data: [{ channel: 'asking', state: 'failed', reason: 'PARSE_FAILED', runs: 1 }],
    });
    const { body } = await corridor.api(`GET /listener/requests/${page.data[0].id}`);
    expect(body.request).toMatchObject({ method: 'POST', sender: 'main', headers: { 'x-delivery': '7' } });
    expect(body.request.headers).not.toHaveProperty('authorization');
    expect(body.request.body).toBe('no JSON, but ***');
    expect(await corridor.dump()).not.toContain('of-the-provider');
    expect(await corridor.dump()).not.toContain('a-secret-of-this-sender');
    expect((await listed('?reason=PARSE_FAILED&channel=signed')).pagination.total).toBe(0);
  });

  it('runs one again, and registers nothing twice', async () => {
    const [first, second] = [await sentAs('f-1'), await sentAs('f-2')];
    await corridor.provider.script('/check', { status: 200 }, { status: 400 });
    await post('asking/1/main', JSON.stringify([{ id: 'f-1' }, { id: 'f-2' }]));
    await corridor.idle();
    const [{ id }] = (await listed('?state=failed&reason=HTTP_STATUS_400')).data;
    await corridor.provider.script('/check', { status: 400 });
    expect((await corridor.api(`POST /listener/requests/${id}/run`)).body).toEqual({ run: 1 });
    await corridor.idle();
    expect((await listed('?reason=HTTP_STATUS_400')).data).toMatchObject([{ id, state: 'failed', runs: 2 }]);
    await corridor.provider.script('/check', { status: 200 });
    expect((await corridor.api(`POST /listener/requests/${id}/run`)).status).toBe(202);
    await corridor.idle();
    expect((await listed('?reason=HTTP_STATUS_400')).data).toMatchObject([{ id, state: 'done', runs: 3 }]);
    expect((await corridor.api(`POST /listener/requests/${id}/run`)).status).toBe(409);
    for (const message of [first, second]) {
      const { state, events } = await corridor.view(message);
      expect(state).toBe('delivered');
      expect(events.filter((each) => each.sid === 'delivered')).toHaveLength(1);
    }
  });

  it('runs all that fit a filter, of this account only', async () => {
    await sentAs('all-1');
    await corridor.provider.script('/check', { status: 400 });
    await post('asking/1/main', JSON.stringify([{ id: 'all-1' }]));
    await post('asking/1/main', JSON.stringify([{ id: 'all-1' }]));
    await corridor.idle();
    const { body: counts } = await corridor.api('GET /listener/counts');
    expect(counts.failed).toContainEqual({ channel: 'asking', reason: 'HTTP_STATUS_400', count: 2 });
    await corridor.provider.script('/check', { status: 200 });
    const { status, body } = await corridor.api('POST /listener/requests/run', { reason: 'HTTP_STATUS_400' });
    expect([status, body]).toEqual([202, { run: 2 }]);
    await corridor.idle();
    expect((await listed('?state=failed&reason=HTTP_STATUS_400')).pagination.total).toBe(0);
    expect((await corridor.api('POST /listener/requests/run', {})).status).toBe(422);
  });

  it('says once to operators that requests failed', async () => {
    await post('asking/1/main', 'not readable either');
    await corridor.idle();
    const told = async () =>
      (await corridor.api('GET /operator-events?type=listener.failed')).body.data.filter(
        (each: { data: { reason: string } }) => each.data.reason === 'PARSE_FAILED',
      );
    await corridor.housekeeping.announceFailed();
    expect(await told()).toHaveLength(1);
    await corridor.housekeeping.announceFailed();
    expect(await told()).toHaveLength(1);
    expect((await told())[0].data).toMatchObject({ channel: 'asking', reason: 'PARSE_FAILED', count: 2 });
  });

  it('counts what is refused, by channel and reason, and shows the last few', async () => {
    for (let index = 0; index < 7; index += 1) {
      expect(
        (await post('signed/1/main', `[${index}]`, { authorization: 'of-nobody', 'x-token': 'of-nobody' }))
          .status,
      ).toBe(401);
    }
    expect((await post('signed/1/nobody', '[]', { 'x-own-token': 'of-nobody' })).status).toBe(404);
    const refused = async () =>
      (await corridor.api('GET /listener/counts')).body.refused.filter(
        (each: { channel: string }) => each.channel === 'signed',
      );
    await until(async () => (await refused()).length === 2);
    const rows = await refused();
    expect(rows).toMatchObject([
      { reason: 'SENDER_UNKNOWN', count: 1 },
      { reason: 'SIGNATURE_INVALID', count: 7 },
    ]);
    expect(rows[1].last).toHaveLength(5);
    expect(rows[1].last[4]).toMatchObject({ method: 'POST', bytes: 3 });
    expect(JSON.stringify(rows)).not.toContain('of-nobody');
  });
});
