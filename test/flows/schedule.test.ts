/** What waits by itself: scheduled events, polling chains, elements of a split, and what runs leave for one another. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { messagePipeline, type Pipe, person, smsChannel } from '../support/sms-channel.ts';

let corridor: Corridor;
beforeAll(async () => {
  corridor = await openCorridor();
  await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
});
afterAll(() => corridor.end());

let people = 0;
const sendThrough = async (
  sid: string,
  message: readonly Pipe[],
  pipelines: object = {},
  more: object = {},
) => {
  people += 1;
  await corridor.addChannel(smsChannel(sid, message, { pipelines }));
  await corridor.addSender(sid);
  const id = await corridor.send(sid, { ...person(`p-${people}`), ...more });
  await corridor.idle();
  return id;
};
const trails = async (id: string) =>
  (await corridor.view(id)).attempts.map((each) =>
    each.trail.map((step) => `${step.pipe}:${step.exit}`).join(' '),
  );

const poll: Pipe[] = [
  {
    id: 21,
    type: 'http_request',
    params: {
      url: '$sender.base_url/state',
      form: { reference: '$message.id', job: '$origin.job', of: '$template.text' },
      retry: { delays: [5] },
    },
    outs: { success: 22 },
  },
  { id: 22, type: 'unpack', outs: { success: 23 } },
  {
    id: 23,
    type: 'selector',
    params: { outs: [{ query: "$in.data.state = 'done'", out: 25 }] },
    outs: { success: 24 },
  },
  { id: 24, type: 'scheduled', params: { pipe_id: 21, delay: 60, template: { job: '$origin.job' } } },
  { id: 25, type: 'event', params: { sid: 'delivered' } },
];

describe('the Schedule pipeline', () => {
  const submit: Pipe[] = [
    ...messagePipeline().slice(0, 3),
    {
      id: 4,
      type: 'scheduled',
      params: { pipe_id: 21, delay: 60, template: { job: '$in.data.id' } },
      outs: { success: 5 },
    },
    { id: 5, type: 'event', params: { sid: 'accepted' } },
  ];

  it('asks again and again, and knows the message and its own $origin', async () => {
    await corridor.provider.script('/send', { body: { id: 'job-7' } });
    await corridor.provider.script(
      '/state',
      { status: 200, body: { state: 'busy' } },
      { status: 503 },
      { status: 200, body: { state: 'busy' } },
      { status: 200, body: { state: 'done' } },
    );
    const id = await sendThrough('polling', submit, { schedule: poll });
    expect(await corridor.view(id)).toMatchObject({ state: 'sent' });
    for (const seconds of [61, 61, 6]) await corridor.pass(seconds);
    expect(await corridor.view(id)).toMatchObject({ state: 'sent' });
    await corridor.pass(61);
    const view = await corridor.view(id);
    expect(view.state).toBe('delivered');
    expect(view.events.map((event) => event.sid)).toEqual(['accepted', 'delivered']);
    const queries = (await corridor.provider.seen(id)).slice(1).map((each) => each.query);
    expect(queries).toEqual(Array(4).fill(`?reference=${id}&job=job-7&of=Hello`));
    expect(await trails(id)).toEqual([
      '1:success 2:success 3:success 4:success 5:success',
      '21:success 22:success 23:success 24:success',
      '21:wait',
      '21:success 22:success 23:success 24:success',
      '21:success 22:success 23:25 25:success',
    ]);
  });

  it('leaves a sent message sent when it fails, visibly', async () => {
    await corridor.provider.script('/send', { body: { id: 'job-8' } });
    await corridor.provider.script('/state', { status: 404 });
    const id = await sendThrough('polling_fails', submit, { schedule: poll });
    await corridor.pass(61);
    const view = await corridor.view(id);
    expect(view.state).toBe('sent');
    expect(view.attempts.at(-1)).toMatchObject({
      outcome: 'failed',
      trail: [{ error: { code: 'HTTP_STATUS' } }],
    });
    expect((await corridor.api('POST /messages/redrive', { ids: [id] })).body).toEqual({ redriven: 0 });
  });

  it('begins at a given time, at once where that has passed', async () => {
    const at = (seconds: number) => new Date(corridor.runtime.clock.now() + seconds * 1_000).toISOString();
    const message: Pipe[] = [
      { id: 1, type: 'scheduled', params: { pipe_id: 21, at: '$template.text', template: { word: 'hi' } } },
    ];
    const schedule: Pipe[] = [
      { id: 21, type: 'event', params: { sid: 'noted', event: { data: '$#origin', message: '$in.word' } } },
    ];
    const past = await sendThrough(
      'at_past',
      message,
      { schedule },
      { template: { text: at(-3_600).slice(0, 19) } },
    );
    expect((await corridor.view(past)).events).toMatchObject([
      { sid: 'noted', message: 'hi', data: { word: 'hi' } },
    ]);
    const later = await sendThrough(
      'at_later',
      message,
      { schedule },
      { template: { text: at(600).slice(0, 19) } },
    );
    await corridor.pass(500);
    expect((await corridor.view(later)).events).toEqual([]);
    expect(await corridor.view(later)).toMatchObject({ state: 'queued' });
    await corridor.pass(101);
    expect((await corridor.view(later)).events).toHaveLength(1);
  });
});

describe('a split', () => {
  const parts = (params: object): Pipe[] => [
    { id: 1, type: 'split', params: { items: ['a', 'b', 'c'], as: 'part', each: 2 }, outs: { success: 5 } },
    {
      id: 2,
      type: 'pack',
      params: { template: { reference: '$origin.send_message_id', part: '$in.part' } },
      outs: { success: 3 },
    },
    {
      id: 3,
      type: 'http_request',
      params: { url: '$sender.base_url/part', method: 'POST', content_type: 'json', ...params },
      outs: { success: 4 },
    },
    { id: 4, type: 'log', params: { message: 'took $in.part' } },
    { id: 5, type: 'event', params: { sid: 'accepted' } },
  ];

  it('goes on while one element waits; that one continues alone', async () => {
    await corridor.provider.script('/part', { status: 202 }, { status: 503 }, { status: 202 });
    const id = await sendThrough('splitting', parts({ retry: { delays: [60] } }));
    expect(await corridor.view(id)).toMatchObject({ state: 'sent', events: [{ sid: 'accepted' }] });
    await corridor.pass(61);
    const bodies = (await corridor.provider.seen(id)).map(
      (each) => (JSON.parse(each.body) as { part: string }).part,
    );
    expect(bodies).toEqual(['a', 'b', 'c', 'b']);
    expect(await trails(id)).toEqual([
      '1:success 2:success 3:success 4:success 2:success 3:wait 2:success 3:success 4:success 5:success',
      '3:success 4:success',
    ]);
    expect((await corridor.view(id)).events).toHaveLength(1);
    expect(corridor.logged()).toContain('took b');
  });

  it('fails the elements that failed, alone', async () => {
    await corridor.provider.script('/part', { status: 400 }, { status: 202 }, { status: 400 });
    const errors: Pipe = {
      id: 9,
      type: 'event',
      params: { sid: 'noted', event: { data: '$#error.items', code: '$error.code' } },
    };
    const [first, ...rest] = parts({});
    const id = await sendThrough('splitting_fails', [
      { ...(first as Pipe), outs: { success: 5, error: 9 } },
      ...rest,
      errors,
    ]);
    expect(await corridor.provider.seen(id)).toHaveLength(3);
    expect((await corridor.view(id)).events).toMatchObject([
      {
        sid: 'noted',
        code: 'SPLIT_FAILED',
        data: [
          { index: 0, code: 400 },
          { index: 2, code: 400 },
        ],
      },
    ]);
  });
});

describe('the store', () => {
  it('carries a value from one run to the next, until it expires', async () => {
    const pipeline: Pipe[] = [
      {
        id: 1,
        type: 'store_get',
        params: { key: 'seen-$subscription.phone', name: 'before', not_found: 2 } as Record<string, unknown>,
        outs: { success: 3 },
      },
      {
        id: 2,
        type: 'store_set',
        params: { key: 'seen-$subscription.phone', value: { first: '$message.id' }, ttl: 60 },
        outs: { success: 4 },
      },
      { id: 3, type: 'event', params: { sid: 'noted', event: { data: '$#in.before' } } },
      { id: 4, type: 'event', params: { sid: 'accepted' } },
    ];
    const first = await sendThrough('storing', pipeline);
    const again = async () => {
      const id = await corridor.send('storing', { profile: `p-${people}` });
      await corridor.idle();
      return (await corridor.view(id)).events;
    };
    expect((await corridor.view(first)).events).toMatchObject([{ sid: 'accepted' }]);
    expect(await again()).toMatchObject([{ sid: 'noted', data: { first } }]);
    await corridor.pass(61);
    expect(await again()).toMatchObject([{ sid: 'accepted' }]);
  });
});
