/** What no database takes, and what nests without end, sent to a whole process: a clear refusal, and nothing is harmed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine, TOKEN } from '../support/engine.ts';

let folder = '';
let engine: Engine;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluiceway-unstorable-'));
  engine = await startEngine({ SLUICEWAY_DATA: join(folder, 'data') });
  await engine.api.post('/resources', { sid: 'brand', name: 'Brand', channels: {} });
});
afterAll(async () => {
  await engine?.end('SIGTERM');
  await rm(folder, { recursive: true, force: true });
});

const send = (method: string, path: string, body: string) =>
  fetch(`${engine.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body,
  });
const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const NUL = '\\u0000';
const SOME_ID = '019e82d7-2f80-7000-8000-000000000001';
const message = (more: string) =>
  `{"channel":"example_sms","profile":"ann","template":{"text":"x"},"resource":"brand",${more}}`;

it.each([
  ['/messages', message('"attributes":{"order":12345678901234567890}')],
  ['/profiles', '{"externalId":"x","fields":{"points":1e999}}'],
  [
    '/mailings',
    '{"name":"x","channel":"example_sms","resource":"brand","template":{"text":"x"},"audience":{"field":"profile.points","is":">","value":1e999}}',
  ],
])('a number that JSON gives as another one is refused by POST %s: %s', async (path, body) => {
  const answer = await send('POST', path, body);
  expect(answer.status).toBe(422);
  expect(await answer.text()).toContain('send it as a text');
});

describe('a body with the character NUL', () => {
  it.each([
    ['/messages', message(`"attributes":{"a":"${NUL}"}`)],
    ['/messages', message(`"attributes":{"a${NUL}":"b"}`)],
    ['/messages', message(`"category":"x${NUL}y"`)],
    ['/messages/redrive', `{"reason":"x${NUL}y"}`],
    [
      '/mailings',
      `{"name":"x${NUL}y","channel":"example_sms","resource":"brand","template":{"text":"x"},"audience":{"all":true}}`,
    ],
    [`/mailings/${SOME_ID}/trigger`, `{"profile":"ann","dedupeKey":"k${NUL}"}`],
    [`/mailings/${SOME_ID}/test`, `{"profiles":["x${NUL}y"]}`],
    ['/profiles', `{"externalId":"x${NUL}"}`],
  ])('is refused by POST %s: %s', async (path, body) => {
    const answer = await send('POST', path, body);
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain('NUL');
  });

  it('costs the other messages of a call nothing', async () => {
    const nul = message(`"attributes":{"a":"${NUL}"}`);
    const answer = await send('POST', '/messages', `{"messages":[${nul},${message('"category":"y"')}]}`);
    expect(answer.status).toBe(202);
    const { results } = (await answer.json()) as { results: { problem: { detail: string } }[] };
    expect(results[0]?.problem.detail).toContain('NUL');
    expect(results[1]?.problem.detail).not.toContain('NUL');
  });

  it.each(['/channels', '/channels/check'])('is found in a channel document by POST %s', async (path) => {
    const named = (name: string) =>
      JSON.stringify({ sid: 'nul_sms', id: 10_900, name, type: 'sms', communication: 'direct' });
    const found = await (await send('POST', path, named('x\0y'))).text();
    expect(found).toContain('NUL');
    expect(await (await send('POST', path, named('x'))).text()).not.toContain('NUL');
  });

  it('leaves the lists as they were', async () => {
    expect((await engine.api.get('/messages')).data).toEqual([]);
    expect((await engine.api.get('/mailings')).data).toEqual([]);
  });
});

describe('a body that nests without end', () => {
  // A call of many messages answers for each of them what is wrong with it.
  it.each([
    [422, '/messages', message(`"attributes":${deep(100)}`)],
    [422, '/messages', message(`"attributes":${deep(200_000)}`)],
    [202, '/messages', `{"messages":[${message(`"attributes":${deep(100_000)}`)}]}`],
    [422, '/channels', deep(200_000)],
    [422, '/channels/check', deep(200_000)],
    [422, '/channels/check', `{"document":${deep(200_000)}}`],
    ...[
      ...['/mailings', '/channels/example_sms/dry-run', '/content', '/messages/redrive', '/senders'],
      ...[`/mailings/${SOME_ID}/trigger`, '/content-sources'],
    ].map((path) => [422, path, deep(200_000)] as const),
  ] as const)('answers %i to POST %s, and says so', async (status, path, body) => {
    const answer = await send('POST', path, body);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toMatch(/deeper than \d+ levels/);
  });

  it('leaves the server as it was', async () => {
    expect((await fetch(`${engine.url}/health`)).status).toBe(200);
  });
});

it('an address of the listener with the character NUL is nobody’s', async () => {
  const answer = await fetch(`${engine.url}/fbp/v1/example_sms/1/ma%00in`, { method: 'POST' });
  expect(answer.status).toBe(404);
  expect(engine.errors()).not.toContain('a request failed');
});

it.each([
  ['a leap second', '9999-12-31T23:59:60Z'],
  ['a year after all others', '9999-12-31T23:59:59-10:00'],
  ['a year before all others', '0000-01-01T00:00:00Z'],
])('a time that is %s is refused', async (_what, time) => {
  expect((await send('POST', '/messages', message(`"expiresAt":"${time}"`))).status).toBe(422);
  const query = `from=${encodeURIComponent(time)}`;
  expect(
    (await fetch(`${engine.url}/api/v1/events?${query}`, { headers: { authorization: `Bearer ${TOKEN}` } }))
      .status,
  ).toBe(400);
});
