/** The built-in channels through the whole engine, each against a real server in a process of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import webPush from 'web-push';
import { type Engine, startEngine, until } from '../support/engine.ts';
import {
  askCentre,
  type Gateway,
  type MailLog,
  type PushLog,
  type SmsLog,
  startMailServer,
  startPushService,
  startSmsCentre,
} from '../support/gateways.ts';

let folder: string;
let mail: Gateway<MailLog>;
let centre: Gateway<SmsLog>;
let pushes: Gateway<PushLog>;
let settings: Record<string, string>;
let engine: Engine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluiceway-built-in-'));
  [mail, centre, pushes] = await Promise.all([startMailServer(), startSmsCentre(), startPushService()]);
  const ports = [mail.port, centre.port, pushes.port];
  settings = {
    SLUICEWAY_DATA: join(folder, 'data'),
    SLUICEWAY_ALLOW_ADDRESSES: ports.map((port) => `127.0.0.1:${port}`).join(','),
  };
  engine = await startEngine(settings);
  const { api } = engine;
  const vapid = webPush.generateVAPIDKeys();
  const senders = {
    email: {
      host: '127.0.0.1',
      port: mail.port,
      secure: 'none',
      user: 'news',
      password: 'right',
      from_address: 'news@example.com',
    },
    sms: { host: '127.0.0.1', port: centre.port, system_id: 'acme', password: 'right', source: 'ACME' },
    push: { public_key: vapid.publicKey, private_key: vapid.privateKey, contact: 'mailto:ops@example.com' },
  };
  for (const [channel, fields] of Object.entries(senders)) {
    await api.post('/senders', { sid: `${channel}_main`, name: 'Main', channel, fields });
  }
  await api.post('/resources', {
    sid: 'shop',
    name: 'Shop',
    channels: { email: { unsubscribe_url: 'https://example.com/u/{id}' }, sms: {}, push: {} },
  });
});

afterAll(async () => {
  await engine?.end('SIGTERM');
  await Promise.all([mail, centre, pushes].map((each) => each?.end()));
  await rm(folder, { recursive: true, force: true });
});

async function send(channel: string, subscription: object, template: object): Promise<string> {
  const externalId = `${channel}-${JSON.stringify(subscription)}`;
  const message = {
    channel,
    profile: { externalId, fields: { name: 'Ann' }, subscription: { fields: subscription } },
    template,
  };
  const { results } = await engine.api.post('/messages', { messages: [message] });
  expect(results[0].id, JSON.stringify(results)).toBeTypeOf('string');
  return results[0].id;
}

/** The message once it is in this state, with its events and trail. */
async function becomes(id: string, state: string) {
  let message = await engine.api.get(`/messages/${id}`);
  await until(async () => {
    message = await engine.api.get(`/messages/${id}`);
    return message.state === state;
  });
  return message;
}

const email = (address: string) =>
  send(
    'email',
    { email: address },
    { subject: 'Hi {{ customer.name }}', html: '<p>{{ customer.name }}</p>' },
  );
const sms = (phone: string) => send('sms', { phone }, { text: 'Hi {{ customer.name }}' });
const push = async (name: string) => {
  const { keys } = await pushes.log();
  const endpoint = `http://127.0.0.1:${pushes.port}/send/${name}`;
  return send('push', { endpoint, ...keys }, { title: 'Sale', body: 'Hi {{ customer.name }}' });
};

test('they are listed with all other channels, and cannot be changed', async () => {
  const { data } = await engine.api.get('/channels');
  const builtIn = data.filter((each: { kind: string }) => each.kind === 'built_in');
  expect(builtIn.map((each: { sid: string }) => each.sid).sort()).toEqual(['email', 'push', 'sms']);
  const denied = await engine.api.post('/channels', { sid: 'email', name: 'Mine' }).catch((error) => error);
  expect(String(denied)).toContain('403');
});

test('an email is sent, rendered, and known by its Message-ID', async () => {
  const id = await email('ann@example.org');
  const message = await becomes(id, 'sent');
  expect(message.externalId).toBe(`${id}@example.com`);
  const taken = (await mail.log()).taken.find((each) => each.to === 'ann@example.org');
  expect(taken?.message).toContain('Subject: Hi Ann');
  expect(taken?.message).toContain(`<https://example.com/u/${id}>`);
});

test('an email that the server puts off is tried again until it is taken', async () => {
  await becomes(await email('later@example.org'), 'sent');
  const tries = (await mail.log()).recipients.filter((each) => each === 'later@example.org');
  expect(tries.length).toBe(3);
});

test('an email to nobody is a hard bounce, and its subscription is left alone from then on', async () => {
  const message = await becomes(await email('nobody@example.org'), 'hard_bounced');
  expect(message.reason).toBe('5.1.1');
  await becomes(await email('nobody@example.org'), 'suppressed');
  const tries = (await mail.log()).recipients.filter((each) => each === 'nobody@example.org');
  expect(tries.length).toBe(1);
});

test('an email without an answer is unknown, and is not sent again', async () => {
  await becomes(await email('silent@example.org'), 'unknown');
  expect((await mail.log()).taken.filter((each) => each.to === 'silent@example.org').length).toBe(1);
});

test('a notification is sent, put off, and found gone', async () => {
  const id = await push('ann');
  await becomes(id, 'sent');
  const { received } = await pushes.log();
  expect(received.find(({ path }) => path === '/send/ann')?.payload).toMatchObject({ id, body: 'Hi Ann' });
  await becomes(await push('busy'), 'sent');
  await becomes(await push('410'), 'hard_bounced');
  await becomes(await push('silent'), 'unknown');
});

test('a text is sent, and its receipt makes it delivered, once', async () => {
  const id = await sms('+491510000001');
  const { externalId } = await becomes(id, 'sent');
  for (let time = 0; time < 2; time += 1) {
    expect(await askCentre(centre, `/receipt?id=${externalId}&stat=DELIVRD`)).toBe(0);
  }
  await becomes(id, 'delivered');
  const { data } = await engine.api.get('/events?channel=sms&event=delivered');
  expect(data.filter((each: { messageId: string }) => each.messageId === id).length).toBe(1);
});

test('a text is tried again after throttling, bounces hard, and may be unknown', async () => {
  await becomes(await sms('+491510000088'), 'sent');
  await becomes(await sms('+491510000404'), 'hard_bounced');
  await becomes(await sms('+491510000000'), 'unknown');
});

test('a receipt comes in after a restart, although nothing is sent', async () => {
  const id = await sms('+491510000002');
  const { externalId } = await becomes(id, 'sent');
  await engine.end('SIGTERM');
  await until(async () => (await centre.log()).bound === 0);
  engine = await startEngine(settings);
  await until(async () => (await centre.log()).bound === 1);
  expect(await askCentre(centre, `/receipt?id=${externalId}&stat=UNDELIV&err=012`)).toBe(0);
  const message = await becomes(id, 'undelivered');
  expect(message.reason).toBe('UNDELIV_012');
});

test('the trail says what went out and what came back, and no password', async () => {
  const id = await email('trail@example.org');
  await becomes(id, 'sent');
  const shown = JSON.stringify(await engine.api.get(`/messages/${id}`));
  expect(shown).toContain('trail@example.org');
  expect(shown).toContain('250 queued as 42');
  expect(shown).not.toContain('right');
});
