/**
 * Settles runs: what many of them left is collected for a moment and written in one statement. Only this changes the
 * state of a message. A failing database is asked again until the lease is lost; the runs wait in memory.
 */
import { asFailure } from '../../errors.ts';
import { databaseFailure, isClosed, refusesValues } from '../../storage/database.ts';
import { settle } from '../../storage/settle.ts';
import type {
  SettledEvent,
  SettledMessage,
  SettledSuppression,
  Settlement,
} from '../../storage/settlement.ts';
import { STATE_CODES } from '../../storage/states.ts';
import { type Batcher, createBatcher } from '../batcher.ts';
import { logOperatorEvents } from '../log-operator-events.ts';
import type { Runtime } from '../runtime.ts';
import type { Effects } from './effects.ts';
import type { FallBack } from './failing.ts';
import { matchEvents } from './match-events.ts';
import { suppressionsOf } from './suppress-by-event.ts';

const MOST_PARTS = 1_000;
const RETRY_DELAYS_MS = [50, 200, 500, 1_000];
const LONGEST_DELAY_MS = 2_000;

/** What becomes of messages that failed with their sender; `wakeLanes` gets the lanes that have work. */
export interface FallbackDeps {
  readonly fallBack: FallBack;
  readonly wakeLanes: (laneIds: readonly number[]) => void;
}

/** `node` gives the number under which this process holds its claims now. */
export function createSettler(
  runtime: Runtime,
  node: () => number,
  fallback?: FallbackDeps,
): Batcher<Effects> {
  return createBatcher<Effects>(async (effects) => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const startedMs = performance.now();
        await settleApart(runtime, node, effects, fallback);
        runtime.stages.add('settle', effects.length, performance.now() - startedMs);
        return undefined;
      } catch (thrown) {
        const failure = databaseFailure(thrown);
        runtime.log.error(
          { code: failure.code, runs: effects.length, attempt },
          `settling failed: ${failure.message}`,
        );
        if (isClosed(thrown)) throw thrown;
        const delayMs = RETRY_DELAYS_MS[attempt] ?? LONGEST_DELAY_MS;
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }, MOST_PARTS);
}

/** A run with something in it that the database refuses costs no other: it is found by halving, and ends without it. */
async function settleApart(
  runtime: Runtime,
  node: () => number,
  effects: readonly Effects[],
  fallback: FallbackDeps | undefined,
): Promise<void> {
  try {
    await settleEffects(runtime, node(), effects, fallback);
  } catch (thrown) {
    if (!refusesValues(thrown)) throw thrown;
    const [only] = effects;
    if (effects.length > 1) {
      const half = Math.ceil(effects.length / 2);
      await settleApart(runtime, node, effects.slice(0, half), fallback);
      await settleApart(runtime, node, effects.slice(half), fallback);
    } else if (only !== undefined) {
      const failure = asFailure(thrown);
      runtime.log.error({ code: failure.code, cause: thrown }, `a run cannot be kept: ${failure.message}`);
      await settleEffects(runtime, node(), [keepable(only)]);
    }
  }
}

/** What can always be kept of a run: that it ended, and the state of its message. */
function keepable(part: Effects): Effects {
  const again = part.again ?? [];
  const messages = (part.messages ?? []).map((message) => ({
    ...message,
    state: again.length > 0 ? STATE_CODES.failed : message.state,
    reason: 'BUG',
    externalId: null,
  }));
  return { done: [...(part.done ?? []), ...again.map((wait) => wait.id)], messages };
}

