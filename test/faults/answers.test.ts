/** What providers answer at their worst, the whole way through a message: sizes, lies, garbage, ways to where nobody may go. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import type { Step } from '../support/scripted-provider.ts';
import { messagePipeline, person, smsChannel } from '../support/sms-channel.ts';
import { createTally } from './tally.ts';

const MEGABYTE = 1_048_576;
const tally = createTally();
afterEach(tally.saw);
let corridor: Corridor;
/** Where nobody may go: another address of this machine, at the provider's port. */
let inside: Server;
let visits = 0;
/** What the name server says for each question in turn; the last answer goes on. */
let addresses: string[] = [];
let questions = 0;

const listen = (server: Server, host: string, port: number) =>
  new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });

beforeAll(async () => {
  corridor = await openCorridor('embedded', {
    allow: ['127.0.0.1'],
    resolveName: async () => {
      questions += 1;
      const address = (addresses.length > 1 ? addresses.shift() : addresses[0]) ?? '';
      return [{ address, family: 4 }];
    },
  });
  await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
  inside = createServer((_, response) => {
    visits += 1;
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"id":"inside"}');
  });
  await listen(inside, '127.0.0.2', Number(new URL(corridor.provider.url).port));
});
afterAll(async () => {
  await corridor.end();
  await new Promise((resolve) => inside.close(resolve));
  tally.run();
  console.log(tally.line());
});

let people = 0;
/** A channel whose provider takes these steps, and so many messages in it. */
const sendThrough = async (
  sid: string,
  steps: readonly Step[],
  params: Readonly<Record<string, unknown>> = {},
  { count = 1, sender = {}, more = {} } = {},
) => {
  await corridor.addChannel(smsChannel(sid, messagePipeline({ retry: { delays: [10] }, ...params }), more));
  await corridor.addSender(sid, 'main', { base_url: `${corridor.provider.url}/${sid}`, ...sender });
  await corridor.provider.script(`/${sid}/send`, ...steps);
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    people += 1;
    ids.push(await corridor.send(sid, person(`p-${people}`)));
  }
  await corridor.idle();
  return { id: ids[0] ?? '', ids };
};
const requestsOf = async (id: string) => (await corridor.provider.seen(id)).length;

describe('an answer of 100 MB', () => {
  it('is cut off at the limit, however many come at once: memory stays bounded', async () => {
    let most = 0;
    const before = process.memoryUsage().rss;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 5);
    const { ids } = await sendThrough('large', [{ bytes: 100 * MEGABYTE }], {}, { count: 20 });
    clearInterval(watch);
    for (const id of ids) {
      tally.fault('100 MB');
      expect(await corridor.view(id)).toMatchObject({ state: 'failed', reason: 'HTTP_RESPONSE_SIZE_202' });
      expect(await requestsOf(id)).toBe(1);
    }
    // Two thousand megabytes were on offer.
    expect((most - before) / MEGABYTE).toBeLessThan(400);
  });

  it.each([
    [
      'never',
      'announced and never sent',
      { headers: { 'content-length': String(100 * MEGABYTE) }, body: 'x' },
    ],
    ['few', 'announced as a few bytes', { headers: { 'content-length': '12' }, bytes: 100 * MEGABYTE }],
  ] as [string, string, Step][])('is no harm (%s): %s', async (sid, _, step) => {
    const { id } = await sendThrough(`lie_${sid}`, [step]);
    tally.fault('content-length lie');
    const { state } = await corridor.view(id);
    expect(['failed', 'unknown']).toContain(state);
    await corridor.pass(60);
    expect(await requestsOf(id)).toBe(1);
    expect((await corridor.view(id)).state).toBe(state);
  });
});

