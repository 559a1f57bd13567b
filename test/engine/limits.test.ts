/** Three engines in processes of their own, one PostgreSQL server, and a provider that counts over every sliding window. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createServerDatabase, serverReachable } from '../support/database.ts';
import { type Engine, ROOT, run, startEngine, until } from '../support/engine.ts';

const reachable = await serverReachable();
const forAll: (() => Promise<unknown>)[] = [];
const forOne: (() => Promise<unknown>)[] = [];
const end = async (these: (() => Promise<unknown>)[]) => {
  for (const each of these.splice(0).reverse()) await each();
};

interface Limit {
  readonly requests: number;
  readonly per: number;
}

const LIMITS = {
  twenty: { requests: 20, per: 1 },
  many: { requests: 200, per: 2 },
  shaken: { requests: 20, per: 1 },
  // So long that what a busy machine delays is a small part of it.
  steady: { requests: 100, per: 10 },
  killed: { requests: 10, per: 1 },
} as const satisfies Readonly<Record<string, Limit>>;

/** The example channel with a limit of its own; one for each test. */
async function writeChannel(folder: string, sid: string, id: number, limit: Limit): Promise<void> {
  const example = JSON.parse(await readFile(join(ROOT, 'examples/example_sms/channel.json'), 'utf8'));
  const { listener: _listener, $schema: _schema, limits: _limits, ...rest } = example;
  const message = [
    { id: 1, type: 'pack', params: { template: { text: '$template.text' } }, outs: { success: 2 } },
    {
      id: 2,
      type: 'http_request',
      params: {
        url: '$sender.base_url/send',
        method: 'POST',
        content_type: 'json',
        limit: { ...limit, scope: 'sender' },
        retry: { idempotent: true },
      },
    },
  ];
  await mkdir(join(folder, sid), { recursive: true });
  const document = { ...rest, sid, id, pipelines: { message } };
  await writeFile(join(folder, sid, 'channel.json'), JSON.stringify(document));
}

/** The most requests in any window of so many milliseconds. */
function mostIn(times: readonly number[], windowMs: number): number {
  let most = 0;
  let first = 0;
  times.forEach((at, index) => {
    while (at - (times[first] ?? at) >= windowMs) first += 1;
    most = Math.max(most, index - first + 1);
  });
  return most;
}

describe.skipIf(!reachable)('three processes on one PostgreSQL server (needs one)', () => {
  const engines: Engine[] = [];
  let settings: Record<string, string>;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluiceway-limits-'));
    forAll.push(() => rm(folder, { recursive: true, force: true }));
    for (const [index, [sid, limit]] of Object.entries(LIMITS).entries()) {
      await writeChannel(folder, `limit_${sid}`, 10_060 + index, limit);
    }
    const fresh = await createServerDatabase();
    forAll.push(fresh.drop);
    settings = {
      SLUICEWAY_CHANNELS: folder,
      SLUICEWAY_ALLOW_ADDRESSES: '127.0.0.0/8',
      SLUICEWAY_DATABASE_CONNECTIONS: '4',
      DATABASE_URL: fresh.url,
    };
    // All at once, as a fleet does on its first day.
    const starting = Array.from({ length: 3 }, async () => {
      const engine = await startEngine(settings);
      forAll.push(() => engine.end('SIGKILL'));
      engines.push(engine);
    });
    await Promise.all(starting);
    await engines[0]?.api.post('/resources', { sid: 'shop', name: 'Shop', channels: {} });
  }, 60_000);
  afterEach(() => end(forOne));
  afterAll(() => end(forAll));

  /** Sends so many messages through a channel; gives how to read when they came, in order. */
  async function sendAll(name: keyof typeof LIMITS, count: number, delayMs = 0) {
    const delay = { COUNTING_DELAY_MS: String(delayMs) };
    const provider = await run('test/support/counting-provider.ts', [], delay, /^(\d+)$/m);
    forOne.push(() => provider.end('SIGKILL'));
    const url = `http://127.0.0.1:${provider.match}`;
    const [{ api }] = engines as [Engine];
    const channel = `limit_${name}`;
    const fields = { token: 'a-token', base_url: url, webhook_secret: 'x-secret' };
    await api.post('/senders', { sid: 'main', name: 'Main', channel, fields });
    const messages = Array.from({ length: count }, (_, index) => ({
      channel,
      profile: {
        externalId: `${name}-${index}`,
        subscription: { fields: { phone: `+4930${1_000_000 + index}` } },
      },
      template: { text: 'Hello' },
    }));
    const { results } = await api.post('/messages', { messages });
    const refused = results.find((result: { problem?: unknown }) => result.problem !== undefined);
    if (refused !== undefined) throw new Error(JSON.stringify(refused));
    return async () => (await (await fetch(`${url}/_times`)).json()) as number[];
  }

  /** The most in any window, and the share of the limit that was used: how long it took for so many more to come. */
  const counted = (times: readonly number[], { requests, per }: Limit) => {
    const windowMs = per * 1_000;
    const turns = times.slice(requests).map((at, index) => at - (times[index] ?? at));
    const meanMs = turns.reduce((sum, ms) => sum + ms, 0) / turns.length;
    return { most: mostIn(times, windowMs), share: windowMs / meanMs };
  };

  it.each<[string, keyof typeof LIMITS, number]>([
    ['20 in a second', 'twenty', 90],
    ['200 in two seconds', 'many', 900],
  ])('never send more than %s', { timeout: 60_000 }, async (_text, name, count) => {
    const times = await sendAll(name, count);
    await until(async () => (await times()).length >= count);
    expect(counted(await times(), LIMITS[name]).most).toBeLessThanOrEqual(LIMITS[name].requests);
  });

  it('never send more, whatever the delays', { timeout: 60_000 }, async () => {
    const burner = await run('test/support/burn.ts', [], {}, /^(\d+)$/m);
    forOne.push(() => burner.end('SIGKILL'));
    const times = await sendAll('shaken', 90, 60);
    await until(async () => (await times()).length >= 90);
    expect(counted(await times(), LIMITS.shaken).most).toBeLessThanOrEqual(LIMITS.shaken.requests);
  });

  it('send nearly all that is allowed', { timeout: 60_000 }, async () => {
    const times = await sendAll('steady', 260);
    await until(async () => (await times()).length >= 260);
    const { most, share } = counted(await times(), LIMITS.steady);
    expect(most).toBeLessThanOrEqual(LIMITS.steady.requests);
    expect(share).toBeGreaterThanOrEqual(0.95);
  });

  it('never send more when one of them is killed, and go on', { timeout: 60_000 }, async () => {
    const times = await sendAll('killed', 60, 60);
    await until(async () => (await times()).length >= 20);
    await engines[2]?.end('SIGKILL');
    await until(async () => (await times()).length >= 60);
    expect(counted(await times(), LIMITS.killed).most).toBeLessThanOrEqual(LIMITS.killed.requests);
  });
});
