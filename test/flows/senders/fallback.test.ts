/** Fallback: what goes on with another sender, what never does, and that a crash changes nothing about it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../../src/errors.ts';
import { createLanes } from '../../../src/flows/lanes/lanes.ts';
import { createFallBack } from '../../../src/flows/senders/fallback.ts';
import { settleEffects } from '../../../src/flows/settlement/settler.ts';
import { STATE_CODES } from '../../../src/storage/states.ts';
import { type Corridor, openCorridor } from '../../support/corridor.ts';
import { databaseKinds } from '../../support/database.ts';
import type { MessageView } from '../../support/message-view.ts';
import type { Step } from '../../support/scripted-provider.ts';
import {
  listenerPipeline,
  messagePipeline,
  type Pipe,
  person,
  smsChannel,
} from '../../support/sms-channel.ts';

const kinds = await databaseKinds();

describe.each(kinds)('on the %s database', (kind) => {
  let corridor: Corridor;
  let people = 0;
  beforeAll(async () => {
    corridor = await openCorridor(kind);
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
  });
  afterAll(() => corridor.end());

  interface Rule {
    readonly fallbackOn?: readonly (string | number)[];
    readonly params?: object;
    readonly more?: object;
    readonly pipeline?: readonly Pipe[];
  }
  /** A channel whose first sender is alpha, then beta, then gamma; each has an address of its own. */
  const channelWith = async (sid: string, { fallbackOn = ['server'], params, more, pipeline }: Rule = {}) => {
    const message = pipeline ?? messagePipeline({ retry: { attempts: 1 }, ...params });
    await corridor.addChannel(
      smsChannel(sid, message, { pipelines: { listener: listenerPipeline }, ...more }),
    );
    for (const sender of ['alpha', 'beta', 'gamma']) {
      await corridor.addSender(sid, sender, { base_url: `${corridor.provider.url}/${sid}/${sender}` });
    }
    const rule = {
      name: 'all',
      senders: [{ sender: 'alpha' }],
      fallback: ['alpha', 'beta', 'gamma'],
      fallbackOn,
    };
    expect((await corridor.api(`PUT /channels/${sid}/sender-rules`, { rules: [rule] })).status).toBe(200);
  };
  const script = (sid: string, sender: string, ...steps: Step[]) =>
    corridor.provider.script(`/${sid}/${sender}/send`, ...steps);
  const send = async (sid: string, more: object = {}) => {
    people += 1;
    const id = await corridor.send(sid, { ...person(`f-${people}`), ...more });
    await corridor.idle();
    return id;
  };
  const attemptsOf = (view: MessageView) =>
    view.attempts.map(({ number, sender, outcome }) => [number, sender, outcome]);
  const pathsOf = async (id: string) =>
    (await corridor.provider.seen(id)).map((each) => each.path.split('/')[2]);

  it('goes on with the next sender when the tries are spent, each attempt with its sender', async () => {
    await channelWith('retried', { params: { retry: { delays: [10] } } });
    await script('retried', 'alpha', { status: 503 });
    const id = await send('retried');
    expect(await corridor.view(id)).toMatchObject({ state: 'queued', sender: 'alpha', attempt: 1 });
    await corridor.pass(11);
    const view = await corridor.view(id);
    expect(view).toMatchObject({ state: 'sent', reason: null, sender: 'beta', rule: 'all', attempt: 2 });
    expect(attemptsOf(view)).toEqual([
      [1, 'alpha', 'waiting'],
      [1, 'alpha', 'failed'],
      [2, 'beta', 'done'],
    ]);
    expect(await pathsOf(id)).toEqual(['alpha', 'alpha', 'beta']);
    const [last] = (await corridor.provider.seen(id)).slice(-1);
    expect(last?.headers.authorization).toBe('Bearer secret-token-beta');
    const { body } = await corridor.api('GET /lanes');
    const waiting = body.data.filter((lane: { channel: string; waiting: number }) => lane.waiting > 0);
    expect(waiting).toEqual([]);
  });

  it('takes each sender once, in order, and fails with the last', async () => {
    await channelWith('spent', { fallbackOn: ['5xx', 429] });
    await script('spent', 'alpha', { status: 500 });
    await script('spent', 'beta', { status: 429 });
    await script('spent', 'gamma', { status: 502 });
    const id = await send('spent');
    const view = await corridor.view(id);
    expect(view).toMatchObject({ state: 'failed', reason: 'HTTP_STATUS_502', sender: 'gamma', attempt: 3 });
    expect(await pathsOf(id)).toEqual(['alpha', 'beta', 'gamma']);
    expect((await corridor.api('POST /messages/redrive', { ids: [id] })).body).toEqual({ redriven: 1 });
    await corridor.idle();
    expect(await corridor.view(id)).toMatchObject({ state: 'failed', sender: 'gamma', attempt: 4 });
  });

  it('prefers a sender that can send now', async () => {
    await channelWith('rested');
    await script('rested', 'alpha', { status: 500 });
    await send('rested', { sender: 'beta' });
    const { body } = await corridor.api('GET /lanes');
    const beta = body.data.find(
      (lane: { channel: string; sender: string }) => lane.channel === 'rested' && lane.sender === 'beta',
    );
    await corridor.api(`POST /lanes/${beta.id}/pause`);
    expect(await corridor.view(await send('rested'))).toMatchObject({ state: 'sent', sender: 'gamma' });
  });

  it('stays where the failure is of no declared class, or the caller named the sender', async () => {
    await channelWith('other', { fallbackOn: ['server', 'open_lane'] });
    await script('other', 'alpha', { status: 400 }, { status: 500 });
    expect(await corridor.view(await send('other'))).toMatchObject({
      state: 'failed',
      sender: 'alpha',
      attempt: 1,
    });
    expect(await corridor.view(await send('other', { sender: 'alpha' }))).toMatchObject({
      state: 'failed',
      reason: 'HTTP_STATUS_500',
      sender: 'alpha',
      attempt: 1,
    });
  });

  it('goes on when nothing could leave at all', async () => {
    await channelWith('weather', { fallbackOn: ['weather'] });
    const { body } = await corridor.api('GET /senders?channel=weather&limit=100');
    const alpha = body.data.find((each: { sid: string }) => each.sid === 'alpha');
    // Nobody listens on port 1.
    await corridor.api(`PUT /senders/${alpha.id}`, { fields: { base_url: 'http://127.0.0.1:1/nobody' } });
    expect(await corridor.view(await send('weather'))).toMatchObject({
      state: 'sent',
      sender: 'beta',
      attempt: 2,
    });
  });

  describe('never goes on with what may have been sent:', () => {
    const wide = ['weather', 'provider', 'open_lane', '2xx'];

    it('a message that is unknown', async () => {
      await channelWith('doubt', { fallbackOn: wide });
      await script('doubt', 'alpha', { end: 'close' });
      const id = await send('doubt');
      expect(await corridor.view(id)).toMatchObject({ state: 'unknown', sender: 'alpha', attempt: 1 });
      expect(await pathsOf(id)).toEqual(['alpha']);
    });

    it('a request without an answer that was safe to repeat there, however it failed in the end', async () => {
      const params = { retry: { delays: [10], idempotent: true } };
      await channelWith('safe', { fallbackOn: wide, params });
      await script('safe', 'alpha', { end: 'close' }, { status: 500 });
      const id = await send('safe');
      await corridor.pass(11);
      expect(await corridor.view(id)).toMatchObject({ state: 'failed', sender: 'alpha', attempt: 1 });
      expect(await pathsOf(id)).toEqual(['alpha', 'alpha']);
    });

    it('where the channel repeats in doubt, it may', async () => {
      const params = { retry: { attempts: 1 } };
      await channelWith('repeats', { fallbackOn: ['weather'], params, more: { unknown: 'retry' } });
      await script('repeats', 'alpha', { end: 'close' });
      expect(await corridor.view(await send('repeats'))).toMatchObject({ state: 'sent', sender: 'beta' });
    });

    it('an answer that was a success and could not be read', async () => {
      await channelWith('garbled', { fallbackOn: wide });
      await script('garbled', 'alpha', { status: 202, body: '<html>' });
      const id = await send('garbled');
      expect(await corridor.view(id)).toMatchObject({
        state: 'failed',
        reason: 'PARSE_FAILED',
        sender: 'alpha',
      });
    });

    it('a request that did well before a wait', async () => {
      const [pack, request] = messagePipeline({ retry: { attempts: 1 } }) as [Pipe, Pipe];
      const second: Pipe = {
        id: 3,
        type: 'http_request',
        params: {
          url: '$sender.base_url/second',
          method: 'POST',
          content_type: 'json',
          retry: { delays: [10] },
        },
      };
      await channelWith('twice', { fallbackOn: wide, pipeline: [pack, request, second] });
      await corridor.provider.script('/twice/alpha/second', { status: 500 });
      const id = await send('twice');
      await corridor.pass(11);
      expect(await corridor.view(id)).toMatchObject({ state: 'failed', sender: 'alpha', attempt: 1 });
    });

    it('a message that was reported as delivered while the failure was on its way', async () => {
      await channelWith('reported', { fallbackOn: wide });
      await script('reported', 'alpha', { status: 500, delayMs: 400 });
      people += 1;
      const id = await corridor.send('reported', person(`f-${people}`));
      while ((await pathsOf(id)).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      const report = JSON.stringify({ message: id, type: 'delivered' });
      expect((await corridor.listen('reported/1/alpha', { body: report })).status).toBe(200);
      await corridor.idle();
      expect(await corridor.view(id)).toMatchObject({ state: 'failed', sender: 'alpha', attempt: 1 });
      expect(await pathsOf(id)).toEqual(['alpha']);
    });

    it('a message whose process died while it was under way', async () => {
      const params = { retry: { attempts: 1, idempotent: true } };
      await channelWith('orphan', { fallbackOn: wide, params });
      await script('orphan', 'alpha', { status: 500 });
      const { body } = await corridor.api('GET /lanes');
      for (const lane of body.data as { id: number; channel: string }[]) {
        if (lane.channel === 'orphan') await corridor.api(`POST /lanes/${lane.id}/pause`);
      }
      const id = await held('orphan');
      const dead = await corridor.database.query<{ id: number }>(
        `insert into node (name, started_at, heartbeat_at) values ('dead', now(), 'epoch') returning id`,
      );
      await corridor.database.query('update waiting set owner = $2 where id = $1', [id, dead[0]?.id ?? 0]);
      expect(await corridor.housekeeping.takeOverAfter(365 * 86_400_000)).toBe(1);
      await resume('orphan');
      expect(await corridor.view(id)).toMatchObject({ state: 'failed', sender: 'alpha', attempt: 1 });
    });
  });

  /** A message that waits in alpha's paused lane. */
  const held = async (sid: string) => {
    await send(sid, { sender: 'alpha' });
    await turn(sid, 'pause');
    people += 1;
    return corridor.send(sid, person(`f-${people}`));
  };
  const turn = async (sid: string, verb: 'pause' | 'resume') => {
    const { body } = await corridor.api('GET /lanes');
    for (const lane of body.data as { id: number; channel: string; sender: string }[]) {
      if (lane.channel === sid && lane.sender === 'alpha') {
        expect((await corridor.api(`POST /lanes/${lane.id}/${verb}`)).status).toBe(204);
      }
    }
    await corridor.pass(2);
  };
  const resume = (sid: string) => turn(sid, 'resume');

  it('takes reports of every sender that had it, each for its attempt', async () => {
    await channelWith('reports');
    await script('reports', 'alpha', { status: 500 });
    await script('reports', 'beta', { status: 202, body: { id: 'b-1' } });
    const id = await send('reports');
    const report = async (sender: string, event: object) => {
      expect((await corridor.listen(`reports/1/${sender}`, { body: JSON.stringify(event) })).status).toBe(
        200,
      );
      await corridor.idle();
    };
    await report('alpha', { message: id, type: 'gone' });
    await report('gamma', { message: id, type: 'gone' });
    expect(await corridor.view(id)).toMatchObject({ state: 'sent', sender: 'beta' });
    await report('beta', { id: 'b-1', type: 'delivered' });
    const view = await corridor.view(id);
    expect(view).toMatchObject({ state: 'delivered', externalId: 'b-1' });
    expect(view.events.map((event) => [event.sid, event.attempt])).toEqual([
      ['accepted', 2],
      ['gone', 1],
      ['delivered', 2],
    ]);
  });

  describe('what waits in an open lane', () => {
    it('moves on, as a new attempt, to a lane that takes something, unless it is in doubt', async () => {
      const params = { retry: { delays: [3_600], idempotent: true } };
      await channelWith('opened', { fallbackOn: ['open_lane'], params });
      const closing = await (async () => {
        await script('opened', 'alpha', { end: 'close' });
        return send('opened');
      })();
      await script('opened', 'alpha', { status: 503 });
      const ids = await Promise.all(
        Array.from({ length: 25 }, (_, index) => corridor.send('opened', person(`o-${index}`))),
      );
      const lane = async () => {
        const { body } = await corridor.api('GET /lanes');
        return body.data.find(
          (each: { channel: string; sender: string }) => each.channel === 'opened' && each.sender === 'alpha',
        );
      };
      while ((await lane()).breaker !== 'open') await new Promise((resolve) => setTimeout(resolve, 10));
      await corridor.database.query('update lane set probe_at = $2 where id = $1', [
        (await lane()).id,
        new Date(corridor.runtime.clock.now() + 7_200_000),
      ]);
      while ((await corridor.housekeeping.moveOpenLanes()) + (await lane()).waiting > 1) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await corridor.idle();
      for (const id of ids) {
        const view = await corridor.view(id);
        expect(view).toMatchObject({ state: 'sent', sender: 'beta', attempt: 2 });
        expect(view.attempts.at(-2)).toMatchObject({ sender: 'alpha', outcome: 'moved' });
      }
      expect(await corridor.view(closing)).toMatchObject({ state: 'queued', sender: 'alpha', attempt: 1 });
      // What comes now is given to nobody but alpha by the rule, waits there, and moves on as well.
      people += 1;
      const later = await corridor.send('opened', person(`f-${people}`));
      expect(await corridor.view(later)).toMatchObject({ state: 'accepted', sender: 'alpha' });
      expect(await corridor.housekeeping.moveOpenLanes()).toBe(1);
      await corridor.idle();
      expect(attemptsOf(await corridor.view(later))).toEqual([
        [1, 'alpha', 'moved'],
        [2, 'beta', 'done'],
      ]);
    });

    it('stays where the rule does not say so, and where everyone else is at rest', async () => {
      await channelWith('kept', { fallbackOn: ['server'] });
      await channelWith('alone', { fallbackOn: ['open_lane'] });
      for (const sid of ['kept', 'alone']) {
        for (const sender of ['alpha', 'beta', 'gamma']) await send(sid, { sender });
        await corridor.database.query(
          `update lane set breaker = 'open', probe_at = $2 where channel_id = (select id from channel where sid = $1)`,
          [sid, new Date(corridor.runtime.clock.now() + 3_600_000)],
        );
        await corridor.pass(2);
        const id = await corridor.send(sid, person(`k-${sid}`));
        expect(await corridor.housekeeping.moveOpenLanes()).toBe(0);
        expect(await corridor.view(id)).toMatchObject({ state: 'accepted', sender: 'alpha' });
        await corridor.database.query(`update lane set breaker = 'closed', epoch = epoch + 1`);
        await corridor.pass(2);
        expect(await corridor.view(id)).toMatchObject({ state: 'sent', sender: 'alpha', attempt: 1 });
      }
    });
  });

  it('is settled with the failure or not at all: who lost the row moves nothing', async () => {
    await channelWith('fenced');
    const id = await held('fenced');
    const { runtime, directory, worker } = corridor;
    const lanes = createLanes(runtime);
    const falling = { fallBack: createFallBack(runtime, directory, lanes), wakeLanes: () => {} };
    const failure = new Failure('HTTP_STATUS', 'no', { statusCode: 500, kind: 'server' });
    const state = {
      source: id,
      id,
      launchId: null,
      attempt: 1,
      state: STATE_CODES.failed,
      reason: 'X',
      externalId: null,
    };
    const parts = { done: [id], messages: [state], failing: [{ source: id, failure, dueMs: 0 }] };
    const row = async () => {
      const [found] = await corridor.database.query<{ lane: number; owner: number | null }>(
        'select lane_id as lane, owner from waiting where id = $1',
        [id],
      );
      return found;
    };
    const before = await row();
    await settleEffects(runtime, worker.node(), [parts], falling);
    expect(await row()).toEqual(before);
    expect(await corridor.view(id)).toMatchObject({ state: 'accepted', sender: 'alpha', attempt: 1 });
    const own = () =>
      corridor.database.query('update waiting set owner = $2 where id = $1', [id, worker.node()]);
    const set = (state: number) =>
      corridor.database.query('update message set state = $2 where id = $1', [id, state]);
    await own();
    // A report comes between the question and the statement.
    const overtaken = async (...given: Parameters<typeof falling.fallBack>) => {
      const moved = await falling.fallBack(...given);
      await set(STATE_CODES.delivered);
      return moved;
    };
    await settleEffects(runtime, worker.node(), [parts], { ...falling, fallBack: overtaken });
    await corridor.idle();
    expect(await corridor.view(id)).toMatchObject({ state: 'delivered', sender: 'alpha', attempt: 1 });
    expect(await pathsOf(id)).toEqual([]);
  });

  it('leads to the lane of the next sender', async () => {
    await channelWith('led');
    const id = await held('led');
    const { runtime, directory, worker } = corridor;
    const falling = {
      fallBack: createFallBack(runtime, directory, createLanes(runtime)),
      wakeLanes: () => {},
    };
    const failure = new Failure('HTTP_STATUS', 'no', { statusCode: 500, kind: 'server' });
    const state = {
      source: id,
      id,
      launchId: null,
      attempt: 1,
      state: STATE_CODES.failed,
      reason: 'X',
      externalId: null,
    };
    await corridor.database.query('update waiting set owner = $2 where id = $1', [id, worker.node()]);
    await settleEffects(
      runtime,
      worker.node(),
      [{ done: [id], messages: [state], failing: [{ source: id, failure, dueMs: 0 }] }],
      falling,
    );
    await corridor.idle();
    expect(await corridor.view(id)).toMatchObject({ state: 'sent', sender: 'beta', attempt: 2 });
  });
});
