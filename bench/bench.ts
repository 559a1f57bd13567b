/**
 * `npm run bench`: messages per second from accepted to settled, and provider events per second from request to stored,
 * on the embedded database and on PostgreSQL (BENCH_DATABASE_URL, default the local server). The engine, the provider and
 * the load are processes of their own. Every count is verified; exit code 1 where one is wrong.
 *
 * Options: --messages N (20000), --requests N (20000), --runs N (3), --only embedded|server
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { callApi } from '../demo/call-api.ts';
import { type Started, startProcess } from '../demo/start-process.ts';
import { benchChannel } from './channel.ts';
import { postText, sendLoad } from './load.ts';
import { processorMs, processorMsOfName } from './processor-time.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TOKEN = 'bench-token';
const SERVER_URL = process.env.BENCH_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test';
const GIVE_UP_MS = 600_000;
/** Connections over which provider requests come in. */
const CONNECTIONS = 128;
const { values: options } = parseArgs({
  options: {
    messages: { type: 'string', default: '20000' },
    requests: { type: 'string', default: '20000' },
    runs: { type: 'string', default: '3' },
    only: { type: 'string' },
    sample: { type: 'string', default: '100' },
  },
});
const messages = Number(options.messages);
const requests = Number(options.requests);

interface Figures {
  readonly accept: number;
  readonly send: number;
  readonly ingest: number;
  readonly stored: number;
  readonly micros: string;
  readonly reportMicros: string;
  readonly stages: string;
}

async function main(): Promise<void> {
  console.log(
    `${messages} messages, ${requests} provider requests, ${options.runs} runs, trail kept 1 in ${options.sample}\n`,
  );
  for (const kind of ['embedded', 'server'] as const) {
    if (options.only !== undefined && options.only !== kind) continue;
    const runs: Figures[] = [];
    for (let run = 0; run < Number(options.runs); run += 1) {
      const figures = await measure(kind);
      runs.push(figures);
      console.log(
        `${kind} run ${run + 1}: accept ${figures.accept}/s · send ${figures.send}/s (${figures.micros}) · requests in ${figures.ingest}/s · stored ${figures.stored}/s (${figures.reportMicros})\n  ${figures.stages}`,
      );
    }
    const median = (name: 'accept' | 'send' | 'ingest' | 'stored') =>
      runs.map((each) => each[name]).sort((a, b) => a - b)[Math.floor(runs.length / 2)];
    console.log(
      `${kind} median: accept ${median('accept')}/s · accepted to settled ${median('send')}/s · requests committed and answered ${median('ingest')}/s · events stored ${median('stored')}/s\n`,
    );
  }
}

