/** One run: messages are sent while things break in an order that the seed gives; then the database is compared with the provider. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Seeded, seeded } from '../support/seeded.ts';
import { compareBooks, settled } from './books.ts';
import { MISBEHAVIOURS, SAFETIES } from './channels.ts';
import { FAULTS, type Fault } from './kinds.ts';
import { prepareSending, sendMessages } from './load.ts';
import type { Tally } from './tally.ts';
import { HASTY, openWorld } from './world.ts';

export interface Scenario {
  readonly seed: number;
  /** How many faults of nodes and database, beside those of the provider. */
  readonly faults: number;
  /** Only these kinds, or all that can be done here. */
  readonly kinds?: readonly string[];
  /** Of a hundred requests so many are answered badly. */
  readonly misbehaved: number;
  readonly programs: string | undefined;
  readonly tally: Tally;
}

const SCRIPT_STEPS = 200;
const SETTLE_LIMIT_MS = 180_000;
const LONGEST_CALM_MS = 600;
/** Starting again is part of most faults, and slow on a busy machine. */
const FAULT_LIMIT_MS = 120_000;

/** Runs it and gives what is wrong with the database, as sentences. */
export async function runScenario(scenario: Scenario): Promise<readonly string[]> {
  const { seed, tally, programs } = scenario;
  const random = seeded(seed);
  const world = await openWorld(programs, HASTY);
  try {
    for (const safety of SAFETIES) {
      await world.provider.scriptRound(`/${safety}/send`, stepsOf(random, scenario.misbehaved));
    }
    await prepareSending(world);
    const possible = FAULTS.filter(
      (each) =>
        (scenario.kinds?.includes(each.kind) ?? true) && (!each.needsOwnServer || world.own !== undefined),
    );
    if (possible.length === 0) {
      throw new Error(
        `None of these kinds can be done here: ${scenario.kinds}. There are: ${FAULTS.map(({ kind }) => kind).join(', ')}.`,
      );
    }
    const order = orderOf(random, possible, scenario.faults);
    let goesOn = true;
    // The callers have randomness of their own: how fast they are answered must not change what breaks.
    const sending = sendMessages(world, seeded(seed + 1), () => goesOn);
    sending.catch(() => {});
    await sleep(LONGEST_CALM_MS);
    for (const fault of order) {
      tally.fault(fault.kind);
      await within(FAULT_LIMIT_MS, `"${fault.kind}"`, fault.happen(world, random));
      await sleep(random.whole(100, LONGEST_CALM_MS));
    }
    goesOn = false;
    const accepted = await within(FAULT_LIMIT_MS, 'the last calls', sending);
    await settled(world, SETTLE_LIMIT_MS);
    for (const { fault } of await world.provider.log())
      if (fault !== undefined) tally.fault(`provider ${fault}`);
    const nothing = SAFETIES.filter((safety) => accepted[safety].length === 0);
    const wrong = [
      ...nothing.map((safety) => `${safety}: nothing was accepted at all`),
      ...(await compareBooks(world, accepted)),
    ];
    tally.run(wrong.length === 0);
    return wrong;
  } catch (thrown) {
    throw new Error(`${String(thrown)}\nThe nodes said:\n${await world.words()}`);
  } finally {
    await world.end();
  }
}

/** What never ends is a fault of its own. */
async function within<T>(limitMs: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`After ${limitMs / 1_000} s ${what} has not ended.`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Each kind once, in any order, before one comes again. */
function orderOf(random: Seeded, possible: readonly Fault[], count: number): Fault[] {
  const order: Fault[] = [];
  let left: Fault[] = [];
  while (order.length < count) {
    if (left.length === 0) left = [...possible];
    order.push(...left.splice(random.whole(0, left.length - 1), 1));
  }
  return order;
}

function stepsOf(random: Seeded, misbehaved: number) {
  return Array.from({ length: SCRIPT_STEPS }, () =>
    random.next() * 100 < misbehaved ? random.pick(MISBEHAVIOURS) : { delayMs: random.whole(0, 40) },
  );
}
