/** Operator events: what is told of lanes, mailings, messages, channels and nodes, in the list, the log and webhooks. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR_EVENTS, type OperatorEventName } from '../../src/flows/operator-event-types.ts';
import { enterNode } from '../../src/storage/claim.ts';
import { takeOver } from '../../src/storage/take-over.ts';
import { compileSchema } from '../../src/validate.ts';
import type { ApiAnswer, Corridor } from '../support/corridor.ts';
import { until } from '../support/engine.ts';
import { type MailingCorridor, openMailings } from '../support/mailing-corridor.ts';
import { addWebhook, expectedSignature, type Receiver, startReceiver } from '../support/receiver.ts';
import { messagePipeline, person, smsChannel } from '../support/sms-channel.ts';

let mailings: MailingCorridor;
let corridor: Corridor;
let receiver: Receiver;
beforeAll(async () => {
  [mailings, receiver] = await Promise.all([openMailings(), startReceiver()]);
  ({ corridor } = mailings);
});
afterAll(async () => {
  await receiver.kill();
  await corridor.end();
});

type Told = ApiAnswer['body'];
const toldOf = async (type: OperatorEventName): Promise<Told[]> => {
  const { status, body } = await corridor.api(`GET /operator-events?limit=100&type=${type}`);
  expect(status).toBe(200);
  const { check } = compileSchema(OPERATOR_EVENTS[type].data);
  for (const each of body.data) expect(check(each.data)).toEqual([]);
  return body.data.toReversed();
};
const receivedOf = async (type: OperatorEventName) =>
  (await receiver.received()).filter((each) => each.body.type === type);
/** The lines of the log about events of this type. */
const loggedOf = (type: OperatorEventName) =>
  corridor
    .logged()
    .split('\n')
    .filter((line) => line.includes(`"event":"${type}"`));

/** Sends until the provider, which refuses everything, has its lane opened. */
const openLaneOf = async (channel: string, answer: object) => {
  const refused = { url: `$sender.base_url/${channel}?token=\${sender.token}`, retry: { attempts: 1 } };
  await corridor.addChannel(smsChannel(channel, messagePipeline(refused)));
  await corridor.addSender(channel);
  await corridor.provider.script(`/${channel}`, answer);
  for (let index = 0; index < 20; index += 1) await corridor.send(channel, person(`${channel}-${index}`));
  await until(async () => (await toldOf('lane.opened')).some((each) => each.data.channel === channel));
};