describe('an answer that is none', () => {
  it.each([
    ['hang', { end: 'hang' }, 'HTTP_TIMEOUT'],
    ['close', { end: 'close' }, 'HTTP_NETWORK'],
    ['midway', { end: 'midway' }, 'HTTP_NETWORK'],
    ['garbage', { end: 'garbage' }, 'HTTP_NETWORK'],
  ] as [string, Step, string][])(
    '%s: unknown where repeating is not safe, repeated where it is',
    async (name, step, reason) => {
      const { id } = await sendThrough(`unsafe_${name}`, [step], { timeout: 0.3 });
      const safe = await sendThrough(`safe_${name}`, [step, { status: 202 }], {
        timeout: 0.3,
        idempotency_header: 'Idempotency-Key',
      });
      tally.fault(name, 2);
      await corridor.pass(60);
      expect(await corridor.view(id)).toMatchObject({ state: 'unknown', reason });
      expect(await requestsOf(id)).toBe(1);
      expect(await corridor.view(safe.id)).toMatchObject({ state: 'sent' });
      const keys = (await corridor.provider.seen(safe.id)).map((each) => each.headers['idempotency-key']);
      expect(keys).toEqual([safe.id, safe.id]);
    },
  );

  it('that is no JSON, or nothing at all, ends visibly and is not sent again', async () => {
    for (const [sid, body] of [
      ['no_json', '<html>Welcome to the hotel</html>'],
      ['half_json', '{"id":"p-'],
    ] as const) {
      const { id } = await sendThrough(sid, [{ body }]);
      tally.fault('no JSON');
      await corridor.pass(60);
      expect(await requestsOf(id)).toBe(1);
      expect(await corridor.view(id)).toMatchObject({ state: 'failed' });
    }
  });
});

describe('ways to where nobody may go', () => {
  const targets = () => [
    'http://169.254.169.254/latest/meta-data/',
    `http://127.0.0.2:${new URL(corridor.provider.url).port}/`,
    'http://10.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:169.254.169.254]/',
  ];

  it('a redirect is not followed unless asked for', async () => {
    for (const [index, location] of targets().entries()) {
      const { id } = await sendThrough(`stays_${index}`, [{ status: 307, headers: { location } }]);
      tally.fault('redirect');
      expect(await corridor.view(id)).toMatchObject({ state: 'failed', reason: 'HTTP_STATUS_307' });
    }
    expect(visits).toBe(0);
  });

  it('a redirect that is followed is checked again', async () => {
    for (const [index, location] of targets().entries()) {
      const step = { status: 307, headers: { location } };
      const { id } = await sendThrough(`follows_${index}`, [step], { redirects: 1 });
      tally.fault('redirect');
      expect(await corridor.view(id)).toMatchObject({ state: 'failed', reason: 'ADDRESS_FORBIDDEN' });
      expect(await requestsOf(id)).toBe(1);
    }
    expect(visits).toBe(0);
  });

  it('a name that changes after the check: the connection goes to the address that was checked', async () => {
    const { port } = new URL(corridor.provider.url);
    const sender = { base_url: `http://rebind.example:${port}/rebind` };
    addresses = ['127.0.0.1', '127.0.0.2'];
    questions = 0;
    const { id } = await sendThrough('rebind', [{ headers: { connection: 'close' } }], {}, { sender });
    tally.fault('rebinding', 2);
    expect(await corridor.view(id)).toMatchObject({ state: 'sent' });
    expect(await requestsOf(id)).toBe(1);
    // One question, whose answer was both judged and used.
    expect(questions).toBe(1);
    // The next connection asks again, and is told the other address: it is not made.
    const later = await corridor.send('rebind', person('later'));
    await corridor.idle();
    expect(await corridor.view(later)).toMatchObject({ state: 'failed', reason: 'ADDRESS_FORBIDDEN' });
    expect(questions).toBe(2);
    expect(visits).toBe(0);
  });

  it('a redirect to a name that leads inside', async () => {
    const { port } = new URL(corridor.provider.url);
    addresses = ['127.0.0.2'];
    const step = { status: 307, headers: { location: `http://elsewhere.example:${port}/` } };
    const { id } = await sendThrough('astray', [step], { redirects: 1 });
    tally.fault('redirect');
    expect(await corridor.view(id)).toMatchObject({ state: 'failed', reason: 'ADDRESS_FORBIDDEN' });
    expect(visits).toBe(0);
  });
});
