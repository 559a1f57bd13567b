/**
 * `npm run bench:mailing`: one mailing to very many people, on PostgreSQL (BENCH_DATABASE_URL): how fast it is opened and
 * sent, what each second of watching costs, and how much memory the engine takes at most. With `--kill` the engine is
 * killed (-9) in the middle of opening and started again. Every count is verified; exit code 1 where one is wrong.
 *
 * Options: --profiles N (100000), --kill, --pause (once, in the middle of sending)
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
import { freshDatabase, startOptions, until, verify } from './world.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TOKEN = 'bench-token';
const CHANNEL_ID = 10_001;
const MIB = 1024 * 1024;
const { values: options } = parseArgs({
  options: {
    profiles: { type: 'string', default: '100000' },
    kill: { type: 'boolean', default: false },
    pause: { type: 'boolean', default: false },
  },
});
const profiles = Number(options.profiles);

/** Resident memory of a process in MiB (Linux); 0 where the system does not tell. */
async function residentMib(pid: number | undefined): Promise<number> {
  try {
    const pages = Number((await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1]);
    return Math.round((pages * 4_096) / MIB);
  } catch {
    return 0;
  }
}

async function fill(sql: postgres.Sql): Promise<void> {
  await sql`
    insert into profile (id, account_id, external_id, fields, created_at, updated_at)
    select gen_random_uuid(), a.id, 'p-' || n,
      json_build_object('name', 'Person ' || n, 'city', 'Berlin')::jsonb, now(), now()
    from account a, generate_series(1, ${profiles}::int) n`;
  await sql`
    insert into subscription (id, account_id, profile_id, resource_id, channel_id, fields, status, created_at, updated_at)
    select gen_random_uuid(), p.account_id, p.id, r.id, ${CHANNEL_ID},
      json_build_object('phone', '+49300' || substr(p.external_id, 3))::jsonb, 'subscribed', now(), now()
    from profile p join resource r on r.account_id = p.account_id`;
  await sql`analyze profile, subscription`;
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sluiceway-bench-'));
  const fresh = await freshDatabase();
  const sql = postgres(fresh.url, { max: 2, onnotice: () => {} });
  const running: { engine?: Started; provider?: Started } = {};
  try {
    const provider = await startProcess(
      join(ROOT, 'bench/provider.ts'),
      [],
      { PROVIDER_KEYS: 'yes' },
      /^(\d+)$/m,
    );
    running.provider = provider;
    await mkdir(join(folder, 'channels/bench_sms'), { recursive: true });
    const document = JSON.stringify(benchChannel(provider.match));
    await writeFile(join(folder, 'channels/bench_sms/channel.json'), document);
    const nodeOptions = await startOptions();
    const start = async (): Promise<Started> => {
      const engine = await startProcess(
        join(ROOT, 'src/main.ts'),
        ['serve'],
        {
          SLUICEWAY_PORT: '0',
          SLUICEWAY_ADMIN_TOKEN: TOKEN,
          SLUICEWAY_CHANNELS: join(folder, 'channels'),
          SLUICEWAY_ALLOW_ADDRESSES: `127.0.0.1:${provider.match}`,
          SLUICEWAY_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
          SLUICEWAY_TRAIL_SAMPLE: '1000',
          SLUICEWAY_LEASE_SECONDS: '2',
          SLUICEWAY_LOG_LEVEL: 'error',
          NODE_OPTIONS: nodeOptions,
          DATABASE_URL: fresh.url,
        },
        /listens on (\S+)/,
      );
      running.engine = engine;
      return engine;
    };
    await measure(await start(), start, provider, sql);
  } finally {
    await running.engine?.stop();
    await running.provider?.stop();
    await sql.end({ timeout: 1 });
    await fresh.drop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  first: Started,
  start: () => Promise<Started>,
  provider: Started,
  sql: postgres.Sql,
): Promise<void> {
  let engine = first;
  const api = () => callApi(engine.match, TOKEN);
  await api().post('/senders', {
    ...{ sid: 'main', name: 'Bench', channel: 'bench_sms' },
    fields: { token: 'bench-secret-token' },
  });
  await api().post('/resources', { sid: 'brand', name: 'Brand', channels: {} });
  const filledMs = performance.now();
  await fill(sql);
  console.log(`${profiles} profiles, subscribed, in ${seconds(filledMs)} s`);
  const { id } = await api().post('/mailings', {
    ...{ name: 'Bench', channel: 'bench_sms', sender: 'main', resource: 'brand', audience: { all: true } },
    template: { text: 'Hello {{ customer.name }} in {{ customer.city }}.' },
  });
  const taken = async () =>
    (await (await fetch(`http://127.0.0.1:${provider.match}/count`)).json()) as {
      taken: number;
      keys: number;
    };

  const restMib = await residentMib(engine.pid);
  let mostMib = 0;
  let watchedMs = 0;
  let watches = 0;
  const startMs = performance.now();
  await api().post(`/mailings/${id}/start`);
  let openedMs: number | undefined;
  let killed = !options.kill;
  let paused = !options.pause;
  await until(async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    mostMib = Math.max(mostMib, await residentMib(engine.pid));
    const askedMs = performance.now();
    const mailing = await api().get(`/mailings/${id}`);
    watchedMs += performance.now() - askedMs;
    watches += 1;
    const [launch] = mailing.launches;
    if (!launch.opening) openedMs ??= performance.now();
    console.log(
      `${seconds(startMs)} s: ${mailing.state}, opened ${launch.opened}, ${JSON.stringify(mailing.counts)}, ${mailing.pace.perSecond}/s, ${mailing.pace.remainingSeconds ?? '?'} s left, ${await residentMib(engine.pid)} MiB`,
    );
    if (!killed && launch.opening && launch.opened > 0) {
      killed = true;
      process.kill(engine.pid ?? 0, 'SIGKILL');
      await engine.stop();
      console.log(`killed with ${launch.opened} opened`);
      engine = await start();
    }
    if (!paused && (mailing.counts.sent ?? 0) > profiles / 2) {
      paused = true;
      await api().post(`/mailings/${id}/pause`);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const before = (await taken()).taken;
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      verify('requests after a pause', (await taken()).taken - before, 0);
      await api().post(`/mailings/${id}/resume`);
    }
    return mailing.state === 'finished';
  });
  const endMs = performance.now();
  if (!killed) throw new Error('all was opened before the engine could be killed: take more profiles');

  const [books] = await sql<{ messages: number; profiles: number; sent: number }[]>`
    select count(*)::int as messages, count(distinct profile_id)::int as profiles,
      (count(*) filter (where state = 40))::int as sent from message`;
  verify('messages', books?.messages ?? 0, profiles);
  verify('profiles with a message', books?.profiles ?? 0, profiles);
  verify('messages sent', books?.sent ?? 0, profiles);
  const counted = await api().get(`/mailings/${id}`);
  verify('messages by the counts', counted.counts.sent, profiles);
  const { taken: requests, keys } = await taken();
  verify('messages at the provider', keys, profiles);
  if (!options.kill) verify('requests at the provider', requests, profiles);
  const rate = (fromMs: number, toMs: number) => Math.round(profiles / ((toMs - fromMs) / 1_000));
  console.log(
    `\nopened ${rate(startMs, openedMs ?? endMs)}/s · sent ${rate(startMs, endMs)}/s from the start to the end · ${requests} requests for ${keys} messages · memory ${restMib} MiB before, ${mostMib} MiB at most · a look at the mailing ${(watchedMs / watches).toFixed(1)} ms`,
  );
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1_000).toFixed(0);
}

await main();
