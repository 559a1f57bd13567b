/**
 * Settles runs: what many of them left is gathered for a moment and written in one statement. Only this changes the
 * state of a message. A failing database is asked again until the lease is lost; the runs wait in memory.
 */
import { asFailure } from '../errors.ts';
import { isUuid } from '../ids.ts';
import { databaseFailure, isClosed, refusesValues } from '../storage/database.ts';
import { findMessages } from '../storage/loose.ts';
import {
  type ParkedEvent,
  type SettledEvent,
  type SettledExternalId,
  type SettledMessage,
  type SettledSubscription,
  type SettledSuppression,
  type SettledWait,
  type Settlement,
  settle,
} from '../storage/settle.ts';
import { reasonOfState, STATE_CODES, STATE_OF_EVENT, SUBSCRIPTION_OF_EVENT } from '../storage/states.ts';
import type { FallBack } from './fallback.ts';
import { createGatherer, type Gatherer } from './gather.ts';
import type { Ground } from './ground.ts';
import { type SuppressWish, suppressionsOf } from './guards/suppress-by-event.ts';
import { moderatedWait } from './moderated.ts';
import { logTold } from './operator-events/log-told.ts';
import type { LooseEvent, Parts } from './parts.ts';

const MOST_PARTS = 1_000;
const RETRY_DELAYS_MS = [50, 200, 500, 1_000];
const LONGEST_DELAY_MS = 2_000;

/** What becomes of messages that failed with their sender; `woken` is told the lanes of their next ones. */
export interface Falling {
  readonly fallBack: FallBack;
  readonly woken: (laneIds: readonly number[]) => void;
}

