/**
 * `npm run bench:latency`: how long a message is on its way from the API call that sends it to the provider, while
 * messages come at a steady pace. Prints the median and the 99th percentile in milliseconds.
 *
 * Options: --rate N messages per second (6000), --seconds N (10), --only embedded|server
 */
import { parseArgs } from 'node:util';
import { pause, startWorld, until, verify } from './world.ts';

const BATCH = 30;
const PEOPLE = 10_000;
const { values: options } = parseArgs({
  options: {
    rate: { type: 'string', default: '6000' },
    seconds: { type: 'string', default: '10' },
    only: { type: 'string' },
  },
});
const rate = Number(options.rate);

async function measure(kind: 'embedded' | 'server'): Promise<void> {
  const world = await startWorld({ kind, people: PEOPLE });
  try {
    await world.accept(PEOPLE);
    await until(async () => (await world.waiting()) === 0);
    const before = (await world.taken()).taken;
    await fetch(`http://127.0.0.1:${world.provider.match}/forget`);
    const startMs = performance.now();
    const calls: Promise<unknown>[] = [];
    let sent = 0;
    while (performance.now() - startMs < Number(options.seconds) * 1_000) {
      const due = ((performance.now() - startMs) / 1_000) * rate;
      while (sent + BATCH <= due) {
        const from = sent;
        sent += BATCH;
        calls.push(
          world.api.post('/messages', {
            messages: Array.from({ length: BATCH }, (_, index) => ({
              channel: 'bench_sms',
              profile: `p-${(from + index) % PEOPLE}`,
              template: { text: 'Hello {{ customer.name }}, asked at {{ attributes.at }}.' },
              attributes: { at: `~${Date.now()}~` },
            })),
          }),
        );
      }
      await pause(1);
    }
    await Promise.all(calls);
    await until(async () => (await world.taken()).taken >= before + sent);
    const { taken, p50, p99 } = await world.taken();
    verify('requests at the provider', taken, before + sent);
    console.log(
      `${kind}: ${sent} messages at ${Math.round(sent / Number(options.seconds))}/s in calls of ${BATCH}; from the call to the provider: median ${p50} ms, 99th percentile ${p99} ms`,
    );
  } finally {
    await world.stop();
  }
}

for (const kind of ['embedded', 'server'] as const) {
  if (options.only === undefined || options.only === kind) await measure(kind);
}
