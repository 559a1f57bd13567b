/** A provider that asks for rest gets it, from all processes; nothing fails and no try is spent. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { databaseKinds } from '../support/database.ts';
import { until } from '../support/engine.ts';
import { messagePipeline, person, smsChannel } from '../support/sms-channel.ts';

const kinds = await databaseKinds();
const SLOW = { status: 429, headers: { 'retry-after': '100' } };

describe.each(kinds)('rest, on the %s database', (kind) => {
  let corridor: Corridor;
  beforeAll(async () => {
    corridor = await openCorridor(kind);
    for (const sid of ['shop', 'second']) {
      await corridor.api('POST /resources', { sid, name: sid, channels: {} });
    }
    await add('control', {});
  });
  afterAll(() => corridor.end());

  let people = 0;
  const send = (sid: string, more: object = {}) => {
    people += 1;
    return corridor.send(sid, { ...person(`p-${people}`), ...more });
  };
  const add = async (
    sid: string,
    params: object,
    ...steps: Parameters<Corridor['provider']['script']>[1][]
  ) => {
    const request = { url: `$sender.base_url/${sid}`, retry: { delays: [1] }, ...params };
    await corridor.addChannel(smsChannel(sid, messagePipeline(request)));
    await corridor.addSender(sid);
    await corridor.provider.script(`/${sid}`, ...steps);
  };
  const requestsTo = async (sid: string) =>
    (await corridor.provider.log()).filter((each) => each.path === `/${sid}`).length;
  const laneOf = async (sid: string) =>
    (await corridor.api('GET /lanes')).body.data.find((lane: { channel: string }) => lane.channel === sid);
  /** Another channel's message has gone, and so would have gone what was sent before it. */
  const control = async () => {
    for (let each = 0; each < 2; each += 1) {
      const id = await send('control');
      await until(async () => (await corridor.view(id)).state === 'sent');
    }
  };
  const stateOf = async (id: string) => (await corridor.view(id)).state;

  it('is kept by a lane without a limit, and by the next process', async () => {
    await add('plain', {}, SLOW, { status: 202 });
    const first = await send('plain');
    await until(async () => (await laneOf('plain'))?.heldUntil != null);
    if (kind === 'server') await corridor.another();
    const others = await Promise.all(Array.from({ length: 20 }, () => send('plain')));
    await control();
    expect(await requestsTo('plain')).toBe(1);
    await corridor.pass(105);
    expect(await requestsTo('plain')).toBe(22);
    for (const id of [first, ...others]) expect(await stateOf(id)).toBe('sent');
  });

  it('ends by hand', async () => {
    await add('by_hand', {}, SLOW, { status: 202 });
    await send('by_hand');
    await until(async () => (await laneOf('by_hand'))?.heldUntil != null);
    const id = await send('by_hand');
    await control();
    expect(await requestsTo('by_hand')).toBe(1);
    const lane = await laneOf('by_hand');
    expect((await corridor.api(`POST /lanes/${lane.id}/reset`)).status).toBe(204);
    await until(async () => (await stateOf(id)) === 'sent');
    expect((await corridor.api(`POST /lanes/${lane.id}/reset`)).status).toBe(404);
  });

  it('is kept when the headers say that nothing remains', async () => {
    const spent = { status: 202, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '40' } };
    await add('spent', {}, spent, { status: 202 });
    const first = await send('spent');
    await until(async () => (await stateOf(first)) === 'sent');
    await until(async () => (await laneOf('spent'))?.heldUntil != null);
    await send('spent');
    await control();
    expect(await requestsTo('spent')).toBe(1);
    await corridor.pass(45);
    expect(await requestsTo('spent')).toBe(2);
  });

  it('is kept by all that share a limit, in other lanes too', async () => {
    const limit = { requests: 100, per: 1, scope: 'channel' };
    await add('shared', { limit }, SLOW, { status: 202 });
    await corridor.addSender('shared', 'other');
    await send('shared', { sender: 'main' });
    await until(async () => {
      const [row] = await corridor.database.query<{ held: boolean }>(
        'select bool_or(held_ms > 0) as held from rate_limit',
      );
      return row?.held === true;
    });
    const id = await send('shared', { sender: 'other' });
    await until(async () => {
      const later = new Date(corridor.runtime.clock.now() + 30_000);
      const find = 'select 1 from waiting where message_id = $1 and owner is null and due_at > $2';
      return (await corridor.database.query(find, [id, later])).length === 1;
    });
    await control();
    expect(await requestsTo('shared')).toBe(1);
    const view = await corridor.view(id);
    expect(view.attempts).toEqual([]);
    await corridor.pass(105);
    expect(await stateOf(id)).toBe('sent');
    expect(await requestsTo('shared')).toBe(3);
  });

  it('of one resource does not hold up another', async () => {
    const limit = { requests: 100, per: 1, scope: 'resource' };
    await add('apart', { limit }, SLOW, { status: 202 });
    await send('apart', { resource: 'shop' });
    await until(async () => {
      const rows = await corridor.database.query(
        "select 1 from rate_limit where key like '%/resource/%' and held_ms > 0",
      );
      return rows.length === 1;
    });
    const held = await send('apart', { resource: 'shop' });
    const free = await send('apart', { resource: 'second' });
    await until(async () => (await stateOf(free)) === 'sent');
    await control();
    expect(await requestsTo('apart')).toBe(2);
    await corridor.pass(105);
    expect(await stateOf(held)).toBe('sent');
  });
});

describe('a limit of two pipes', () => {
  it('is counted for each pipe, and for the channel as a whole', async () => {
    const corridor = await openCorridor();
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
    const limit = { requests: 9, per: 60, scope: 'sender' };
    const [pack, request, unpack, event] = messagePipeline({ limit });
    const second = { ...request, id: 5, outs: { success: 3 } };
    const pipeline = [pack, { ...request, outs: { success: 5 } }, second, unpack, event];
    await corridor.addChannel(smsChannel('twice', pipeline as never, { limits: { requests: 50, per: 60 } }));
    await corridor.addSender('twice');
    await corridor.send('twice', person('one'));
    await corridor.idle();
    const rows = await corridor.database.query<{ key: string; requests: number }>(
      'select key, requests from rate_limit order by requests, key',
    );
    const [channelId] = rows[0]?.key.split('/') ?? [];
    expect(rows.map((row) => [row.key.replace(/\/[0-9a-f-]{36}\//, '/…/'), row.requests])).toEqual([
      [`${channelId}/sender/…/message/2`, 9],
      [`${channelId}/sender/…/message/5`, 9],
      [`${channelId}/channel//`, 50],
    ]);
    await corridor.end();
  });
});