/** `node` gives the number under which this process holds its claims now. */
export function createSettler(ground: Ground, node: () => number, falling?: Falling): Gatherer<Parts> {
  return createGatherer<Parts>(async (parts) => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const startedMs = performance.now();
        await settleApart(ground, node, parts, falling);
        ground.stages.add('settle', parts.length, performance.now() - startedMs);
        return undefined;
      } catch (thrown) {
        const failure = databaseFailure(thrown);
        ground.log.error(
          { code: failure.code, runs: parts.length, attempt },
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
  ground: Ground,
  node: () => number,
  parts: readonly Parts[],
  falling: Falling | undefined,
): Promise<void> {
  try {
    await settleParts(ground, node(), parts, falling);
  } catch (thrown) {
    if (!refusesValues(thrown)) throw thrown;
    const [only] = parts;
    if (parts.length > 1) {
      const half = Math.ceil(parts.length / 2);
      await settleApart(ground, node, parts.slice(0, half), falling);
      await settleApart(ground, node, parts.slice(half), falling);
    } else if (only !== undefined) {
      const failure = asFailure(thrown);
      ground.log.error({ code: failure.code, cause: thrown }, `a run cannot be kept: ${failure.message}`);
      await settleParts(ground, node(), [keepable(only)]);
    }
  }
}

/** What can always be kept of a run: that it ended, and the state of its message. */
function keepable(part: Parts): Parts {
  const again = part.again ?? [];
  const messages = (part.messages ?? []).map((message) => ({
    ...message,
    state: again.length > 0 ? STATE_CODES.failed : message.state,
    reason: 'BUG',
    externalId: null,
  }));
  return { done: [...(part.done ?? []), ...again.map((wait) => wait.id)], messages };
}

/** Writes the parts of many runs in one statement. */
export async function settleParts(
  ground: Ground,
  node: number,
  parts: readonly Parts[],
  falling?: Falling,
): Promise<void> {
  const settlement = {
    node,
    nowMs: ground.clock.now(),
    done: collect(parts, 'done'),
    again: collect(parts, 'again'),
    waits: collect(parts, 'waits'),
    messages: collect(parts, 'messages'),
    events: collect(parts, 'events'),
    attempts: collect(parts, 'attempts'),
    externalIds: collect(parts, 'externalIds'),
    parked: collect(parts, 'parked'),
    subscriptions: collect(parts, 'subscriptions'),
    suppressions: [] as SettledSuppression[],
    exhausted: collect(parts, 'exhausted'),
  };
  const loose = collect(parts, 'loose');
  const suppress = collect(parts, 'suppress');
  const failing = collect(parts, 'failing');
  if (loose.length > 0) await joinLoose(ground, loose, { ...settlement, suppress });
  if (suppress.length > 0) settlement.suppressions = await suppressionsOf(ground, suppress);
  const moved = failing.length > 0 ? await falling?.fallBack(failing, settlement) : undefined;
  // Lanes are searched from the present on: what stood far behind it would never be found.
  settlement.waits = settlement.waits.map((wait) => ({
    ...wait,
    dueMs: Math.max(wait.dueMs, settlement.nowMs),
  }));
  settlement.messages = highest(settlement.messages);
  if (settlement.exhausted.length > 0) settlement.exhausted = stillGivenUp(settlement);
  settlement.events = firstOfEach(settlement.events);
  const { told } = await settle(ground.database, settlement);
  logTold(ground.log, told);
  if (moved !== undefined && moved.length > 0) falling?.woken(moved);
}

function collect<K extends Exclude<keyof Parts, 'health'>>(
  parts: readonly Parts[],
  name: K,
): Mutable<NonNullable<Parts[K]>> {
  const all: unknown[] = [];
  for (const part of parts) {
    const own = part[name];
    if (own !== undefined) for (const each of own) all.push(each);
  }
  return all as Mutable<NonNullable<Parts[K]>>;
}

type Mutable<T> = T extends readonly (infer Each)[] ? Each[] : never;

/** Joins loose events with their messages; those without one are parked. */
async function joinLoose(
  ground: Ground,
  loose: readonly LooseEvent[],
  into: {
    messages: SettledMessage[];
    events: SettledEvent[];
    parked: ParkedEvent[];
    subscriptions: SettledSubscription[];
    externalIds: SettledExternalId[];
    waits: SettledWait[];
    suppress: SuppressWish[];
  },
): Promise<void> {
  const questions = loose.map((event) => ({
    channelId: event.channelId,
    externalId: event.externalId,
    messageId: isUuid(event.messageId) ? event.messageId : null,
    accountId: event.accountId,
    senderId: event.senderId,
  }));
  const found = new Map((await findMessages(ground.database, questions)).map((row) => [row.place, row]));
  loose.forEach((event, place) => {
    const message = found.get(place);
    const {
      accountId,
      senderId,
      messageId,
      eventId,
      type,
      timeMs,
      code,
      text,
      value,
      dedupeKey,
      suppress,
      ...named
    } = event;
    if (message === undefined) {
      into.parked.push({
        ...named,
        accountId,
        senderId,
        messageId: isUuid(messageId) ? messageId : null,
        event: JSON.stringify({ eventId, type, timeMs, code, text, value, dedupeKey, suppress }),
      });
      return;
    }
    into.events.push({
      ...named,
      accountId: message.account_id,
      messageId: message.message_id,
      launchId: message.launch_id,
      attempt: message.attempt,
      eventId,
      type,
      timeMs,
      code,
      text,
      value,
      dedupeKey,
    });
    const state = STATE_OF_EVENT[type];
    const sentId = type === 'send' ? event.externalId : null;
    if (state !== undefined) {
      into.messages.push({
        source: event.source,
        id: message.message_id,
        launchId: message.launch_id,
        attempt: message.attempt,
        state: STATE_CODES[state],
        reason: reasonOfState(state, code ?? type),
        externalId: sentId,
      });
    }
    if (sentId !== null) {
      into.externalIds.push({
        source: event.source,
        channelId: event.channelId,
        externalId: sentId,
        messageId: message.message_id,
        attempt: message.attempt,
      });
    }
    if (type === 'moderate_pass' || type === 'moderate_error') {
      const moderated = {
        source: event.source,
        accountId: message.account_id,
        laneId: message.lane_id,
        messageId: message.message_id,
        channelVersionId: message.channel_version_id,
        nowMs: ground.clock.now(),
      };
      into.waits.push(moderatedWait(moderated, ground.ids, type === 'moderate_pass', text ?? code));
    }
    if (suppress !== undefined) {
      into.suppress.push({ source: event.source, messageId: message.message_id, by: suppress });
    }
    const subscription = SUBSCRIPTION_OF_EVENT[type];
    if (subscription !== undefined) {
      into.subscriptions.push({
        source: event.source,
        messageId: message.message_id,
        status: subscription,
        reason: code ?? type,
      });
    }
  });
}

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
    const externalId = top.externalId ?? message.externalId ?? known?.externalId ?? null;
    best.set(message.id, externalId === top.externalId ? top : { ...top, externalId });
  }
  return [...best.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** What was reported as sent in the same moment is not unknown any more. */
function stillGivenUp({ exhausted, messages }: Pick<Settlement, 'exhausted' | 'messages'>) {
  const states = new Map(messages.map(({ id, state }) => [id, state]));
  return exhausted.filter(
    ({ messageId, state }) => state !== 'unknown' || states.get(messageId) === STATE_CODES.unknown,
  );
}

/** Repeats of a dedupe key within one settlement go; the books refuse the rest. */
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
