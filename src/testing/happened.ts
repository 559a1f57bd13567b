/** What happened in a run, in the words that a golden test expects it in. */
import type { CompiledChannel } from '../engine/compile-channel.ts';
import { errorOf } from '../engine/run.ts';
import type { RunEvent, RunOutcome, Wait } from '../engine/run-outcome.ts';
import { eventTimeMs } from '../flows/run/event-time.ts';
import { isObject } from '../json.ts';
import type { LaterEvent } from '../pipes/contract.ts';
import { isoTime } from '../time.ts';
import type { PlayedOutside } from './played-outside.ts';
import { showRequest, showValue } from './shown-request.ts';

/** The members of `expect`, as they were; empty ones are left out. */
export type Happened = Readonly<Record<string, unknown>>;

/** Shows the outcome of a run. */
export async function showOutcome(
  channel: CompiledChannel,
  outcome: RunOutcome,
  outside: PlayedOutside,
  nowMs: number,
  isOperation = false,
): Promise<Happened> {
  const { pipe, failure, ended, wait } = outcome;
  // The caller of an operation reads what its `error` pipe says; for a message the first failure counts.
  const shown = isOperation ? ended : failure && { pipe, failure };
  return present({
    status: outcome.status,
    path: outcome.trail.map((step) => `${step.pipe}:${step.exit}`),
    requests: await Promise.all(outside.requests.map(showRequest)),
    events: outcome.events.map((event) => showEvent(channel, event, nowMs)),
    later: outcome.later.map(showLater),
    logs: outcome.logs.map(({ pipe, level, message, prefix }) => ({ pipe, level, message, prefix })),
    result: outcome.result?.value,
    error: shown && errorOf(shown.failure, shown.pipe),
    wait: wait === undefined ? undefined : showWait(wait),
    branches: outcome.branches.map(showWait),
    store: outside.stored(),
  });
}

/** The members that say something, as JSON. */
export function present(members: Readonly<Record<string, unknown>>): Happened {
  const shown = Object.entries(members).map(([name, value]): [string, unknown] => [name, showValue(value)]);
  return Object.fromEntries(
    shown.filter(([name, value]) => value !== undefined && (name === 'result' || !isEmpty(value))),
  );
}

function isEmpty(value: unknown): boolean {
  return (Array.isArray(value) && value.length === 0) || (isObject(value) && Object.keys(value).length === 0);
}

function showEvent(
  channel: CompiledChannel,
  event: RunEvent,
  nowMs: number,
): Readonly<Record<string, unknown>> {
  const declared = event.eventId === undefined ? undefined : channel.events.get(event.eventId);
  return {
    sid: declared?.sid,
    type: event.type,
    send_message_id: event.sendMessageId,
    external_id: event.externalId,
    time: event.time === undefined ? undefined : isoTime(eventTimeMs(event.time, nowMs)),
    code: event.code,
    message: event.message,
    data: event.data,
    dedupe_key: event.dedupeKey,
  };
}

function showLater(later: LaterEvent): Readonly<Record<string, unknown>> {
  return { pipe_id: later.pipe, delay: later.delaySeconds, at: later.at, template: later.value };
}

function showWait(wait: Wait): Readonly<Record<string, unknown>> {
  return { pipe: wait.pipe, delay: wait.delayMs / 1000, reason: wait.reason, tries: wait.tries };
}