describe('a lane that opens', () => {
  it('comes as a signed webhook with channel, sender, last request and excerpt, and without secrets', async () => {
    const { secret } = await addWebhook(corridor, receiver.url, ['lane.opened', 'lane.closed']);
    await openLaneOf('down', { status: 503, body: 'out of order, secret-token-main' });
    await until(async () => (await receivedOf('lane.opened')).length > 0);
    const [told] = (await toldOf('lane.opened')).filter((each) => each.data.channel === 'down');
    const [received] = await receivedOf('lane.opened');
    expect(received?.body).toEqual({ type: 'lane.opened', timestamp: told.at, data: told.data });
    expect(received?.id).toBe(told.id);
    expect(told.data).toMatchObject({
      channel: 'down',
      sender: 'main',
      code: 'HTTP_STATUS',
      status: 503,
      request: `POST ${corridor.provider.url}/down?token=***`,
      excerpt: 'out of order, ***',
    });
    expect(received?.signatures).toEqual([expectedSignature(received as never, secret)]);
    expect(Math.abs((received?.timestamp ?? 0) * 1_000 - corridor.runtime.clock.now())).toBeLessThan(60_000);
    expect(JSON.stringify(await receiver.received())).not.toContain('secret-token');

    const [line] = loggedOf('lane.opened');
    expect(line).toContain('a lane was opened');
    expect(line).toContain(`"id":"${told.id}"`);
    for (const [name, value] of Object.entries(told.data)) {
      expect(line).toContain(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
    }
  });

  it('is told once, however often its probe fails, and again when it closes by hand', async () => {
    const ofDown = (told: Told[]) => told.filter((each) => each.data.channel === 'down');
    const [opened] = ofDown(await toldOf('lane.opened'));
    // One more to probe with.
    await corridor.send('down', person('down-probe'));
    const timesOpened = async () =>
      (
        await corridor.database.query<{ n: number }>('select times_opened as n from lane where id = $1', [
          opened.data.laneId,
        ])
      )[0]?.n ?? 0;
    await corridor.pass(6);
    await until(async () => (await timesOpened()) > 1);
    expect(ofDown(await toldOf('lane.opened'))).toHaveLength(1);
    await corridor.api(`POST /lanes/${opened.data.laneId}/reset`);
    const [closed] = ofDown(await toldOf('lane.closed'));
    expect(closed.data).toMatchObject({ sender: 'main', by: 'reset', laneId: opened.data.laneId });
    expect(closed.data.openedAt <= opened.at).toBe(true);
  });

  it('that many accounts share is told to all of them, without what may be of another account', async () => {
    await corridor.api('POST /accounts', { name: 'second' });
    const refused = messagePipeline({ retry: { attempts: 1 } });
    await corridor.addChannel({ ...smsChannel('everyones', refused), lane: 'channel' });
    await corridor.database.query('update channel set account_id = null where sid = $1', ['everyones']);
    corridor.directory.forget();
    await corridor.addSender('everyones');
    await corridor.provider.script('/send', {
      status: 500,
      body: `about\u0000 somebody ${'😀'.repeat(120)}`,
    });
    for (let index = 0; index < 20; index += 1) await corridor.send('everyones', person(`every-${index}`));
    await until(async () => (await toldOf('lane.opened')).some((each) => each.data.channel === 'everyones'));
    const told = (await toldOf('lane.opened')).find((each) => each.data.channel === 'everyones');
    expect(told).toMatchObject({ scope: 'platform', data: { status: 500, excerpt: null, request: null } });
    await corridor.provider.script('/send', { status: 202 });
  });

  it('or is paused and resumed by hand is told when that changes something', async () => {
    const [{ data: lane }] = (await toldOf('lane.opened')) as [Told];
    for (const verb of ['pause', 'pause', 'resume', 'resume']) {
      expect((await corridor.api(`POST /lanes/${lane.laneId}/${verb}`)).status).toBe(204);
    }
    const named = { channel: 'down', sender: 'main', lane: lane.lane, laneId: lane.laneId };
    expect((await toldOf('lane.paused')).map((each) => each.data)).toEqual([named]);
    expect((await toldOf('lane.resumed')).map((each) => each.data)).toEqual([named]);
  });
});

describe('a mailing', () => {
  it('that starts and finishes is told once each, with counts', async () => {
    await addWebhook(corridor, receiver.url, ['mailing.started', 'mailing.finished']);
    await mailings.channelWith('told');
    const id = await mailings.create('told');
    await mailings.act(id, 'start');
    await corridor.idle();
    await until(async () => (await receivedOf('mailing.finished')).length > 0);
    const named = { mailing: id, name: 'Spring', channel: 'told', sender: 'main' };
    const [launch] = (await mailings.show(id)).launches;
    expect((await toldOf('mailing.started')).map((each) => each.data)).toEqual([
      { ...named, launch: launch.id },
    ]);
    expect((await receivedOf('mailing.finished')).map((each) => each.body.data)).toEqual([
      { ...named, launch: launch.id, startedAt: launch.startedAt, counts: { sent: 5 } },
    ]);
    expect(loggedOf('mailing.finished')).toHaveLength(1);
  });

  it('that is tested is no news; one that is stopped is', async () => {
    await mailings.channelWith('ended', undefined);
    await corridor.provider.script('/send', { status: 503 });
    const id = await mailings.create('ended');
    await mailings.act(id, 'test', { profiles: ['ann'] });
    await corridor.idle();
    await mailings.act(id, 'start');
    await mailings.act(id, 'stop');
    await corridor.idle();
    const about = async (type: OperatorEventName) =>
      (await toldOf(type)).filter((each) => each.data.mailing === id);
    expect(await about('mailing.started')).toHaveLength(1);
    expect(await about('mailing.finished')).toHaveLength(0);
    expect(await about('mailing.stopped')).toMatchObject([{ data: { by: 'request', channel: 'ended' } }]);
    await corridor.provider.script('/send', { status: 202 });
  });

  it('that the moderation refuses is told with the reason', async () => {
    await corridor.addChannel({
      sid: 'wall',
      name: 'wall',
      type: 'social',
      communication: 'indirect',
      moderate: true,
      events: [],
      fields: {
        resource: [{ field: 'page', type: 'string', name: 'Page' }],
        template: [{ field: 'text', type: 'text', name: 'Text', required: true }],
      },
      pipelines: {
        message: [{ id: 1, type: 'log', params: { level: 'info', message: 'published' } }],
        moderate: [
          {
            id: 1,
            type: 'selector',
            params: { outs: [{ query: "$template.text = 'x'", out: 3 }] },
            outs: { success: 2 },
          },
          { id: 2, type: 'event', params: { event_type: 'moderate_pass' } },
          { id: 3, type: 'event', params: { event_type: 'moderate_error', event: { message: 'Too loud' } } },
        ],
      },
    });
    const made = await corridor.api('POST /mailings', {
      name: 'Wall',
      channel: 'wall',
      resource: 'shop',
      template: { text: 'x' },
    });
    await mailings.act(made.body.id, 'start');
    await corridor.idle();
    expect((await toldOf('mailing.rejected')).map((each) => each.data)).toMatchObject([
      { mailing: made.body.id, channel: 'wall', sender: null, reason: 'Too loud' },
    ]);
    expect((await toldOf('mailing.started')).some((each) => each.data.mailing === made.body.id)).toBe(false);
  });
});

describe('messages', () => {
  const about = async (channel: string) =>
    (await toldOf('message.exhausted')).map((each) => each.data).filter((data) => data.channel === channel);

  it('that are given up after all their tries are told together', async () => {
    await corridor.addChannel(
      smsChannel('tired', messagePipeline({ url: '$sender.base_url/tired', retry: { delays: [60] } })),
    );
    await corridor.addSender('tired');
    await corridor.provider.script('/tired', { status: 503 });
    const messages = Array.from({ length: 12 }, (_, index) => ({
      channel: 'tired',
      resource: 'shop',
      template: { text: 'Hi' },
      ...person(`tired-${index}`),
    }));
    const { body } = await corridor.api('POST /messages', { messages });
    await corridor.idle();
    expect(await about('tired')).toEqual([]);
    await corridor.pass(61);
    const told = await about('tired');
    expect(told.reduce((sum, each) => sum + each.count, 0)).toBe(12);
    const ids = new Set(body.results.map((each: { id: string }) => each.id));
    for (const each of told) {
      expect(each).toMatchObject({ sender: 'main', state: 'failed', reason: 'HTTP_STATUS_503' });
      expect(each.messages).toHaveLength(Math.min(10, each.count));
      expect(each.messages.every((id: string) => ids.has(id))).toBe(true);
    }
  });

  it('that the provider refuses are no news; that may have been sent are', async () => {
    await corridor.addChannel(smsChannel('odd', messagePipeline({ url: '$sender.base_url/odd' })));
    await corridor.addSender('odd');
    await corridor.provider.script('/odd', { status: 400 }, { end: 'close' });
    await corridor.send('odd', person('odd-1'));
    await corridor.idle();
    expect(await about('odd')).toEqual([]);
    const id = await corridor.send('odd', person('odd-2'));
    await corridor.idle();
    expect(await about('odd')).toEqual([
      { channel: 'odd', sender: 'main', state: 'unknown', reason: 'HTTP_NETWORK', count: 1, messages: [id] },
    ]);
  });
});

describe('everything else', () => {
  it('a channel is told with what changed', async () => {
    const { events: _events, ...rest } = smsChannel('own_one', [
      { id: 1, type: 'log', params: { message: 'x' } },
    ]);
    const document = { ...rest, events: [] };
    expect((await corridor.api('POST /channels', document)).status).toBe(201);
    await corridor.api('PUT /channels/own_one', { ...document, name: 'Other' });
    await corridor.api('PUT /channels/own_one', { ...document, name: 'Other' });
    await corridor.api('PUT /channels/own_one/status', { status: 'paused' });
    await corridor.api('DELETE /channels/own_one');
    const told = (await toldOf('channel.changed')).map((each) => each.data);
    expect(told.filter((data) => data.channel === 'own_one')).toEqual([
      { channel: 'own_one', change: 'create', version: 1, status: null },
      { channel: 'own_one', change: 'update', version: 2, status: null },
      { channel: 'own_one', change: 'status', version: null, status: 'paused' },
      { channel: 'own_one', change: 'delete', version: null, status: null },
    ]);
  });

  it('a node that died is told to everyone, with how much it had under way', async () => {
    const { database, runtime } = corridor;
    const nowMs = runtime.clock.now();
    const dead = await enterNode(database, 'dead-host/1');
    const own = corridor.worker.node();
    await database.query("update node set heartbeat_at = now() - interval '1 hour' where id = $1", [dead]);
    const [lane] = await database.query<{ id: number }>('select id from lane order by id limit 1');
    await database.query(
      `insert into waiting (id, lane_id, due_at, owner, pipeline, channel_version_id)
       select gen_random_uuid(), $1, '9000-01-01', $2, 3, 0 from generate_series(1, 3)`,
      [lane?.id ?? 0, dead],
    );
    const taken = await takeOver(database, own, 900_000, nowMs);
    expect(taken.orphans).toHaveLength(3);
    expect(taken.emitted).toMatchObject([
      { type: 'node.lost', account: null, data: { node: dead, claims: 3 } },
    ]);
    await database.query('delete from waiting where id = any($1::uuid[])', [
      taken.orphans.map((each) => each.id),
    ]);
    expect(await takeOver(database, own, 900_000, nowMs)).toEqual({
      heir: undefined,
      orphans: [],
      emitted: [],
    });
    expect(await toldOf('node.lost')).toMatchObject([{ scope: 'platform', data: { name: 'dead-host/1' } }]);
  });

  it('the list goes on after an event, by pages, and for its own account', async () => {
    const all = (await corridor.api('GET /operator-events?limit=100')).body;
    const [newest, second, third] = all.data;
    const after = (await corridor.api(`GET /operator-events?after=${third.id}`)).body;
    expect(after.data.map((each: Told) => each.id)).toEqual([newest.id, second.id]);
    const page = (await corridor.api('GET /operator-events?limit=1')).body;
    expect(page.data).toEqual([newest]);
    const next = (await corridor.api(`GET /operator-events?limit=1&cursor=${page.pagination.nextCursor}`))
      .body;
    expect(next.data).toEqual([second]);
    expect((await corridor.api('GET /operator-events?type=nothing')).status).toBe(400);
    expect((await corridor.api('GET /operator-events?after=x')).status).toBe(422);
    const { body } = await corridor.api('POST /accounts', { name: 'third' });
    const theirs = await corridor.api('GET /operator-events?limit=100', undefined, {
      authorization: `Bearer ${body.token}`,
    });
    expect(new Set(theirs.body.data.map((each: Told) => each.scope))).toEqual(new Set(['platform']));
  });

  it('no secret came into the database in the clear', async () => {
    expect(await corridor.dump()).not.toMatch(/whsec_|secret-token-main/);
  });
});
