/** What follows a failure: waits that outlive the process, error exits, unknown, expiry, redrive. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { listenerPipeline, messagePipeline, type Pipe, person, smsChannel } from '../support/sms-channel.ts';

let corridor: Corridor;
beforeAll(async () => {
  corridor = await openCorridor();
  await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
});
afterAll(() => corridor.end());

let people = 0;
/** A channel, its sender and a message in it; gives the id of the message. */
const sendThrough = async (
  sid: string,
  pipeline: readonly Pipe[],
  steps: Parameters<Corridor['provider']['script']>[1][],
  more: { channel?: object; message?: object; sender?: object } = {},
) => {
  people += 1;
  await corridor.addChannel(
    smsChannel(sid, pipeline, { pipelines: { listener: listenerPipeline }, ...more.channel }),
  );
  await corridor.addSender(sid, 'main', more.sender);
  await corridor.provider.script('/send', ...steps);
  const id = await corridor.send(sid, { ...person(`p-${people}`), ...more.message });
  await corridor.idle();
  return id;
};
const requestsOf = async (id: string) => (await corridor.provider.seen(id)).length;
const errorTo = (sid: string): Pipe[] => [
  { id: 9, type: 'event', params: { sid, event: { code: '$error.code', message: '$error.message' } } },
];

describe('a retry', () => {
  it('waits at its pipe with its $in, and earlier pipes do not run again', async () => {
    const id = await sendThrough('durable', messagePipeline({ retry: { delays: [60, 60] } }), [
      { status: 503 },
      { status: 503 },
      { status: 202 },
    ]);
    expect(await corridor.view(id)).toMatchObject({ state: 'queued', attempts: [{ outcome: 'waiting' }] });
    expect(await requestsOf(id)).toBe(1);
    await corridor.pass(30);
    expect(await requestsOf(id)).toBe(1);
    await corridor.pass(31);
    expect(await requestsOf(id)).toBe(2);
    await corridor.pass(61);
    const view = await corridor.view(id);
    expect(view).toMatchObject({ state: 'sent', attempt: 1 });
    expect(view.attempts.map((each) => each.trail.map((step) => `${step.pipe}:${step.exit}`))).toEqual([
      ['1:success', '2:wait'],
      ['2:wait'],
      ['2:success', '3:success', '4:success'],
    ]);
    const bodies = (await corridor.provider.seen(id)).map((each) => each.body);
    expect(new Set(bodies).size).toBe(1);
  });

  it('follows a schedule over days, and no longer than the message lives', async () => {
    const HOUR = 3_600;
    const days = messagePipeline({ retry: { delays: [HOUR, 24 * HOUR, 72 * HOUR, 72 * HOUR] } });
    const id = await sendThrough('days', days, [{ status: 503 }]);
    for (const [tries, hours] of [1, 24, 72].entries()) {
      await corridor.pass(hours * HOUR - 600);
      expect(await requestsOf(id)).toBe(tries + 1);
      await corridor.pass(700);
      expect(await requestsOf(id)).toBe(tries + 2);
    }
    expect(await corridor.view(id)).toMatchObject({ state: 'queued', attempt: 1 });
    const expiresAt = new Date(corridor.runtime.clock.now() + 25 * HOUR * 1_000).toISOString();
    const brief = await corridor.send('days', { ...person('brief'), expiresAt });
    await corridor.idle();
    await corridor.provider.script('/send', { status: 202 });
    await corridor.pass(72 * HOUR);
    expect(await corridor.view(id)).toMatchObject({ state: 'sent', attempt: 1 });
    expect(await requestsOf(id)).toBe(5);
    expect(await corridor.view(brief)).toMatchObject({ state: 'expired', reason: 'MESSAGE_EXPIRED' });
  });

  it('waits as long as the provider asks', async () => {
    const id = await sendThrough('asked', messagePipeline({ retry: { delays: [1] } }), [
      { status: 429, headers: { 'retry-after': '100' } },
      { status: 202 },
    ]);
    await corridor.pass(90);
    expect(await requestsOf(id)).toBe(1);
    await corridor.pass(15);
    expect(await corridor.view(id)).toMatchObject({ state: 'sent' });
  });

  it('begins when the answer came, however long that took', async () => {
    const id = await sendThrough('slow', messagePipeline({ retry: { delays: [0] } }), [
      { status: 503, delayMs: 2_500 },
      { status: 202 },
    ]);
    const [row] = await corridor.database.query<{ state: number }>(
      'select state from message where id = $1',
      [id],
    );
    expect(row?.state).toBe(40);
    expect(await requestsOf(id)).toBe(2);
  });

  it('keeps what the error exit gave', async () => {
    const report: Pipe = {
      id: 8,
      type: 'http_request',
      params: {
        url: '$sender.base_url/report',
        form: { why: '$error.code', reference: '$origin.send_message_id' },
        retry: { delays: [60] },
      },
      outs: { success: 9 },
    };
    await corridor.provider.script('/report', { status: 503 }, { status: 200 });
    const id = await sendThrough(
      'errors_kept',
      [...messagePipeline({}, { success: 3, error: 8 }), report, ...errorTo('gone')],
      [{ status: 400 }],
    );
    expect(await corridor.view(id)).toMatchObject({ state: 'queued' });
    await corridor.pass(61);
    expect(await corridor.view(id)).toMatchObject({ state: 'hard_bounced', reason: '400' });
    expect((await corridor.provider.seen(id)).map((each) => each.query)).toEqual([
      '',
      `?why=400&reference=${id}`,
      `?why=400&reference=${id}`,
    ]);
  });
});

