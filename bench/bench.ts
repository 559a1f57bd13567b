/**
 * `npm run bench`: messages per second from accepted to settled; provider requests per second that are answered, that
 * become events, and both at once; on the embedded database and on PostgreSQL (BENCH_DATABASE_URL, default the local
 * server). The engine, the provider and the load are processes of their own. Every count is verified; exit code 1 where
 * one is wrong.
 *
 * Options: --messages N (20000), --requests N (20000), --runs N (3), --only embedded|server, --sample N (100)
 */
import { parseArgs } from 'node:util';
import type { Started } from '../demo/start-process.ts';
import { postText, sendLoad } from './load.ts';
import { processorMs, processorMsOfName } from './processor-time.ts';
import { median, startWorld, until, verify, type World } from './world.ts';

/** Connections over which provider requests come in. */
const CONNECTIONS = 128;
const WARM_UP = 20_000;
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
/** Half of them are answered and turned into events one after the other, the other half at once. */
const requests = Math.min(Number(options.requests), messages);
const half = Math.floor(requests / 2);

interface Figures {
  readonly accept: number;
  readonly send: number;
  /** Committed and answered while nothing else is done, and then turned into events. */
  readonly answered: number;
  readonly stored: number;
  /** Both at once: until the last is answered, and until the last is an event. */
  readonly answeredToo: number;
  readonly storedToo: number;
  readonly sendMicros: string;
  readonly storeMicros: string;
  readonly stages: string;
}

async function main(): Promise<void> {
  console.log(
    `${messages} messages, ${requests} provider requests, ${options.runs} runs, trail kept 1 in ${options.sample}\n`,
  );
  for (const kind of ['embedded', 'server'] as const) {
    if (options.only !== undefined && options.only !== kind) continue;
    const runs: Figures[] = [];
    for (let run = 1; run <= Number(options.runs); run += 1) {
      const world = await startWorld({ kind, people: messages, sample: options.sample });
      const figures = await measure(world).finally(world.stop);
      runs.push(figures);
      console.log(
        [
          `${kind} run ${run}: accept ${figures.accept}/s · send ${figures.send}/s`,
          `  requests: answered ${figures.answered}/s · stored ${figures.stored}/s · both at once: answered ${figures.answeredToo}/s, stored ${figures.storedToo}/s`,
          `  µs of processor a message: ${figures.sendMicros}; a request: ${figures.storeMicros}`,
          `  ${figures.stages}`,
        ].join('\n'),
      );
    }
    const middle = (name: 'accept' | 'send' | 'answered' | 'stored' | 'answeredToo' | 'storedToo') =>
      median(runs.map((each) => each[name]));
    console.log(
      `${kind} median: accept ${middle('accept')}/s · accepted to settled ${middle('send')}/s · requests committed and answered ${middle('answered')}/s · turned into events ${middle('stored')}/s · both at once ${middle('answeredToo')}/s and ${middle('storedToo')}/s\n`,
    );
  }
}

async function measure(world: World): Promise<Figures> {
  const { engine, provider, api } = world;
  // Once through everything, so that what is measured is compiled.
  await world.accept(WARM_UP);
  await until(async () => (await world.waiting()) === 0);
  await report(world, 2, WARM_UP / 2);
  await until(async () => (await world.waiting()) === 0);
  const warm = (await world.taken()).taken;

  // The lane is paused, so that accepting is measured alone.
  await world.pause();
  const accept = await world.accept(messages);

  // Sending: from the resumed lane to the last settled message.
  const before = timesOf(engine, provider);
  const stagesBefore = await stagesOf(engine.match);
  const sendStart = performance.now();
  await world.resume();
  // Counting what waits costs the database more than the messages do: the provider is asked until it has them all.
  await until(async () => (await world.taken()).taken >= warm + messages);
  await until(async () => (await world.waiting()) === 0);
  const seconds = (performance.now() - sendStart) / 1_000;
  const sendMicros = microsOf(before, timesOf(engine, provider), messages);
  const stagesAfter = await stagesOf(engine.match);
  const sent = async (state: string) =>
    (await api.get(`/messages?state=${state}&limit=1`)).pagination.total as number;
  verify('messages sent', (await sent('sent')) + (await sent('delivered')), warm + messages);
  verify('requests at the provider', (await world.taken()).taken, warm + messages);

  // Delivery reports: one request each.
  const beforeReports = timesOf(engine, provider);
  const ingestStart = performance.now();
  await report(world, warm + 1, half);
  const answeredToo = half / ((performance.now() - ingestStart) / 1_000);
  await until(async () => (await world.waiting()) === 0);
  const storedToo = half / ((performance.now() - ingestStart) / 1_000);
  const storeMicros = microsOf(beforeReports, timesOf(engine, provider), half);

  await world.pause('in');
  const answerStart = performance.now();
  await report(world, warm + 1 + half, half);
  const answered = half / ((performance.now() - answerStart) / 1_000);
  verify('requests waiting', await world.waiting(), half);
  const storeStart = performance.now();
  await world.resume('in');
  await until(async () => (await world.waiting()) === 0);
  const stored = half / ((performance.now() - storeStart) / 1_000);
  verify('messages delivered', await sent('delivered'), WARM_UP / 2 + 2 * half);

  const stages = ['claim', 'run', 'settle']
    .map((stage) => {
      const of = (what: string) =>
        (stagesAfter[`${what}:${stage}`] ?? 0) - (stagesBefore[`${what}:${stage}`] ?? 0);
      const times = Math.max(1, of('times'));
      return `${stage} ${of('times')} × ${Math.round(of('items') / times)} items, ${((of('seconds') * 1_000) / times).toFixed(1)} ms each, ${Math.round((100 * of('seconds')) / seconds)} % of the time`;
    })
    .join(' · ');
  return {
    accept: Math.round(accept),
    send: Math.round(messages / seconds),
    answered: Math.round(answered),
    stored: Math.round(stored),
    answeredToo: Math.round(answeredToo),
    storedToo: Math.round(storedToo),
    sendMicros,
    storeMicros,
    stages,
  };
}

/** Delivery reports of messages, one request each; `first` is the number that the provider gave to the first of them. */
function report({ engine }: World, first: number, reports: number): Promise<void> {
  return sendLoad({
    port: Number(new URL(engine.match).port),
    connections: CONNECTIONS,
    requests: reports,
    request: (index) =>
      postText('/fbp/v1/bench_sms/1/main', `{"id":"p-${first + index}","status":"delivered"}`),
  });
}

function timesOf(engine: Started, provider: Started): Record<string, number> {
  const { user, system } = process.cpuUsage();
  return {
    engine: processorMs(engine.pid) ?? 0,
    PostgreSQL: processorMsOfName('postgres'),
    provider: processorMs(provider.pid) ?? 0,
    load: (user + system) / 1_000,
  };
}

function microsOf(before: Record<string, number>, after: Record<string, number>, items: number): string {
  return Object.keys(after)
    .map((name) => `${name} ${Math.round((((after[name] ?? 0) - (before[name] ?? 0)) * 1_000) / items)}`)
    .join(' · ');
}

async function stagesOf(url: string): Promise<Record<string, number>> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Object.fromEntries(
    [...metrics.matchAll(/^sluiceway_stage_(\w+)_total\{stage="(\w+)"\} (\S+)/gm)].map(
      ([, what, stage, value]) => [`${what}:${stage}`, Number(value)],
    ),
  );
}

await main();