/** Writes the effects of many runs in one statement. */
export async function settleEffects(
  runtime: Runtime,
  node: number,
  effects: readonly Effects[],
  fallback?: FallbackDeps,
): Promise<void> {
  const settlement = {
    node,
    nowMs: runtime.clock.now(),
    done: collect(effects, 'done'),
    again: collect(effects, 'again'),
    waits: collect(effects, 'waits'),
    messages: collect(effects, 'messages'),
    events: collect(effects, 'events'),
    attempts: collect(effects, 'attempts'),
    externalIds: collect(effects, 'externalIds'),
    parked: collect(effects, 'parked'),
    subscriptions: collect(effects, 'subscriptions'),
    suppressions: [] as SettledSuppression[],
    exhausted: collect(effects, 'exhausted'),
    failedRequests: collect(effects, 'failedRequests'),
    doneRequests: collect(effects, 'doneRequests'),
  };
  const unmatched = collect(effects, 'unmatched');
  const suppress = collect(effects, 'suppress');
  const failing = collect(effects, 'failing');
  if (unmatched.length > 0) await matchEvents(runtime, unmatched, { ...settlement, suppress });
  if (suppress.length > 0) settlement.suppressions = await suppressionsOf(runtime, suppress);
  const moved = failing.length > 0 ? await fallback?.fallBack(failing, settlement) : undefined;
  // Lanes are searched from the present on: what stood far behind it would never be found.
  settlement.waits = settlement.waits.map((wait) => ({
    ...wait,
    dueMs: Math.max(wait.dueMs, settlement.nowMs),
  }));
  settlement.messages = highest(settlement.messages);
  if (settlement.exhausted.length > 0) settlement.exhausted = stillGivenUp(settlement);
  settlement.events = firstOfEach(settlement.events);
  const { emitted } = await settle(runtime.database, settlement);
  logOperatorEvents(runtime.log, emitted);
  if (moved !== undefined && moved.length > 0) fallback?.wakeLanes(moved);
}

function collect<K extends Exclude<keyof Effects, 'health'>>(
  effects: readonly Effects[],
  name: K,
): Mutable<NonNullable<Effects[K]>> {
  const all: unknown[] = [];
  for (const part of effects) {
    const own = part[name];
    if (own !== undefined) for (const each of own) all.push(each);
  }
  return all as Mutable<NonNullable<Effects[K]>>;
}

type Mutable<T> = T extends readonly (infer Each)[] ? Each[] : never;

/** One row per message, the highest: a statement may update a row only once. */
function highest(messages: readonly SettledMessage[]): SettledMessage[] {
  if (messages.length < 2) return [...messages];
  const best = new Map<string, SettledMessage>();
  for (const message of messages) {
    const known = best.get(message.id);
    const better =
      known === undefined ||
      message.attempt > known.attempt ||
      (message.attempt === known.attempt && message.state > known.state);
    const top = better ? message : known;
    best.set(message.id, known === undefined ? top : withId(top, namedBy(known, message)));
  }
  return [...best.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Of two rows of a message, the one whose external id counts: that of a send before one that only fills. */
function namedBy(first: SettledMessage, second: SettledMessage): SettledMessage {
  const named = second.externalId !== null && (first.externalId === null || second.fills !== true);
  return named ? second : first;
}

function withId(top: SettledMessage, { externalId, fills }: SettledMessage): SettledMessage {
  if (externalId === top.externalId) return top;
  const { fills: _own, ...row } = top;
  return { ...row, externalId, ...(fills === true && { fills }) };
}

/** What was reported as sent in the same moment is not unknown any more. */
function stillGivenUp({ exhausted, messages }: Pick<Settlement, 'exhausted' | 'messages'>) {
  const states = new Map(messages.map(({ id, state }) => [id, state]));
  return exhausted.filter(
    ({ messageId, state }) => state !== 'unknown' || states.get(messageId) === STATE_CODES.unknown,
  );
}

/** Repeats of a dedupe key within one settlement go; the database refuses the rest. */
function firstOfEach(events: readonly SettledEvent[]): SettledEvent[] {
  if (!events.some((event) => event.dedupeKey !== null)) return [...events];
  const seen = new Set<string>();
  return events.filter((event) => {
    if (event.dedupeKey === null) return true;
    const key = `${event.messageId}/${event.dedupeKey}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