describe('when tries are spent', () => {
  it('takes the error exit', async () => {
    const id = await sendThrough(
      'spent',
      [...messagePipeline({ retry: { delays: [10] } }, { success: 3, error: 9 }), ...errorTo('gone')],
      [{ status: 503 }],
    );
    await corridor.pass(11);
    const view = await corridor.view(id);
    expect(view).toMatchObject({ state: 'hard_bounced', reason: '503' });
    expect(view.events).toMatchObject([{ sid: 'gone', code: '503' }]);
    expect(await requestsOf(id)).toBe(2);
    const [row] = await corridor.database.query(
      `select s.status, s.status_reason from subscription s join message m on m.subscription_id = s.id where m.id = $1`,
      [id],
    );
    expect(row).toEqual({ status: 'hard_bounced', status_reason: '503' });
  });

  it('fails with its reason where no error exit is wired', async () => {
    const id = await sendThrough('unwired', messagePipeline({ retry: { attempts: 1 } }), [{ status: 503 }]);
    expect(await corridor.view(id)).toMatchObject({
      state: 'failed',
      reason: 'HTTP_STATUS_503',
      attempts: [{ outcome: 'failed', trail: [{}, { error: { code: 'HTTP_STATUS' } }] }],
    });
  });
});

describe('a message that should not go', () => {
  it('expires while it waits', async () => {
    const at = (seconds: number) => new Date(corridor.runtime.clock.now() + seconds * 1_000).toISOString();
    const id = await sendThrough(
      'expiring',
      messagePipeline({ retry: { delays: [3_600] } }),
      [{ status: 503 }],
      { message: { expiresAt: at(60) } },
    );
    await corridor.pass(61);
    expect(await corridor.view(id)).toMatchObject({ state: 'expired', reason: 'MESSAGE_EXPIRED' });
    const late = await corridor.send('expiring', { ...person('late'), expiresAt: at(-1) });
    await corridor.idle();
    expect(await corridor.view(late)).toMatchObject({ state: 'expired', attempts: [] });
    expect([await requestsOf(id), await requestsOf(late)]).toEqual([1, 0]);
  });

  it('stays sent when it expires only after it was sent', async () => {
    const pipeline: Pipe[] = [
      ...messagePipeline().slice(0, 3),
      { id: 4, type: 'event', params: { sid: 'accepted' }, outs: { success: 5 } },
      {
        id: 5,
        type: 'http_request',
        params: {
          url: '$sender.base_url/after',
          form: { reference: '$origin.send_message_id' },
          retry: { delays: [100] },
        },
      },
    ];
    await corridor.provider.script('/after', { status: 503 }, { status: 400 });
    const expiresAt = new Date(corridor.runtime.clock.now() + 60_000).toISOString();
    const id = await sendThrough('sent_in_time', pipeline, [{ status: 202 }], { message: { expiresAt } });
    expect(await corridor.view(id)).toMatchObject({ state: 'sent' });
    await corridor.pass(101);
    const view = await corridor.view(id);
    expect(view.state).toBe('sent');
    expect(view.attempts.at(-1)).toMatchObject({ outcome: 'failed' });
    expect(await requestsOf(id)).toBe(3);
  });

  it.each(['unsubscribed', 'hard_bounced'])('is suppressed for who is %s', async (status) => {
    await sendThrough(`to_${status}`, messagePipeline(), [{ status: 202 }]);
    const written = await corridor.api('POST /subscriptions', {
      profile: `p-${people}`,
      resource: 'shop',
      channel: `to_${status}`,
      status,
    });
    expect(written.status).toBeLessThan(300);
    const id = await corridor.send(`to_${status}`, { profile: `p-${people}` });
    await corridor.idle();
    expect(await corridor.view(id)).toMatchObject({
      state: 'suppressed',
      reason: `SUBSCRIPTION_${status.toUpperCase()}`,
    });
    expect(await requestsOf(id)).toBe(0);
  });

  it('fails visibly when its rendered text does not fit the channel', async () => {
    const id = await sendThrough('too_long', messagePipeline(), [{ status: 202 }], {
      message: {
        profile: {
          externalId: 'long',
          fields: { name: 'x'.repeat(30) },
          subscription: { fields: { phone: '+1' } },
        },
        template: { text: 'Hi {{ customer.name }}' },
      },
    });
    const view = await corridor.view(id);
    expect(view).toMatchObject({ state: 'failed', reason: 'VALUES_INVALID' });
    expect(JSON.stringify(view.attempts)).toContain('20');
    expect(await requestsOf(id)).toBe(0);
  });
});

