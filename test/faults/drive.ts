/**
 * `npm run faults -- --runs N --seed S`: runs of the whole engine in several processes while things break at random
 * moments. The same seed breaks the same things in the same order. Exit code 1 where the database differ from what the
 * provider says.
 *
 * Options: --runs N (3), --seed S (the time), --faults N for each run (12), --misbehaved percent (12), --kinds a,b
 */
import { parseArgs } from 'node:util';
import { postgresPrograms } from '../support/own-postgres.ts';
import { runScenario } from './scenario.ts';
import { createTally } from './tally.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    faults: { type: 'string', default: '12' },
    misbehaved: { type: 'string', default: '12' },
    kinds: { type: 'string' },
  },
});
// Interrupted, it takes along what it started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const tally = createTally();
const programs = postgresPrograms();
if (programs === undefined) {
  console.log('No PostgreSQL programs are here: the database is not stopped in these runs.');
}
let failed = 0;
for (let run = 0; run < Number(values.runs); run += 1) {
  const seed = Number(values.seed) + run;
  const startMs = performance.now();
  const wrong = await runScenario({
    seed,
    faults: Number(values.faults),
    misbehaved: Number(values.misbehaved),
    ...(values.kinds !== undefined && { kinds: values.kinds.split(',') }),
    programs,
    tally,
  }).catch((thrown: unknown) => [String(thrown)]);
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
  console.log(`run ${run + 1}, seed ${seed}, ${seconds} s: ${wrong.length === 0 ? 'equal' : 'DIFFERENT'}`);
  for (const each of wrong) console.log(`  ${each}`);
  if (wrong.length > 0) {
    failed += 1;
    console.log(`  Repeat it with: npm run faults -- --runs 1 --seed ${seed}`);
  }
}
if (failed > 0) {
  console.log(
    `faults: ${failed} of ${values.runs} runs ended with books that differ from the provider's log`,
  );
  process.exitCode = 1;
} else console.log(tally.line());
