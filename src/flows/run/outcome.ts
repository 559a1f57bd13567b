/** From the outcome of a run to what is settled: states, events, waits, attempts. */
import { createHash } from 'node:crypto';
import type { RunEvent, RunOutcome } from '../../engine/run-outcome.ts';
import type { SettledAttempt } from '../../storage/settlement.ts';
import type { MessageState } from '../../storage/states.ts';
import { healthOf } from '../lanes/breaker.ts';
import type { Effects, EventDetails, UnmatchedEvent } from '../settlement/effects.ts';
import { moderatedBy, wasSent } from '../settlement/end-message.ts';
import {
  addEventEffects,
  bothChanges,
  type EventLists,
  type EventMessage,
  type MessageChange,
  settledMessage,
} from '../settlement/event-effects.ts';
import { failingRun } from '../settlement/failing.ts';
import { moderatedWait } from '../settlement/moderated.ts';
import { suppressBy } from '../settlement/suppress-by-event.ts';
import { eventTimeMs, timeNote } from './event-time.ts';
import { exhaustedOf, reasonOfFailure } from './exhausted.ts';
import type { OutcomeQuestion, RunRow } from './outcome-question.ts';
import { againWait, branchWait, laterWaits } from './outcome-waits.ts';
import { trailText } from './trail.ts';

/** The reason kept with a message: a stable code, with the status where the provider gave one. */
export function reasonOf(outcome: RunOutcome): string | null {
  return outcome.failure === undefined ? null : reasonOfFailure(outcome.failure);
}

/** What the outcome of a run leaves for settling. */
export function outcomeEffects(question: OutcomeQuestion): Effects {
  const { row, outcome } = question;
  const effects: OwnEffects =
    outcome.wait === undefined ? { done: [row.id] } : { again: [againWait(question, outcome.wait)] };
  const waits = outcome.branches.length + outcome.later.length > 0;
  if (waits) {
    effects.waits = [...outcome.branches.map((wait) => branchWait(question, wait)), ...laterWaits(question)];
  }
  if (row.message_id !== null) addMessageEffects(effects, question, row.message_id, waits);
  else if (outcome.events.length > 0)
    effects.unmatched = outcome.events.map((event) => unmatchedEvent(question, event));
  return effects;
}

type OwnEffects = { -readonly [K in keyof Effects]: Effects[K] };

/** What concerns the message; only what there is. */
function addMessageEffects(
  effects: OwnEffects,
  question: OutcomeQuestion,
  messageId: string,
  waitsMore: boolean,
): void {
  const { row, outcome, channel, nowMs } = question;
  const { ids } = question.runtime;
  const health = healthOf(outcome, question.redact);
  if (health !== undefined) effects.health = health;
  const message = messageOf(row, messageId);
  let change: MessageChange | undefined;
  let unmatched: UnmatchedEvent[] | undefined;
  const lists: EventLists = {};
  for (const event of outcome.events) {
    if (event.sendMessageId !== undefined && event.sendMessageId !== messageId) {
      unmatched ??= [];
      unmatched.push(unmatchedEvent(question, event));
      continue;
    }
    change = bothChanges(change, addEventEffects(lists, message, detailsOf(question, event), ids, nowMs));
  }
  const ended = endState(question, change?.state, waitsMore);
  if (
    question.pipeline === 'moderate' &&
    (ended === 'failed' || ended === 'unknown') &&
    lists.waits === undefined
  ) {
    const text = question.redact(outcome.failure?.message ?? ended);
    lists.waits = [moderatedWait(moderatedBy(row, nowMs), ids, false, text)];
  }
  const { waits, ...more } = lists;
  Object.assign(effects, more);
  if (waits !== undefined) effects.waits = [...(effects.waits ?? []), ...waits];
  if (unmatched !== undefined) effects.unmatched = unmatched;
  const exhausted = exhaustedOf(row.id, messageId, outcome, ended);
  if (exhausted !== undefined) effects.exhausted = [exhausted];
  const failing =
    ended === 'failed'
      ? failingRun(row, outcome, channel.document.unknown, question.doubt === true)
      : undefined;
  if (failing !== undefined) effects.failing = [failing];
  // What waits for a token leaves no trace, unless it registered something before.
  if (outcome.wait?.reason === 'limit' && change === undefined) return;
  if (ended !== undefined || (change !== undefined && change.externalId !== null)) {
    const reason = change?.reason ?? reasonOf(outcome);
    // The lowest state raises nothing.
    effects.messages = [settledMessage(message, ended ?? 'accepted', reason, change ?? NO_ID)];
  }
  if (keepsTrail(question, messageId)) {
    effects.attempts = [attemptOf(question, messageId, message.accountId, message.attempt)];
  }
}