describe('an indirect channel', () => {
  const wall = (sid: string, text: string) => ({
    sid,
    name: sid,
    type: 'social',
    communication: 'indirect',
    events: [],
    fields: {
      resource: [{ field: 'page', type: 'string', name: 'Page' }],
      template: [{ field: 'text', type: 'text', name: 'Text', required: true }],
    },
    pipelines: { message: [{ id: 1, type: 'log', params: { message: text } }] },
  });

  it('refuses personal data in its pipelines, its content, and its messages', async () => {
    await expect(corridor.addChannel(wall('wall_wrong', 'to $subscription.phone'))).rejects.toThrow(
      /subscription/,
    );
    await expect(corridor.addChannel(wall('wall_wrong', 'to $profile.name'))).rejects.toThrow(/profile/);
    await corridor.addChannel(wall('wall', 'to $resource.name'));
    const send = (more: object) =>
      corridor.api('POST /messages', { channel: 'wall', resource: 'shop', template: { text: 'x' }, ...more });
    for (const text of [
      'Hi {{ customer.name }}',
      '{% if profile.age > 1 %}x{% endif %}',
      '{{ subscription.phone }}',
    ]) {
      expect((await send({ template: { text } })).body).toMatchObject({ code: 'PERSONAL_DATA_REFUSED' });
    }
    expect((await send({ profile: 'p-1' })).body).toMatchObject({ code: 'PERSONAL_DATA_REFUSED' });
    expect((await send({})).status).toBe(202);
    await corridor.idle();
  });
});
