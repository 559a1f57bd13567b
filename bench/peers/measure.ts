/**
 * The one way of measuring, for us and for every peer: all messages are durable before the first is worked on; the clock
 * runs from the word to begin until the provider has them all and the store says that none is left.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Started } from '../../demo/start-process.ts';
import { processorMs } from '../processor-time.ts';

/** Sent before anything is measured, so that code is compiled and connections are open. */
export const WARM_UP = 20_000;
const LOOK_EVERY_MS = 25;
const GIVE_UP_MS = 600_000;

/** One way of working through messages, ready and warm: as many as `WARM_UP` are done. */
export interface Contestant {
  readonly pid: number | undefined;
  /** The processes of its stores now. */
  readonly storePids: () => Promise<readonly number[]>;
  /** Makes the messages from `from` up to `to` durable while nothing is worked on. */
  readonly enqueue: (from: number, to: number) => Promise<void>;
  readonly begin: () => Promise<void>;
  readonly unfinished: () => Promise<number>;
  /** Throws where not exactly `count` messages are in the database as done. */
  readonly verify: (count: number) => Promise<void>;
}

export interface Figures {
  readonly enqueuedPerSecond: number;
  readonly donePerSecond: number;
  /** Seconds of processor, from the word to begin until all is done. */
  readonly processSeconds: number;
  readonly storeSeconds: number;
}

export async function measure(contestant: Contestant, provider: Started, messages: number): Promise<Figures> {
  const takenBefore = await takenBy(provider);
  const enqueueMs = await timed(() => contestant.enqueue(WARM_UP, WARM_UP + messages));
  if ((await takenBy(provider)) !== takenBefore) throw new Error('It worked before it was told to.');
  const processBefore = processorMs(contestant.pid) ?? 0;
  const storeBefore = timesOf(await contestant.storePids());
  const doneMs = await timed(async () => {
    await contestant.begin();
    await until(async () => {
      if (!isAlive(contestant.pid)) throw new Error('Its process has ended.');
      return (await takenBy(provider)) >= takenBefore + messages;
    });
    await until(async () => (await contestant.unfinished()) === 0);
  });
  const processAfter = processorMs(contestant.pid) ?? 0;
  const storeAfter = timesOf(await contestant.storePids());
  expectCount('requests at the provider', (await takenBy(provider)) - takenBefore, messages);
  await contestant.verify(WARM_UP + messages);
  return {
    enqueuedPerSecond: (messages / enqueueMs) * 1_000,
    donePerSecond: (messages / doneMs) * 1_000,
    processSeconds: (processAfter - processBefore) / 1_000,
    storeSeconds: sumOfGrowth(storeBefore, storeAfter) / 1_000,
  };
}

/** Asks until the answer is yes. */
export async function until(done: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + GIVE_UP_MS;
  while (!(await done())) {
    if (performance.now() > endMs) throw new Error(`Gave up after ${GIVE_UP_MS / 1_000} s.`);
    await pause(LOOK_EVERY_MS);
  }
}

export function expectCount(what: string, count: number, expected: number): void {
  if (count !== expected) throw new Error(`${what}: ${count}, expected ${expected}`);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function takenBy(provider: Started): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${provider.match}/count`);
  return ((await answer.json()) as { taken: number }).taken;
}

function timesOf(pids: readonly number[]): ReadonlyMap<number, number> {
  return new Map(pids.map((pid) => [pid, processorMs(pid) ?? 0]));
}

/** What the processes took in between; what those took that ended in the meantime is lost. */
function sumOfGrowth(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const [pid, ms] of after) sum += ms - (before.get(pid) ?? 0);
  return sum;
}