async function measure(kind: 'embedded' | 'server'): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'sluiceway-bench-'));
  const started: Started[] = [];
  const fresh = kind === 'server' ? await freshDatabase() : undefined;
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
        SLUICEWAY_TRAIL_SAMPLE: options.sample,
        SLUICEWAY_LOG_LEVEL: 'error',
        NODE_OPTIONS: await startOptions(),
        ...(fresh !== undefined && { DATABASE_URL: fresh.url }),
      },
      /listens on (\S+)/,
    );
    started.push(engine);
    return await run(engine, provider);
  } finally {
    for (const each of started.reverse()) await each.stop();
    await fresh?.drop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What `npm start` gives to Node. */
async function startOptions(): Promise<string> {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  return scripts.start
    .split(' ')
    .filter((word) => word.startsWith('--'))
    .join(' ');
}

async function run(engine: Started, provider: Started): Promise<Figures> {
  const api = callApi(engine.match, TOKEN);
  await api.post('/senders', {
    sid: 'main',
    name: 'Bench',
    channel: 'bench_sms',
    fields: { token: 'bench-secret-token' },
  });
  await api.post('/resources', { sid: 'brand', name: 'Brand', channels: {} });
  const lines = (from: number, to: number, line: (index: number) => string) =>
    Array.from({ length: to - from }, (_, index) => line(from + index)).join('\n');
  await api.postText(
    '/profiles/import',
    'application/x-ndjson',
    lines(
      0,
      messages,
      (index) => `{"externalId":"p-${index}","fields":{"name":"Person ${index}","city":"Berlin"}}`,
    ),
  );
  await api.postText(
    '/subscriptions/import',
    'application/x-ndjson',
    lines(
      0,
      messages,
      (index) =>
        `{"profile":"p-${index}","resource":"brand","channel":"bench_sms","fields":{"phone":"+49300${index}"}}`,
    ),
  );

  // Accepting: the lane is paused, so that nothing else happens.
  const text = 'Hello {{ customer.name }} in {{ customer.city }}, your code is {{ attributes.code }}.';
  const message = (index: number) => ({
    channel: 'bench_sms',
    profile: `p-${index}`,
    template: { text },
    attributes: { code: index },
  });
  await api.post('/messages', message(0));
  await until(async () => ((await api.get('/messages?state=sent&limit=1')).pagination.total as number) >= 1);
  const [lane] = (await api.get('/lanes')).data.filter(
    (each: { channel: string }) => each.channel === 'bench_sms',
  );
  await api.post(`/lanes/${lane.id}/pause`);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const acceptStart = performance.now();
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
  const accept = messages / ((performance.now() - acceptStart) / 1_000);

  // Sending: from the resumed lane to the last settled message.
  const before = timesOf(engine, provider);
  const stagesBefore = await stagesOf(engine.match);
  const sendStart = performance.now();
  await api.post(`/lanes/${lane.id}/resume`);
  // Counting what waits costs the database more than the messages do: the provider is asked until it has them all.
  await until(async () => (await takenBy(provider)) > messages);
  await until(async () => waitingIn(await (await fetch(`${engine.match}/metrics`)).text()) === 0);
  const seconds = (performance.now() - sendStart) / 1_000;
  const after = timesOf(engine, provider);
  const stagesAfter = await stagesOf(engine.match);
  const sent = (await api.get('/messages?state=sent&limit=1')).pagination.total;
  verify('messages sent', sent, messages + 1);
  verify('requests at the provider', await takenBy(provider), messages + 1);
  const micros = microsOf(before, after, messages);

  // Delivery reports: one request each, over 64 connections.
  const reported = Math.min(requests, messages);
  const beforeReports = timesOf(engine, provider);
  const ingestStart = performance.now();
  await sendLoad({
    port: Number(new URL(engine.match).port),
    connections: CONNECTIONS,
    requests: reported,
    request: (index) => postText('/fbp/v1/bench_sms/1', `{"id":"p-${index + 2}","status":"delivered"}`),
  });
  const ingest = reported / ((performance.now() - ingestStart) / 1_000);
  await until(async () => waitingIn(await (await fetch(`${engine.match}/metrics`)).text()) === 0);
  const stored = reported / ((performance.now() - ingestStart) / 1_000);
  const reportMicros = microsOf(beforeReports, timesOf(engine, provider), reported);
  const delivered = (await api.get('/messages?state=delivered&limit=1')).pagination.total;
  verify('messages delivered', delivered, reported);

  const stages = ['claim', 'run', 'settle']
    .map((stage) => {
      const items = (stagesAfter[`items:${stage}`] ?? 0) - (stagesBefore[`items:${stage}`] ?? 0);
      const times = (stagesAfter[`times:${stage}`] ?? 0) - (stagesBefore[`times:${stage}`] ?? 0);
      const spent = (stagesAfter[`seconds:${stage}`] ?? 0) - (stagesBefore[`seconds:${stage}`] ?? 0);
      return `${stage} ${times} × ${Math.round(items / Math.max(1, times))} items, ${((spent * 1_000) / Math.max(1, times)).toFixed(1)} ms each, ${Math.round((100 * spent) / seconds)} % of the time`;
    })
    .join(' · ');
  return {
    accept: Math.round(accept),
    send: Math.round(messages / seconds),
    ingest: Math.round(ingest),
    stored: Math.round(stored),
    micros: `µs of processor each: ${micros}`,
    reportMicros,
    stages,
  };
}

async function takenBy(provider: Started): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${provider.match}/count`);
  return ((await answer.json()) as { taken: number }).taken;
}

function verify(what: string, count: number, expected: number): void {
  if (count === expected) return;
  throw new Error(`${what}: ${count}, expected ${expected}`);
}

function microsOf(before: Record<string, number>, after: Record<string, number>, items: number): string {
  return Object.keys(after)
    .map((name) => `${name} ${Math.round((((after[name] ?? 0) - (before[name] ?? 0)) * 1_000) / items)}`)
    .join(' · ');
}

function timesOf(engine: Started, provider: Started): Record<string, number> {
  return {
    engine: processorMs(engine.pid) ?? 0,
    PostgreSQL: processorMsOfName('postgres'),
    provider: processorMs(provider.pid) ?? 0,
    load: process.cpuUsage().user / 1_000 + process.cpuUsage().system / 1_000,
  };
}

function waitingIn(metrics: string): number {
  let sum = 0;
  for (const [, count] of metrics.matchAll(/^sluiceway_waiting\{[^}]*\} (\d+)/gm)) sum += Number(count);
  return sum;
}

async function stagesOf(url: string): Promise<Record<string, number>> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Object.fromEntries(
    [...metrics.matchAll(/^sluiceway_stage_(\w+)_total\{stage="(\w+)"\} (\S+)/gm)].map(
      ([, what, stage, value]) => [`${what}:${stage}`, Number(value)],
    ),
  );
}

async function until(done: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + GIVE_UP_MS;
  while (!(await done())) {
    if (Date.now() > end) throw new Error('gave up waiting');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function freshDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
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

await main();
