/** What every benchmark runs on: a database, a provider and the engine, each in a process of its own, and people to send to. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { type Api, callApi } from '../demo/call-api.ts';
import { type Started, startProcess } from '../demo/start-process.ts';
import { benchChannel } from './channel.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TOKEN = 'bench-token';
const SERVER_URL = process.env.BENCH_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test';
const GIVE_UP_MS = 900_000;
const IMPORT_ROWS = 20_000;
const LOOK_EVERY_MS = 25;

export interface WorldOptions {
  readonly kind: 'embedded' | 'server';
  /** How many people there are. */
  readonly people: number;
  /** The trail of one in so many uneventful runs is kept. */
  readonly sample?: string;
}

export interface World {
  readonly engine: Started;
  readonly provider: Started;
  readonly api: Api;
  /** Of the database server; undefined for the embedded one. */
  readonly databaseUrl: string | undefined;
  /** Requests that the provider has taken, and how long those that say when they were accepted were on their way, in ms. */
  readonly taken: () => Promise<{ taken: number; p50: number; p99: number }>;
  /** What waits in all lanes; counting costs the database something. */
  readonly waiting: () => Promise<number>;
  /** Accepts messages by the API, in batches of 500; gives how many a second. */
  readonly accept: (messages: number) => Promise<number>;
  /** Of what goes out, unless it is said that what comes in is meant. */
  readonly pause: (way?: 'in') => Promise<void>;
  readonly resume: (way?: 'in') => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts everything, with one message sent, so that all is open and compiled. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'sluiceway-bench-'));
  const started: Started[] = [];
  const fresh = options.kind === 'server' ? await freshDatabase() : undefined;
  const stop = async () => {
    for (const each of started.reverse()) await each.stop();
    await fresh?.drop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const provider = await startProcess(join(ROOT, 'bench/provider.ts'), [], {}, /^(\d+)$/m);
    started.push(provider);
    await mkdir(join(folder, 'channels/bench_sms'), { recursive: true });
    await writeFile(
      join(folder, 'channels/bench_sms/channel.json'),
      JSON.stringify(benchChannel(provider.match)),
    );
    const engine = await startProcess(
      join(ROOT, 'src/main.ts'),
      ['serve'],
      {
        SLUICEWAY_PORT: '0',
        SLUICEWAY_DATA: join(folder, 'data'),
        SLUICEWAY_ADMIN_TOKEN: TOKEN,
        SLUICEWAY_CHANNELS: join(folder, 'channels'),
        SLUICEWAY_ALLOW_ADDRESSES: `127.0.0.1:${provider.match}`,
        SLUICEWAY_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
        SLUICEWAY_TRAIL_SAMPLE: options.sample ?? '100',
        SLUICEWAY_LOG_LEVEL: 'error',
        NODE_OPTIONS: await startOptions(),
        ...(fresh !== undefined && { DATABASE_URL: fresh.url }),
      },
      /listens on (\S+)/,
    );
    started.push(engine);
    return await furnish(options, engine, provider, fresh?.url, stop);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

async function furnish(
  options: WorldOptions,
  engine: Started,
  provider: Started,
  databaseUrl: string | undefined,
  stop: () => Promise<void>,
): Promise<World> {
  const { people } = options;
  const api = callApi(engine.match, TOKEN);
  await api.post('/senders', {
    sid: 'main',
    name: 'Bench',
    channel: 'bench_sms',
    fields: { token: 'bench-secret-token' },
  });
  await api.post('/resources', { sid: 'brand', name: 'Brand', channels: {} });
  const load = async (path: string, line: (index: number) => string) => {
    for (let from = 0; from < people; from += IMPORT_ROWS) {
      const rows = Math.min(IMPORT_ROWS, people - from);
      const text = Array.from({ length: rows }, (_, index) => line(from + index)).join('\n');
      await api.postText(path, 'application/x-ndjson', text);
    }
  };
  await load(
    '/profiles/import',
    (index) => `{"externalId":"p-${index}","fields":{"name":"Person ${index}","city":"Berlin"}}`,
  );
  await load(
    '/subscriptions/import',
    (index) =>
      `{"profile":"p-${index}","resource":"brand","channel":"bench_sms","fields":{"phone":"+49300${index}"}}`,
  );
  const text = 'Hello {{ customer.name }} in {{ customer.city }}, your code is {{ attributes.code }}.';
  const message = (index: number) => ({
    channel: 'bench_sms',
    profile: `p-${index % people}`,
    template: { text },
    attributes: { code: index },
  });
  await api.post('/messages', message(0));
  await until(async () => ((await api.get('/messages?state=sent&limit=1')).pagination.total as number) >= 1);
  const laneOf = async (way = 'out') => {
    const lanes: { id: number; key: string; channel: string }[] = (await api.get('/lanes')).data;
    const lane = lanes.find((each) => each.channel === 'bench_sms' && each.key.endsWith(`/${way}`));
    if (lane === undefined) throw new Error(`The channel has no lane "${way}".`);
    return lane.id;
  };
  return {
    engine,
    provider,
    api,
    databaseUrl,
    taken: async () => (await fetch(`http://127.0.0.1:${provider.match}/count`)).json() as never,
    waiting: async () => waitingIn(await (await fetch(`${engine.match}/metrics`)).text()),
    accept: async (messages) => {
      const startMs = performance.now();
      let next = 0;
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          while (next < messages) {
            const from = next;
            next = Math.min(messages, from + 500);
            const batch = Array.from({ length: next - from }, (_, index) => message(from + index));
            const { results } = await api.post('/messages', { messages: batch });
            if (results.some((result: { id?: string }) => result.id === undefined))
              throw new Error(JSON.stringify(results[0]));
          }
        }),
      );
      return messages / ((performance.now() - startMs) / 1_000);
    },
    pause: async (way) => {
      await api.post(`/lanes/${await laneOf(way)}/pause`);
      await pause(1_500);
    },
    resume: async (way) => {
      await api.post(`/lanes/${await laneOf(way)}/resume`);
    },
    stop,
  };
}

/** Waits for something that becomes true; throws after a quarter of an hour. */
export async function until(done: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + GIVE_UP_MS;
  while (!(await done())) {
    if (performance.now() > endMs) throw new Error('gave up waiting');
    await pause(LOOK_EVERY_MS);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Ends the benchmark where a count is wrong. */
export function verify(what: string, count: number, expected: number): void {
  if (count !== expected) throw new Error(`${what}: ${count}, expected ${expected}`);
}

/** What `npm start` gives to Node. */
export async function startOptions(): Promise<string> {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  return scripts.start
    .split(' ')
    .filter((word) => word.startsWith('--'))
    .join(' ');
}

function waitingIn(metrics: string): number {
  let sum = 0;
  for (const [, count] of metrics.matchAll(/^sluiceway_waiting\{[^}]*\} (\d+)/gm)) sum += Number(count);
  return sum;
}

/** An empty database on the server, and how to drop it. */
export async function freshDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `sluiceway_bench_${process.pid}_${Date.now()}`;
  const admin = postgres(SERVER_URL, { max: 1, onnotice: () => {} });
  await admin.unsafe(`create database ${name}`);
  const url = new URL(SERVER_URL);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: async () => {
      await admin.unsafe(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}
