/** What a run leaves waiting: itself, elements of a split, and what it handed to the Schedule pipeline. */
import type { Decisive, Wait } from '../../engine/run-outcome.ts';
import { isObject, own } from '../../json.ts';
import type { LaterEvent } from '../../pipes/contract.ts';
import { PIPELINE_CODES } from '../../storage/claim.ts';
import type { SettledWait } from '../../storage/settlement.ts';
import { readPayload, writePayload } from '../payload.ts';
import { dueAgain } from '../settlement/end-message.ts';
import { maySent } from '../settlement/failing.ts';
import type { OutcomeQuestion } from './outcome-question.ts';
import type { KeptRequest, ResumedRun, StoredDecisive } from './resumed-run.ts';

function waitRow(question: OutcomeQuestion, more: Partial<SettledWait>): SettledWait {
  const { row, nowMs } = question;
  return {
    source: row.id,
    id: row.id,
    accountId: row.account_id,
    laneId: row.lane_id,
    dueMs: nowMs,
    pipeline: row.pipeline,
    pipe: null,
    tries: 0,
    messageId: row.message_id,
    channelVersionId: row.channel_version_id,
    payload: null,
    ...more,
  };
}

/** The row itself, waiting again before the pipe at which its run stopped. */
export function againWait(question: OutcomeQuestion, wait: Wait): SettledWait {
  const { row } = question;
  // An untouched first pipe begins again from the message itself.
  const untouched = wait.reason === 'limit' && row.payload === null && question.outcome.trail.length === 1;
  return waitRow(question, {
    dueMs: dueAgain(row, dueMs(question, wait.delayMs)),
    pipe: untouched ? row.pipe : wait.pipe,
    // Not the lane waits for a turn, only this row: a changed number of tries says so.
    tries: wait.reason === 'turn' ? (row.tries === 0 ? 1 : 0) : wait.tries,
    payload: untouched ? null : savedRun(question, wait, question.request),
  });
}

function dueMs(question: OutcomeQuestion, delayMs: number): number {
  // From now on, not from the begin of the run, which may have waited long for its answer.
  const nowMs = question.runtime.clock.now();
  const due = nowMs + delayMs;
  const { expires = null } = question.row;
  const mayExpire = question.pipeline === 'message' && expires !== null && expires > nowMs;
  return mayExpire ? Math.min(due, expires) : due;
}

/** `$in` as it stands, and `$origin` where it cannot be made again from the message. */
function savedRun(question: OutcomeQuestion, wait: Wait, request?: KeptRequest): string {
  const { pipeline, origin, runtime, row } = question;
  const originOfRun: Readonly<Record<string, unknown>> | undefined =
    origin ??
    (pipeline === 'schedule' && row.payload !== null
      ? (readPayload(runtime.vault, row.payload) as ResumedRun).origin
      : undefined);
  return payloadOf(question, {
    in: originOfRun === undefined ? wait.in : added(wait.in, originOfRun),
    ...(wait.error !== undefined && { error: wait.error }),
    ...(wait.progress !== undefined && { progress: wait.progress }),
    ...(wait.registered === true && { registered: true }),
    ...(wait.decisive !== undefined && { decisive: storedDecisive(wait.decisive) }),
    ...(originOfRun !== undefined && { origin: originOfRun }),
    ...(request !== undefined && { request }),
    ...((question.doubt === true || maySent(question.outcome, question.channel.document.unknown)) && {
      doubt: true,
    }),
  });
}

/** The members of `$in` that `$origin` does not have: a body is stored once. Pipes add, and take nothing away. */
function added(
  input: Readonly<Record<string, unknown>>,
  origin: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(input).filter(([name, value]) => own(origin, name) !== value));
}

function storedDecisive({ pipe, failure }: Decisive): StoredDecisive {
  const { code, message, details } = failure;
  return { pipe, code, message, statusCode: details.statusCode ?? null };
}

function payloadOf(question: OutcomeQuestion, run: Readonly<Record<string, unknown>>): string {
  const { senderId, runtime, redact, nowMs } = question;
  return writePayload(runtime.vault, { ...run, ...(senderId !== undefined && { senderId }) }, redact, nowMs);
}

/** A new row for an element of a split that waits by itself. */
export function branchWait(question: OutcomeQuestion, wait: Wait): SettledWait {
  return waitRow(question, {
    id: question.runtime.ids.next(),
    dueMs: dueMs(question, wait.delayMs),
    pipe: wait.pipe,
    tries: wait.tries,
    payload: savedRun(question, wait),
  });
}

/** New rows for what the run handed to the Schedule pipeline. */
export function laterWaits(question: OutcomeQuestion): SettledWait[] {
  const nowMs = question.runtime.clock.now();
  return question.outcome.later.map((event: LaterEvent) => {
    const value = isObject(event.value) ? event.value : { value: event.value };
    const at = event.at === undefined ? Number.NaN : Date.parse(event.at);
    return waitRow(question, {
      id: question.runtime.ids.next(),
      // Never before now: lanes are searched from the present on.
      dueMs: Math.max(nowMs, Number.isNaN(at) ? nowMs + (event.delaySeconds ?? 60) * 1_000 : at),
      pipeline: PIPELINE_CODES.schedule,
      pipe: event.pipe,
      payload: payloadOf(question, { in: value, origin: value }),
    });
  });
}
