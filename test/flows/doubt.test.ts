/** Requests without an answer: unknown, repeated or failed, as the channel says. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
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

describe('a request without an answer', () => {
  const hang = { end: 'hang' } as const;

  it('makes the message unknown where repeating is not safe', async () => {
    const id = await sendThrough(
      'doubt',
      [...messagePipeline({ timeout: 0.2 }, { success: 3, error: 9 }), ...errorTo('gone')],
      [hang],
    );
    expect(await corridor.view(id)).toMatchObject({ state: 'unknown', reason: 'HTTP_TIMEOUT', events: [] });
    await corridor.pass(3_600);
    expect(await requestsOf(id)).toBe(1);
  });

  it.each([
    ['cut before the answer', { end: 'close' } as const],
    ['cut midway', { end: 'midway' } as const],
    ['garbage', { end: 'garbage' } as const],
  ])('is in doubt as well when the connection was %s', async (name, step) => {
    const id = await sendThrough(`doubt_${name.replaceAll(' ', '_')}`, messagePipeline(), [step]);
    expect(await corridor.view(id)).toMatchObject({ state: 'unknown', reason: 'HTTP_NETWORK' });
    expect(await requestsOf(id)).toBe(1);
  });

  it('is repeated where the channel says so', async () => {
    const id = await sendThrough(
      'doubt_retry',
      messagePipeline({ timeout: 0.2, retry: { delays: [10] } }),
      [hang, { status: 202 }],
      { channel: { unknown: 'retry' } },
    );
    await corridor.pass(11);
    expect(await corridor.view(id)).toMatchObject({ state: 'sent' });
    expect(await requestsOf(id)).toBe(2);
  });

  it('fails where the channel says so', async () => {
    const id = await sendThrough(
      'doubt_fail',
      [...messagePipeline({ timeout: 0.2 }, { success: 3, error: 9 }), ...errorTo('bounced')],
      [hang],
      { channel: { unknown: 'fail' } },
    );
    expect(await corridor.view(id)).toMatchObject({ state: 'soft_bounced', reason: '0' });
    expect(await requestsOf(id)).toBe(1);
  });

  it.each([
    ['idempotent', { retry: { delays: [10], idempotent: true } }],
    ['idempotency_header', { retry: { delays: [10] }, idempotency_header: 'Idempotency-Key' }],
    ['put', { retry: { delays: [10] }, method: 'PUT' }],
  ])('is repeated where that is safe: %s', async (name, params) => {
    const id = await sendThrough(`safe_${name}`, messagePipeline({ timeout: 0.2, ...params }), [
      hang,
      { status: 202 },
    ]);
    expect(await corridor.view(id)).toMatchObject({ state: 'queued' });
    await corridor.pass(11);
    expect(await corridor.view(id)).toMatchObject({ state: 'sent' });
    const keys = (await corridor.provider.seen(id)).map((each) => each.headers['idempotency-key']);
    expect(keys).toEqual(name === 'idempotency_header' ? [id, id] : [undefined, undefined]);
  });

  it('is repeated although unsafe when it never left: the connection was refused', async () => {
    const server: Server = createServer((_request, response) => response.end('{"id":"late"}'));
    const listening = (port: number) =>
      new Promise<number>((resolve) => {
        server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
      });
    const closed = () => new Promise<void>((resolve) => server.close(() => resolve()));
    const port = await listening(0);
    await closed();
    const id = await sendThrough('refused', messagePipeline({ retry: { delays: [10] } }), [], {
      sender: { base_url: `http://127.0.0.1:${port}` },
    });
    expect(await corridor.view(id)).toMatchObject({ state: 'queued' });
    await listening(port);
    await corridor.pass(11);
    server.closeAllConnections();
    await closed();
    expect(await corridor.view(id)).toMatchObject({ state: 'sent', externalId: 'late' });
  });

  it('in an element of a split leaves the message unknown, not failed', async () => {
    const pipeline: Pipe[] = [
      { id: 1, type: 'split', params: { items: ['a', 'b'], each: 2 } },
      {
        id: 2,
        type: 'pack',
        params: { template: { reference: '$origin.send_message_id', part: '$in.item' } },
        outs: { success: 3 },
      },
      {
        id: 3,
        type: 'http_request',
        params: { url: '$sender.base_url/send', method: 'POST', content_type: 'json', timeout: 0.2 },
      },
    ];
    const id = await sendThrough('doubt_split', pipeline, [hang, { status: 202 }]);
    expect(await corridor.view(id)).toMatchObject({ state: 'unknown' });
    expect(await requestsOf(id)).toBe(2);
  });
});
