/**
 * `npm run bench:snapshot`: the same sending with and without an old snapshot held open, as a backup or a forgotten
 * transaction does; nothing that is finished can be cleaned away then. Prints messages per second by sixth of each run.
 *
 * Options: --messages N (120000). Needs a PostgreSQL server (BENCH_DATABASE_URL).
 */
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { startWorld, until, verify } from './world.ts';

const PARTS = 6;
const PEOPLE = 10_000;
const { values: options } = parseArgs({ options: { messages: { type: 'string', default: '120000' } } });
const messages = Number(options.messages);

async function measure(held: boolean): Promise<void> {
  const world = await startWorld({ kind: 'server', people: PEOPLE });
  const holder = postgres(world.databaseUrl ?? '', { max: 1, onnotice: () => {} });
  try {
    await world.pause();
    await world.accept(messages);
    if (held)
      await holder.unsafe('begin isolation level repeatable read; select count(*) from account').simple();
    const startMs = performance.now();
    const passedMs: number[] = [];
    await world.resume();
    await until(async () => {
      const { taken } = await world.taken();
      while (passedMs.length < PARTS && taken > ((passedMs.length + 1) * messages) / PARTS) {
        passedMs.push(performance.now() - startMs);
      }
      return taken > messages;
    });
    await until(async () => (await world.waiting()) === 0);
    const seconds = (performance.now() - startMs) / 1_000;
    const parts = passedMs.map((ms, index) =>
      Math.round((messages / PARTS / (ms - (passedMs[index - 1] ?? 0))) * 1_000),
    );
    verify('requests at the provider', (await world.taken()).taken, messages + 1);
    console.log(
      `${held ? 'with an old snapshot' : 'without'}: ${Math.round(messages / seconds)}/s; by sixth: ${parts.join(', ')}`,
    );
  } finally {
    await holder.end({ timeout: 1 });
    await world.stop();
  }
}

for (const held of [false, true, false, true]) await measure(held);