const NO_ID = { externalId: null, fills: false };

function messageOf(row: RunRow, messageId: string): EventMessage {
  return {
    source: row.id,
    messageId,
    accountId: row.account_id ?? '',
    launchId: row.launch_id ?? null,
    attempt: row.attempt ?? 1,
    laneId: row.lane_id,
    channelVersionId: row.channel_version_id,
  };
}

/** The state a run brings its message to. */
function endState(
  { outcome, pipeline, row }: OutcomeQuestion,
  byEvents: MessageState | undefined,
  waitsMore: boolean,
): MessageState | undefined {
  if (pipeline === 'stop') return byEvents;
  if (outcome.status === 'waiting') return byEvents ?? 'queued';
  if (outcome.status === 'unknown') return byEvents ?? 'unknown';
  // What was sent stays sent, whatever a later pipe did: sending it again would be the greater harm.
  if (outcome.status === 'failed') return byEvents ?? (wasSent(row) ? undefined : 'failed');
  if (byEvents !== undefined) return byEvents;
  return waitsMore ? 'queued' : 'sent';
}

/** Failures, waits and logged runs always; of the rest one in `sample`, the same ones each time. */
function keepsTrail(question: OutcomeQuestion, messageId: string): boolean {
  const { outcome, sample } = question;
  if (sample <= 1 || outcome.status !== 'done' || outcome.logs.length > 0) return true;
  if (outcome.trail.some((step) => step.failure !== undefined)) return true;
  return Number.parseInt(messageId.slice(-6), 16) % sample === 0;
}

function attemptOf(
  question: OutcomeQuestion,
  messageId: string,
  accountId: string,
  number: number,
): SettledAttempt {
  return {
    source: question.row.id,
    id: question.runtime.ids.next(),
    accountId,
    messageId,
    number,
    senderId: question.row.sender_id ?? null,
    outcome: question.outcome.status,
    trail: trailText(question.outcome, question.redact),
  };
}

function detailsOf({ channel, runtime, redact, nowMs }: OutcomeQuestion, event: RunEvent): EventDetails {
  const named = { eventId: event.eventId ?? null, type: event.type };
  const suppress = suppressBy(channel.document, named);
  return {
    id: runtime.ids.next(),
    channelId: channel.document.id,
    ...named,
    timeMs: eventTimeMs(event.time, nowMs),
    externalId: textColumn(event.externalId),
    code: event.code === undefined ? null : textColumn(redact(event.code).slice(0, LONGEST_CODE)),
    text: noted(event, nowMs, redact),
    value: event.data === undefined ? null : redact(JSON.stringify(event.data)),
    dedupeKey: event.dedupeKey === undefined ? null : dedupeKeyOf(event.dedupeKey),
    ...(suppress !== undefined && { suppress }),
  };
}

/** The code of an event is the reason of its message, which is a word and no text. */
const LONGEST_CODE = 1_000;
/** What is longer is compared by its hash, because an index holds no long strings. */
const LONGEST_DEDUPE_KEY = 500;

function dedupeKeyOf(key: string): string | null {
  const short = key.length <= LONGEST_DEDUPE_KEY;
  return textColumn(short ? key : `sha256:${createHash('sha256').update(key).digest('base64url')}`);
}

/** PostgreSQL keeps no NUL in a string. */
function textColumn(text: string | undefined): string | null {
  return text === undefined ? null : text.replaceAll('\u0000', '\ufffd');
}

function unmatchedEvent(question: OutcomeQuestion, event: RunEvent): UnmatchedEvent {
  const { row } = question;
  return {
    source: row.id,
    accountId: row.account_id,
    senderId: question.senderId ?? row.sender_id ?? null,
    messageId: event.sendMessageId ?? null,
    ...detailsOf(question, event),
  };
}

/** The event's own message, and what there is to say of its time. */
function noted({ message, time }: RunEvent, nowMs: number, redact: OutcomeQuestion['redact']): string | null {
  const note = timeNote(time, nowMs);
  const text = [message, note].filter((each) => each !== undefined).join(' ');
  return text === '' ? null : textColumn(redact(text));
}
