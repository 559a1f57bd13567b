/** Notifications to a push service that decrypts them: what arrives, what each answer means. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import webPush from 'web-push';
import { createAddressGuard } from '../../src/outside/address-guard.ts';
import { createHttpClient, type HttpClient } from '../../src/outside/http-client.ts';
import { createPush, type Push } from '../../src/outside/push.ts';
import type { ModuleRequest } from '../../src/pipes/contract.ts';
import { failureOf } from '../support/failure-of.ts';
import { type Gateway, type PushLog, startPushService } from '../support/gateways.ts';

let service: Gateway<PushLog>;
let http: HttpClient;
let push: Push;
let keys: PushLog['keys'];

const vapid = webPush.generateVAPIDKeys();
const ID = '0198c0de-0000-7000-8000-000000000002';

beforeAll(async () => {
  service = await startPushService();
  ({ keys } = await service.log());
  const guard = createAddressGuard([`127.0.0.1:${service.port}`]);
  http = createHttpClient({ guard, defaultConnections: 4 });
  push = createPush({ send: http.send, now: Date.now });
});

afterAll(async () => {
  await http.close();
  await service.end();
});

interface Given {
  readonly sender?: object;
  readonly subscription?: object;
  readonly template?: object;
}

const pushTo = (name: string, { sender, subscription, template }: Given = {}): ModuleRequest => ({
  module: 'push',
  messageId: ID,
  sender: {
    public_key: vapid.publicKey,
    private_key: vapid.privateKey,
    contact: 'mailto:ops@example.com',
    ...sender,
  },
  resource: {},
  subscription: { endpoint: `http://127.0.0.1:${service.port}/send/${name}`, ...keys, ...subscription },
  template: { title: 'Sale', body: 'Only today', ...template },
});

const send = (request: ModuleRequest) => push.send(request, { laneId: 1 });
const receivedAt = async (name: string) =>
  (await service.log()).received.filter(({ path }) => path === `/send/${name}`);

test('the browser gets what the template says, and the service knows who sends', async () => {
  const template = {
    image: 'https://example.com/a.png',
    deep_link: 'https://example.com/sale',
    actions: [{ action: 'buy', title: 'Kaufen für 5 €' }],
    ttl: 60,
    urgency: 'high',
    topic: 'sale',
  };
  const { events, request } = await send(pushTo('ann', { template }));
  expect(events).toEqual([{ sid: 'sent', externalId: expect.stringMatching(/^\/m\/\d+$/) }]);
  const [received] = await receivedAt('ann');
  expect(received?.payload).toEqual({
    id: ID,
    title: 'Sale',
    body: 'Only today',
    image: 'https://example.com/a.png',
    url: 'https://example.com/sale',
    actions: [{ action: 'buy', title: 'Kaufen für 5 €' }],
  });
  expect(received?.headers).toMatchObject({
    ttl: '60',
    urgency: 'high',
    topic: 'sale',
    'content-encoding': 'aes128gcm',
  });
  expect(received?.claims).toMatchObject({
    aud: `http://127.0.0.1:${service.port}`,
    sub: 'mailto:ops@example.com',
  });
  expect(JSON.stringify(request)).not.toContain(vapid.privateKey);
  // The path of an endpoint is as good as a password.
  expect(JSON.stringify(request)).not.toContain('/send/ann');
});

test.each([
  ['410', 'hard_bounce'],
  ['404', 'hard_bounce'],
  ['413', 'rejected'],
  ['400', 'rejected'],
])('status %s is a %s', async (status, sid) => {
  const { events } = await send(pushTo(status));
  expect(events).toEqual([{ sid, code: status, message: 'as you asked' }]);
});

test.each([
  ['busy', { code: 'HTTP_STATUS', details: { kind: 'rate_limited', statusCode: 429, retryAfterMs: 1_000 } }],
  ['503', { code: 'HTTP_STATUS', details: { kind: 'temporary', statusCode: 503 } }],
  ['403', { code: 'AUTH_FAILED', details: { statusCode: 403 } }],
  ['silent', { code: 'HTTP_NETWORK', details: { ambiguous: true } }],
])('%s is a failure', async (name, expected) => {
  expect(await failureOf(() => send(pushTo(name)))).toMatchObject(expected);
});

test('keys that no browser made are a subscription that is gone', async () => {
  const off = Buffer.alloc(65, 1).toString('base64url');
  const { events } = await send(pushTo('keys', { subscription: { p256dh: off } }));
  expect(events).toMatchObject([{ sid: 'hard_bounce', code: 'KEYS_INVALID' }]);
  expect(await receivedAt('keys')).toEqual([]);
});

test('VAPID keys that are none are the mistake of the sender', async () => {
  const failure = await failureOf(() => send(pushTo('sender', { sender: { private_key: 'short' } })));
  expect(failure).toMatchObject({ code: 'AUTH_FAILED' });
  expect(failure.message).not.toContain('short');
});

test('what no push service takes is not sent', async () => {
  const template = { deep_link: `https://example.com/${'x'.repeat(4_000)}` };
  const failure = await failureOf(() => send(pushTo('long', { template })));
  expect(failure.code).toBe('VALUES_INVALID');
  expect(await receivedAt('long')).toEqual([]);
});

test('forbidden addresses are refused', async () => {
  const strict = createHttpClient({ guard: createAddressGuard([]), defaultConnections: 1 });
  const guarded = createPush({ send: strict.send, now: Date.now });
  const failure = await failureOf(() => guarded.send(pushTo('guarded'), { laneId: 1 }));
  expect(failure.code).toBe('ADDRESS_FORBIDDEN');
  await strict.close();
});
