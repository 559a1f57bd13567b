/** Guards, fallback, content items, mailings and operator events at work on the same messages. */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enterNode } from '../../src/storage/claim.ts';
import { addItem, addVersion, archiveItem, publishVersion } from '../support/content-rows.ts';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { databaseKinds } from '../support/database.ts';
import { until } from '../support/engine.ts';
import type { Step } from '../support/scripted-provider.ts';
import { listenerPipeline, messagePipeline, type Pipe, request, smsChannel } from '../support/sms-channel.ts';

const kinds = await databaseKinds();
const DAY_MS = 86_400_000;
const NO_RULES = { quietHours: [], caps: [] };

describe.each(kinds)('on the %s database', (kind) => {
  let corridor: Corridor;
  let names = 0;
  beforeAll(async () => {
    corridor = await openCorridor(kind);
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
  });
  afterAll(() => corridor.end());

  const put = async (call: string, json?: unknown) => {
    const answer = await corridor.api(call, json);
    if (answer.status >= 300) throw new Error(`${call}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  /** A channel with the senders alpha and beta, who write to `/<sid>/<sender>/send`. */
  const channel = async (sid: string, message: readonly Pipe[] = messagePipeline(), more: object = {}) => {
    await corridor.addChannel(
      smsChannel(sid, message, {
        content: { sms_text: { text: 'body' } },
        pipelines: { listener: listenerPipeline },
        ...more,
      }),
    );
    for (const sender of ['alpha', 'beta'])
      await corridor.addSender(sid, sender, { base_url: `${corridor.provider.url}/${sid}/${sender}` });
  };
  /** From alpha to beta. */
  const fallback = (sid: string, ...fallbackOn: (string | number)[]) =>
    put(`PUT /channels/${sid}/sender-rules`, {
      rules: [{ name: 'all', senders: [{ sender: 'alpha' }], fallback: ['beta'], fallbackOn }],
    });
  const script = (sid: string, sender: string, ...steps: Step[]) =>
    corridor.provider.script(`/${sid}/${sender}/send`, ...steps);
  const someone = () => {
    names += 1;
    const fields = { phone: `+49 15${names} 000` };
    return { profile: { externalId: `c-${names}`, fields: {}, subscription: { fields } } };
  };
  const send = async (sid: string, more: object = {}) => {
    const id = await corridor.send(sid, { ...someone(), ...more });
    await corridor.idle();
    return id;
  };
  const rules = async (more: object = NO_RULES) => {
    await put('PUT /sending-rules', { ...NO_RULES, ...more });
    // What was remembered of the account is forgotten.
    await corridor.pass(3);
  };
  /** Quiet hours from one hour to another, counted from now. */
  const quiet = (fromHours: number, toHours: number, onHit: 'hold' | 'drop' = 'hold') => {
    const hour = (hours: number) => {
      const at = new Date(corridor.runtime.clock.now() + hours * 3_600_000);
      return at.toISOString().slice(11, 16);
    };
    return { from: hour(fromHours), to: hour(toHours), timeZone: 'UTC', onHit };
  };
  const exhausted = async (sid: string) =>
    (await put('GET /operator-events?limit=100&type=message.exhausted')).data
      .map((each: { data: { channel: string } }) => each.data)
      .filter((data: { channel: string }) => data.channel === sid);

  describe('nobody is told that a message is unknown', () => {
    it('of which a later run does not know how it went: it was sent', async () => {
      const [pack, first] = messagePipeline();
      const second = request({ url: '$sender.base_url/second', retry: { delays: [10] } });
      await channel('later_unknown', [
        pack as Pipe,
        { ...(first as Pipe), outs: { success: 4 } },
        { id: 4, type: 'event', params: { sid: 'accepted' }, outs: { success: 5 } },
        { id: 5, type: second.type, ...(second.params && { params: second.params }) },
      ]);
      await corridor.provider.script('/later_unknown/alpha/second', { status: 503 }, { end: 'close' });
      const id = await send('later_unknown', { sender: 'alpha' });
      await corridor.pass(11);
      const view = await corridor.view(id);
      expect(view.attempts.map(({ outcome }) => outcome)).toEqual(['waiting', 'unknown']);
      expect(view).toMatchObject({ state: 'sent' });
      expect(await exhausted('later_unknown')).toEqual([]);
    });

    it('that its node left in doubt: it was reported as delivered in the meantime', async () => {
      await channel('left', messagePipeline({ retry: { delays: [3_600] } }));
      await script('left', 'alpha', { status: 503 });
      const [reported, silent] = [
        await send('left', { sender: 'alpha' }),
        await send('left', { sender: 'alpha' }),
      ];
      const { database, runtime } = corridor;
      const dead = await enterNode(database, 'dead');
      await database.query("update node set heartbeat_at = 'epoch' where id = $1", [dead]);
      await database.query('update waiting set owner = $1, due_at = $3 where id = any($2::uuid[])', [
        dead,
        [reported, silent],
        new Date(runtime.clock.now()),
      ]);
      await corridor.listen('left/1/alpha', {
        body: JSON.stringify({ message: reported, type: 'delivered' }),
      });
      await until(async () => (await corridor.view(reported)).state === 'delivered');
      await corridor.housekeeping.takeOverAfter(365 * DAY_MS);
      expect(await corridor.view(reported)).toMatchObject({ state: 'delivered' });
      expect(await corridor.view(silent)).toMatchObject({ state: 'unknown', reason: 'ENGINE_DIED' });
      expect(await exhausted('left')).toMatchObject([{ state: 'unknown', count: 1, messages: [silent] }]);
    });
  });

  describe('a message that is held', () => {
    afterAll(() => rules());

    it('says why, also on its second attempt', async () => {
      await channel('held_again', messagePipeline({ retry: { attempts: 1 } }));
      await fallback('held_again', 'server');
      await script('held_again', 'alpha', { status: 400 });
      const id = await send('held_again');
      expect(await corridor.view(id)).toMatchObject({ state: 'failed', reason: 'HTTP_STATUS_400' });
      await rules({ quietHours: [quiet(-2, 2)] });
      await put('POST /messages/redrive', { ids: [id] });
      await corridor.idle();
      expect(await corridor.view(id)).toMatchObject({ state: 'queued', reason: 'QUIET_HOURS', attempt: 2 });
      await rules();
      await script('held_again', 'alpha', { status: 202 });
      await corridor.pass(3 * 3_600);
      expect(await corridor.view(id)).toMatchObject({ state: 'sent', reason: null, attempt: 2 });
    });

    it('says what it waits for when that changes', async () => {
      await channel('held_retry', messagePipeline({ retry: { delays: [7_200, 60] } }));
      await script('held_retry', 'alpha', { status: 503 }, { status: 502 }, { status: 202 });
      await rules({ quietHours: [quiet(1, 4)] });
      const id = await send('held_retry', { sender: 'alpha' });
      const reason = async () => (await corridor.view(id)).reason;
      expect(await reason()).toBe('HTTP_STATUS_503');
      await corridor.pass(7_210);
      expect(await reason()).toBe('QUIET_HOURS');
      await corridor.pass(3 * 3_600);
      expect(await reason()).toBe('HTTP_STATUS_502');
      await corridor.pass(61);
      expect(await corridor.view(id)).toMatchObject({ state: 'sent', reason: null });
    });
  });

  describe('a message that is held, with an item of content,', () => {
    afterAll(() => rules());
    const greeting = { channelType: 'sms_text', content: { body: 'Good morning' }, personalization: [] };
    const textOf = async (id: string) => {
      const log = await corridor.provider.log();
      return log
        .filter((each) => each.reference === id)
        .map(({ path, body }) => [path, JSON.parse(body).text]);
    };

    it('moves on out of an open lane, waits there until its hours are over, and keeps its version', async () => {
      await channel('held_moved');
      await fallback('held_moved', 'open_lane');
      await rules({ quietHours: [quiet(-2, 2)] });
      const { database, runtime, accountId } = corridor;
      const itemId = await addItem(database, accountId, greeting);
      const id = await send('held_moved', { contentItemId: itemId, template: undefined });
      await addVersion(database, itemId, 2, { content: { body: 'Good evening' } });
      await publishVersion(database, itemId, 2);
      await database.query(
        `update lane set breaker = 'open', opened_at = $1, probe_at = $2
         where id = (select lane_id from message where id = $3)`,
        [new Date(runtime.clock.now()), new Date(runtime.clock.now() + DAY_MS), id],
      );
      expect(await corridor.housekeeping.moveOpenLanes()).toBe(1);
      await corridor.idle();
      const moved = { state: 'queued', reason: 'QUIET_HOURS', sender: 'beta', attempt: 2 };
      expect(await corridor.view(id)).toMatchObject(moved);
      await corridor.pass(3 * 3_600);
      const view = await corridor.view(id);
      expect(view).toMatchObject({ state: 'sent', reason: null, sender: 'beta', contentVersion: 1 });
      expect(view.attempts.map(({ outcome }) => outcome)).toEqual(['waiting', 'moved', 'done']);
      expect(await textOf(id)).toEqual([['/held_moved/beta/send', 'Good morning']]);
    });

    it('falls back when it was let go, to what was published when it was accepted', async () => {
      await channel('held_fallen', messagePipeline({ retry: { attempts: 1 } }));
      await fallback('held_fallen', 'server');
      await script('held_fallen', 'alpha', { status: 503 });
      await rules({
        quietHours: [quiet(-2, 2)],
        caps: [{ channel: 'held_fallen', messages: 1, perHours: 24, onHit: 'drop' }],
      });
      const itemId = await addItem(corridor.database, corridor.accountId, greeting);
      const who = someone();
      const id = await send('held_fallen', { ...who, contentItemId: itemId, template: undefined });
      await corridor.pass(3 * 3_600);
      expect(await corridor.view(id)).toMatchObject({ state: 'sent', sender: 'beta', attempt: 2 });
      expect(await textOf(id)).toEqual([
        ['/held_fallen/alpha/send', 'Good morning'],
        ['/held_fallen/beta/send', 'Good morning'],
      ]);
      const next = await send('held_fallen', { ...who, contentItemId: itemId, template: undefined });
      expect(await corridor.view(next)).toMatchObject({ state: 'suppressed', reason: 'FREQUENCY_CAP' });
      expect(await exhausted('held_fallen')).toEqual([]);
    });
  });

  describe('a mailing whose messages are held', () => {
    afterAll(() => rules());
    const mailing = async (sid: string) => {
      await channel(sid);
      for (const person of [someone(), someone()]) {
        const { externalId, subscription } = person.profile;
        await put('POST /profiles', { externalId });
        await put('POST /subscriptions', {
          profile: externalId,
          resource: 'shop',
          channel: sid,
          ...subscription,
        });
      }
      await rules({ quietHours: [{ ...quiet(-2, 2), channel: sid }] });
      const draft = { name: sid, channel: sid, sender: 'alpha', resource: 'shop' };
      const content = { template: { text: 'Hello' }, audience: { all: true } };
      const { id } = await put('POST /mailings', { ...draft, ...content });
      await put(`POST /mailings/${id}/start`);
      await corridor.idle();
      return id as string;
    };
    const statesOf = async (id: string) =>
      (await put(`GET /messages?mailing=${id}`)).data.map(
        ({ state, reason }: { state: string; reason: string | null }) => [state, reason],
      );
    const both = (state: string, reason: string | null) => [
      [state, reason],
      [state, reason],
    ];

    it('waits for its hours and for being resumed', async () => {
      const id = await mailing('held_paused');
      expect(await statesOf(id)).toEqual(both('queued', 'QUIET_HOURS'));
      await put(`POST /mailings/${id}/pause`);
      await corridor.pass(3 * 3_600);
      expect(await statesOf(id)).toEqual(both('queued', 'QUIET_HOURS'));
      await put(`POST /mailings/${id}/resume`);
      // What was still known as paused is looked at again a second later.
      await corridor.pass(2);
      expect(await statesOf(id)).toEqual(both('sent', null));
    });

    it('waits for its hours when it was paused and resumed before', async () => {
      const id = await mailing('held_resumed');
      await put(`POST /mailings/${id}/pause`);
      await put(`POST /mailings/${id}/resume`);
      await corridor.pass(3_600);
      expect(await statesOf(id)).toEqual(both('queued', 'QUIET_HOURS'));
      await corridor.pass(2 * 3_600);
      expect(await statesOf(id)).toEqual(both('sent', null));
    });

    it('is stopped with them, and finishes', async () => {
      const id = await mailing('held_stopped');
      await put(`POST /mailings/${id}/stop`);
      await until(async () => isDeepStrictEqual(await statesOf(id), both('stopped', 'MAILING_STOPPED')));
      await corridor.pass(3 * 3_600);
      expect(await statesOf(id)).toEqual(both('stopped', 'MAILING_STOPPED'));
      expect((await corridor.api('POST /messages/redrive', { mailing: id })).status).toBe(409);
      await corridor.idle();
      expect(await statesOf(id)).toEqual(both('stopped', 'MAILING_STOPPED'));
    });
  });

  describe('a frequency cap', () => {
    afterAll(() => rules());

    it('counts no message whose content is refused: it is not about to be sent', async () => {
      await channel('capped_content');
      const wrong = { channelType: 'sms_text', content: { body: 'Wrong price' }, personalization: [] };
      const itemId = await addItem(corridor.database, corridor.accountId, wrong);
      const who = someone();
      await rules({
        quietHours: [quiet(-2, 2)],
        caps: [{ channel: 'capped_content', messages: 1, perHours: 24, onHit: 'drop' }],
      });
      const { body } = await corridor.api('POST /messages', {
        channel: 'capped_content',
        sender: 'alpha',
        resource: 'shop',
        contentItemId: itemId,
        ...who,
      });
      await corridor.idle();
      await archiveItem(corridor.database, itemId);
      await corridor.pass(3 * 3_600);
      expect(await corridor.view(body.id)).toMatchObject({
        state: 'suppressed',
        reason: 'CONTENT_NOT_PUBLISHED',
      });
      const right = await send('capped_content', { ...who, sender: 'alpha' });
      expect(await corridor.view(right)).toMatchObject({ state: 'sent' });
      const third = await send('capped_content', { ...who, sender: 'alpha' });
      expect(await corridor.view(third)).toMatchObject({ state: 'suppressed', reason: 'FREQUENCY_CAP' });
    });

    it('counts a message once, by whichever sender it goes in the end', async () => {
      await channel('capped_fallback', messagePipeline({ retry: { attempts: 1 } }));
      await fallback('capped_fallback', 'server');
      await rules({ caps: [{ channel: 'capped_fallback', messages: 2, perHours: 24, onHit: 'drop' }] });
      await script('capped_fallback', 'alpha', { status: 503 });
      const who = someone();
      for (const state of ['sent', 'sent', 'suppressed']) {
        const view = await corridor.view(await send('capped_fallback', who));
        expect(view).toMatchObject({ state, attempt: state === 'sent' ? 2 : 1 });
      }
    });
  });
});
