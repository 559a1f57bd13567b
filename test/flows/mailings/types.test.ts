/** The three types of mailings: what a channel takes, what triggers send, and how what was placed is withdrawn. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Corridor } from '../../support/corridor.ts';
import { until } from '../../support/engine.ts';
import { addressed, all, type MailingCorridor, openMailings } from '../../support/mailing-corridor.ts';
import { type Pipe, smsChannel } from '../../support/sms-channel.ts';

let mailings: MailingCorridor;
let corridor: Corridor;
beforeAll(async () => {
  mailings = await openMailings();
  ({ corridor } = mailings);
});
afterAll(() => corridor.end());

const stop: Pipe[] = [
  {
    id: 1,
    type: 'http_request',
    params: {
      url: '$sender.base_url/withdraw',
      form: { reference: 'withdraw/$channel.sid/$profile.external_id' },
    },
    outs: { success: 2 },
  },
  { id: 2, type: 'event', params: { event_type: 'stop' } },
];
const placement = { mailing_types: ['placement'], pipelines: { stop } };
const withdrawn = async (channel: string) => {
  const prefix = `withdraw/${channel}/`;
  const seen = (await corridor.provider.log()).filter((each) => each.reference.startsWith(prefix));
  return seen.map((each) => each.reference.slice(prefix.length)).sort();
};
const problemsOf = (answer: { body: { problems?: { pointer: string; message: string }[] } }) =>
  (answer.body.problems ?? []).map(({ pointer, message }) => `${pointer} ${message}`);
const body = (channel: string, more: object = {}) => ({
  ...{ name: 'Spring', channel, sender: 'main', resource: 'shop', audience: { all: true } },
  ...{ template: { text: 'Hi {{ attributes.code }}' }, ...more },
});

describe('the type of a mailing', () => {
  it('is one that the channel takes, and is shown', async () => {
    await mailings.channelWith('plain');
    const regular = await corridor.api('POST /mailings', body('plain'));
    expect(regular.body.type).toBe('regular');
    const refused = await corridor.api('POST /mailings', body('plain', { type: 'trigger' }));
    expect(refused.status).toBe(422);
    expect(problemsOf(refused)).toEqual([
      expect.stringMatching(/^\/type .*takes mailings of type regular; "trigger"/),
    ]);
    const unknown = await corridor.api('POST /mailings', body('plain', { type: 'weekly' }));
    expect(unknown.status).toBe(422);
  });

  it('that is left out is the one that the channel takes', async () => {
    await mailings.channelWith('only_placed', addressed('only_placed'), placement);
    expect((await corridor.api('POST /mailings', body('only_placed'))).body.type).toBe('placement');
  });

  it('placement needs something that withdraws', async () => {
    await mailings.channelWith('nothing_withdraws', addressed(), { mailing_types: ['regular', 'placement'] });
    const refused = await corridor.api('POST /mailings', body('nothing_withdraws', { type: 'placement' }));
    expect(refused.status).toBe(422);
    expect(problemsOf(refused)[0]).toContain('no Stop pipeline');
  });
});

describe('a trigger mailing', () => {
  const triggered = async (sid: string, more: object = {}) => {
    await mailings.channelWith(sid, addressed(sid), { mailing_types: ['trigger'] });
    return mailings.create(sid, {
      ...{ audience: undefined, type: 'trigger', template: { text: 'Code {{ attributes.code }}' } },
      ...more,
    });
  };
  const trigger = (id: string, json: object, headers = {}) =>
    corridor.api(`POST /mailings/${id}/trigger`, json, headers);
  const textsAt = async (sid: string) =>
    (await corridor.provider.log())
      .filter((each) => each.path === `/${sid}`)
      .map((each) => {
        const { reference, text } = JSON.parse(each.body) as { reference: string; text: string };
        return `${reference.split('/')[1]}: ${text}`;
      })
      .sort();

  it('has no audience', async () => {
    await mailings.channelWith('aimed', addressed('aimed'), { mailing_types: ['trigger'] });
    const refused = await corridor.api('POST /mailings', body('aimed'));
    expect(problemsOf(refused)[0]).toMatch(/^\/audience A trigger mailing has no audience/);
  });

  it('sends when it is triggered, once it is started and until it is stopped', async () => {
    const id = await triggered('welcome');
    expect((await trigger(id, { profile: 'ann' })).status).toBe(409);
    expect((await mailings.act(id, 'start')).body).toMatchObject({ state: 'sending', messages: 0 });
    await corridor.idle();
    expect(await mailings.show(id)).toMatchObject({ state: 'sending' });

    const sent = await trigger(id, { profile: 'ann', attributes: { code: 7 } });
    expect(sent).toMatchObject({ status: 202, body: { state: 'accepted' } });
    const many = await trigger(id, {
      messages: [
        { profile: 'bob', attributes: { code: 8 } },
        { profile: 'nobody' },
        { profile: 'bob', colour: 'red' },
        {
          profile: { externalId: 'fay', fields: { age: 3 }, subscription: { fields: { phone: '+4977' } } },
          attributes: { code: 9 },
        },
        { profile: 'ann', attributes: { code: 10 } },
      ],
    });
    expect(many.body.results.map((each: { state?: string }) => each.state)).toEqual([
      'accepted',
      undefined,
      undefined,
      'accepted',
      'accepted',
    ]);
    await corridor.idle();
    expect(await textsAt('welcome')).toEqual(['ann: Code 10', 'ann: Code 7', 'bob: Code 8', 'fay: Code 9']);
    expect(await mailings.show(id)).toMatchObject({ state: 'sending', messages: 4, counts: { sent: 4 } });
    const message = (await corridor.api(`GET /messages/${sent.body.id}`)).body;
    expect(message).toMatchObject({ mailing: id, profile: 'ann', state: 'sent' });
    const report = (await corridor.api(`GET /reports/mailings/${id}`)).body;
    expect(report.messages).toEqual({ sent: 4 });
    expect(report.events.find((each: { sid: string }) => each.sid === 'accepted').count).toBe(4);

    expect((await mailings.act(id, 'stop')).body.state).toBe('stopped');
    expect((await trigger(id, { profile: 'ann' })).status).toBe(409);
    await corridor.idle();
    expect(await mailings.show(id)).toMatchObject({ counts: { sent: 4 }, launches: [{ state: 'stopped' }] });
  });

  it('is refused to other types, and to people who are not named', async () => {
    await mailings.channelWith('regular_one');
    const regular = await mailings.create('regular_one');
    await mailings.act(regular, 'start');
    const refused = await trigger(regular, { profile: 'ann' });
    expect(refused.status).toBe(409);
    expect(refused.body.detail).toContain('only trigger mailings');
    const id = await triggered('named');
    await mailings.act(id, 'start');
    expect(problemsOf(await trigger(id, {}))[0]).toMatch(/^\/profile /);
    expect((await trigger(id, { profile: 'ann', when: 'now' })).status).toBe(422);
    const stranger = '018f0000-0000-7000-8000-000000000000';
    expect((await trigger(stranger, { profile: 'ann' })).status).toBe(404);
    await corridor.idle();
  });

  it('sends what was fixed when it started', async () => {
    const id = await triggered('fixed');
    await mailings.act(id, 'start');
    await corridor.addChannel(smsChannel('fixed', addressed('changed'), { mailing_types: ['trigger'] }));
    await trigger(id, { profile: 'ann', attributes: { code: 1 } });
    await corridor.idle();
    expect(await textsAt('fixed')).toEqual(['ann: Code 1']);
  });

  it('makes one message for a person and a key, of each start', async () => {
    const id = await triggered('keyed');
    await mailings.act(id, 'start');
    const once = { profile: 'ann', attributes: { code: 1 }, dedupeKey: 'order-1' };
    const together = await trigger(id, {
      messages: [once, once, { ...once, profile: 'bob' }, { ...once, dedupeKey: 'order-2' }],
    });
    const ids = together.body.results.map((each: { id: string }) => each.id);
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(3);
    await corridor.idle();
    const again = await trigger(id, once);
    expect(again.body).toEqual({ id: ids[0], state: 'sent' });
    expect(await mailings.show(id)).toMatchObject({ messages: 3, counts: { sent: 3 } });
    const key = { 'idempotency-key': 'trigger-once' };
    const first = await trigger(id, { profile: 'cleo' }, key);
    expect((await trigger(id, { profile: 'cleo' }, key)).body).toEqual(first.body);
    await corridor.idle();
    expect(await mailings.show(id)).toMatchObject({ messages: 4 });
    await mailings.act(id, 'stop');
    await corridor.idle();
    await mailings.act(id, 'start');
    expect((await trigger(id, once)).body.id).not.toBe(ids[0]);
    await corridor.idle();
    expect(await mailings.show(id)).toMatchObject({ messages: 5, counts: { sent: 5 } });
  });

  it('lets triggers wait while it is paused', async () => {
    const id = await triggered('held_back');
    await mailings.act(id, 'start');
    await mailings.act(id, 'pause');
    expect((await trigger(id, { profile: 'ann' })).status).toBe(202);
    await corridor.pass(5);
    expect(await textsAt('held_back')).toEqual([]);
    expect(await mailings.show(id)).toMatchObject({ state: 'paused', pace: { remaining: 1 } });
    await mailings.act(id, 'resume');
    await corridor.pass(5);
    expect(await mailings.show(id)).toMatchObject({ state: 'sending', counts: { sent: 1 } });
  });

  it('of an indirect channel reaches its resource', async () => {
    await corridor.addChannel({
      ...{ sid: 'tower', name: 'tower', type: 'social', communication: 'indirect', events: [] },
      mailing_types: ['trigger'],
      fields: {
        resource: [{ field: 'page', type: 'string', name: 'Page' }],
        template: [{ field: 'text', type: 'text', name: 'Text', required: true }],
      },
      pipelines: { message: [{ id: 1, type: 'log', params: { message: 'tower says $template.text' } }] },
    });
    const made = await corridor.api('POST /mailings', {
      ...{ name: 'Tower', channel: 'tower', resource: 'shop', template: { text: 'no {{ attributes.n }}' } },
    });
    const { id } = made.body;
    await mailings.act(id, 'start');
    expect((await trigger(id, { profile: 'ann' })).body.code).toBe('PERSONAL_DATA_REFUSED');
    const first = await trigger(id, { attributes: { n: 1 }, dedupeKey: 'a' });
    expect((await trigger(id, { attributes: { n: 2 }, dedupeKey: 'a' })).body.id).toBe(first.body.id);
    await corridor.idle();
    expect(corridor.logged()).toContain('tower says no 1');
    expect(corridor.logged()).not.toContain('tower says no 2');
  });
});

describe('a placement mailing', () => {
  it('withdraws also what was on its way when it was stopped', async () => {
    await mailings.channelWith('under_way', addressed('under_way'), placement);
    await corridor.provider.script('/under_way', { status: 202 }, { status: 202, delayMs: 2_000 });
    const id = await mailings.create('under_way');
    await mailings.act(id, 'start');
    await until(async () => {
      const reached = (await mailings.reached('under_way')).length;
      return reached === all.length && (await mailings.show(id)).counts.sent === 1;
    });
    expect((await mailings.act(id, 'stop')).body.state).toBe('stopped');
    await until(async () => (await mailings.show(id)).counts.stopped === all.length);
    expect(await withdrawn('under_way')).toEqual(all);
    await corridor.idle();
    expect(await mailings.show(id)).toMatchObject({
      counts: { stopped: all.length },
      launches: [{ state: 'stopped', withdrawing: false }],
    });
  });

  it('leaves what never was placed, and stops what comes back to be tried again', async () => {
    await mailings.channelWith('half_placed', addressed('half_placed'), placement);
    const [ann = '', bob = '', cleo = '', ...others] = all.map((name) => `half_placed/${name}`);
    await corridor.provider.script(ann, { status: 400 });
    await corridor.provider.script(bob, { status: 503, delayMs: 1_500 });
    await corridor.provider.script(cleo, { status: 202, delayMs: 1_500 });
    const id = await mailings.create('half_placed');
    await mailings.act(id, 'start');
    await until(async () => {
      const { counts } = await mailings.show(id);
      return counts.sent === others.length && counts.failed === 1;
    });
    await mailings.act(id, 'stop');
    // Long before the minute after which a retry is due.
    await until(async () => (await mailings.show(id)).counts.stopped === 4);
    expect((await mailings.show(id)).counts).toEqual({ stopped: 4, failed: 1 });
    expect(await withdrawn('half_placed')).toEqual(['cleo', 'dan', 'eve']);
    await corridor.pass(120);
    expect(await mailings.reached('half_placed')).toEqual(all);
  });

  it('withdraws at its stopAt, also when all was sent long before', async () => {
    await mailings.channelWith('until_noon', addressed('until_noon'), placement);
    const stopAt = new Date(corridor.runtime.clock.now() + 100_000).toISOString();
    const id = await mailings.create('until_noon', { schedule: { stopAt } });
    await mailings.act(id, 'start');
    await corridor.idle();
    expect(await mailings.show(id)).toMatchObject({ state: 'finished', counts: { sent: 5 } });
    await corridor.pass(101);
    expect(await mailings.show(id)).toMatchObject({ state: 'stopped', counts: { stopped: 5 } });
    const late = await mailings.act(id, 'start');
    expect(late.status).toBe(409);
    expect(late.body.detail).toContain('has passed');
  });

  it('is the only type that withdraws', async () => {
    const types = { ...placement, mailing_types: ['regular', 'placement'] };
    await mailings.channelWith('kept_there', addressed('kept_there'), types);
    const id = await mailings.create('kept_there');
    await mailings.act(id, 'start');
    await corridor.idle();
    await mailings.act(id, 'stop');
    await corridor.idle();
    expect(await mailings.show(id)).toMatchObject({ state: 'stopped', counts: { sent: 5 } });
    expect(await withdrawn('kept_there')).toEqual([]);
  });
});

describe('a schedule', () => {
  it('is shown as it was written, with the moments that were meant', async () => {
    await mailings.channelWith('zoned');
    const schedule = {
      startAt: '2030-03-31T02:30:00',
      stopAt: '2030-03-31T12:00:00Z',
      timeZone: 'Europe/Berlin',
    };
    const id = await mailings.create('zoned', { schedule });
    expect((await mailings.show(id)).schedule).toEqual({
      ...schedule,
      startAtUtc: '2030-03-31T01:30:00.000Z',
      stopAtUtc: '2030-03-31T12:00:00.000Z',
    });
    expect((await mailings.act(id, 'start')).body.state).toBe('scheduled');
    const wrong = { schedule: { startAt: '2030-03-31T02:30:00' } };
    const refused = await corridor.api('POST /mailings', body('zoned', wrong));
    expect(refused.status).toBe(422);
    expect(problemsOf(refused)[0]).toMatch(/^\/schedule\/startAt .*timeZone/);
  });

  it('that has begun starts now', async () => {
    await mailings.channelWith('past');
    const id = await mailings.create('past', { schedule: { startAt: '2020-01-01T00:00:00Z' } });
    expect((await mailings.act(id, 'start')).body.state).toBe('sending');
    await corridor.idle();
    expect(await mailings.show(id)).toMatchObject({ state: 'finished', counts: { sent: 5 } });
  });
});
