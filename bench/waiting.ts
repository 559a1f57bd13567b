/**
 * `npm run bench:waiting`: memory of the engine while very many messages wait, and while they are sent.
 *
 * Options: --messages N (1000000). Needs a PostgreSQL server (BENCH_DATABASE_URL).
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startWorld, until, verify } from './world.ts';

const PEOPLE = 10_000;
const SAMPLE_MS = 200;
const { values: options } = parseArgs({ options: { messages: { type: 'string', default: '1000000' } } });
const messages = Number(options.messages);

/** Resident memory in MB, from /proc (Linux). */
function residentMb(pid: number | undefined): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return Math.round((pages * 4_096) / 1_048_576);
}

const world = await startWorld({ kind: 'server', people: PEOPLE });
let most = 0;
const sampling = setInterval(() => {
  most = Math.max(most, residentMb(world.engine.pid));
}, SAMPLE_MS);
try {
  await world.pause();
  const accepted = await world.accept(messages);
  console.log(
    `${messages} messages wait, accepted at ${Math.round(accepted)}/s; the engine took ${most} MB at most`,
  );
  const startMs = performance.now();
  await world.resume();
  await until(async () => (await world.taken()).taken > messages);
  await until(async () => (await world.waiting()) === 0);
  const seconds = (performance.now() - startMs) / 1_000;
  verify('requests at the provider', (await world.taken()).taken, messages + 1);
  console.log(`all sent at ${Math.round(messages / seconds)}/s; the engine took ${most} MB at most`);
} finally {
  clearInterval(sampling);
  await world.stop();
}
