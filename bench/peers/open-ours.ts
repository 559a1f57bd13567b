/** Our engine in a process of its own on a database of its own, with the channel that `npm run bench` measures. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Api, callApi } from '../../demo/call-api.ts';
import { startProcess } from '../../demo/start-process.ts';
import { benchChannel } from '../channel.ts';
import type { Closing } from './closing.ts';
import { type Contestant, expectCount, until, WARM_UP } from './measure.ts';
import { messageOf, TEXT } from './message.ts';
import { ENQUEUE_AT_ONCE, ENQUEUE_BATCH } from './queue.ts';
import { openDatabase } from './stores.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const TOKEN = 'bench-token';
/** The trail of one in so many uneventful runs is kept, as in `npm run bench`. */
const TRAIL_SAMPLE = '100';
/** Longer than a worker needs to notice that a lane is paused. */
const PAUSE_TAKES_MS = 1_500;

/** Opens the engine, tells it the people, and has it do the warm-up. */
export async function openOurs(
  providerPort: string,
  messages: number,
  closing: Closing,
): Promise<Contestant> {
  const database = await openDatabase();
  closing.later(database.drop);
  const folder = await mkdtemp(join(tmpdir(), 'sluiceway-peers-'));
  closing.later(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'channels/bench_sms'), { recursive: true });
  await writeFile(
    join(folder, 'channels/bench_sms/channel.json'),
    JSON.stringify(benchChannel(providerPort)),
  );
  const engine = await startProcess(
    MAIN,
    ['serve'],
    {
      DATABASE_URL: database.url,
      SLUICEWAY_PORT: '0',
      SLUICEWAY_DATA: join(folder, 'data'),
      SLUICEWAY_ADMIN_TOKEN: TOKEN,
      SLUICEWAY_CHANNELS: join(folder, 'channels'),
      SLUICEWAY_ALLOW_ADDRESSES: `127.0.0.1:${providerPort}`,
      SLUICEWAY_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
      SLUICEWAY_TRAIL_SAMPLE: TRAIL_SAMPLE,
      SLUICEWAY_LOG_LEVEL: 'error',
    },
    /listens on (\S+)/,
  );
  closing.later(engine.stop);
  const api = callApi(engine.match, TOKEN);
  await importPeople(api, WARM_UP + messages);

  await accept(api, 0, WARM_UP);
  await until(async () => (await sentCount(api)) === WARM_UP);
  const lanes: { id: number; channel: string }[] = (await api.get('/lanes')).data;
  const lane = lanes.find((each) => each.channel === 'bench_sms');
  if (lane === undefined) throw new Error('The channel has no lane.');
  await api.post(`/lanes/${lane.id}/pause`);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_TAKES_MS));
  return {
    pid: engine.pid,
    storePids: database.pids,
    enqueue: (from, to) => accept(api, from, to),
    begin: async () => {
      await api.post(`/lanes/${lane.id}/resume`);
    },
    unfinished: async () => waitingIn(await (await fetch(`${engine.match}/metrics`)).text()),
    verify: async (count) => expectCount('messages sent', await sentCount(api), count),
  };
}

async function importPeople(api: Api, count: number): Promise<void> {
  await api.post('/senders', {
    sid: 'main',
    name: 'Bench',
    channel: 'bench_sms',
    fields: { token: 'bench-secret-token' },
  });
  await api.post('/resources', { sid: 'brand', name: 'Brand', channels: {} });
  const people = Array.from({ length: count }, (_, number) => messageOf(number));
  const lines = (line: (message: ReturnType<typeof messageOf>) => unknown) =>
    people.map((message) => JSON.stringify(line(message))).join('\n');
  await api.postText(
    '/profiles/import',
    'application/x-ndjson',
    lines(({ number, customer }) => ({ externalId: `p-${number}`, fields: customer })),
  );
  await api.postText(
    '/subscriptions/import',
    'application/x-ndjson',
    lines(({ number, phone }) => ({
      profile: `p-${number}`,
      resource: 'brand',
      channel: 'bench_sms',
      fields: { phone },
    })),
  );
}

async function accept(api: Api, from: number, to: number): Promise<void> {
  let next = from;
  await Promise.all(
    Array.from({ length: ENQUEUE_AT_ONCE }, async () => {
      while (next < to) {
        const first = next;
        next = Math.min(to, first + ENQUEUE_BATCH);
        const messages = Array.from({ length: next - first }, (_, index) => ({
          channel: 'bench_sms',
          profile: `p-${first + index}`,
          template: { text: TEXT },
          attributes: messageOf(first + index).attributes,
        }));
        const results: { id?: string }[] = (await api.post('/messages', { messages })).results;
        const refused = results.find((result) => result.id === undefined);
        if (refused !== undefined) throw new Error(`A message was refused: ${JSON.stringify(refused)}`);
      }
    }),
  );
}

async function sentCount(api: Api): Promise<number> {
  return (await api.get('/messages?state=sent&limit=1')).pagination.total;
}

function waitingIn(metrics: string): number {
  let sum = 0;
  for (const [, count] of metrics.matchAll(/^sluiceway_waiting\{[^}]*\} (\d+)/gm)) sum += Number(count);
  return sum;
}
