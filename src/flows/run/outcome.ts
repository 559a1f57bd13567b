/** From the outcome of a run to what is settled: states, events, waits, attempts. */
import type { RunEvent, RunOutcome } from '../../engine/run-outcome.ts';
import type {
  SettledAttempt,
  SettledEvent,
  SettledSubscription,
  SettledWait,
} from '../../storage/settlement.ts';
import {
  type MessageState,
  reasonOfState,
  STATE_CODES,
  STATE_OF_EVENT,
  SUBSCRIPTION_OF_EVENT,
} from '../../storage/states.ts';
import { healthOf } from '../lanes/breaker.ts';
import type { Redact } from '../redact.ts';
import type { Effects, UnmatchedEvent } from '../settlement/effects.ts';
import { moderatedBy, wasSent } from '../settlement/end-message.ts';
import { failingRun } from '../settlement/failing.ts';
import { moderatedWait } from '../settlement/moderated.ts';
import { type SuppressWish, suppressBy } from '../settlement/suppress-by-event.ts';
import { eventTimeMs } from './event-time.ts';
import { exhaustedOf, reasonOfFailure } from './exhausted.ts';
import type { OutcomeQuestion } from './outcome-question.ts';
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
  const accountId = row.account_id ?? '';
  const attempt = row.attempt ?? 1;
  let events: SettledEvent[] | undefined;
  let unmatched: UnmatchedEvent[] | undefined;
  let waits: SettledWait[] | undefined;
  let subscriptions: SettledSubscription[] | undefined;
  let suppress: SuppressWish[] | undefined;
  let externalId: string | null = null;
  let state: MessageState | undefined;
  let reason: string | null = null;
  for (const event of outcome.events) {
    if (event.sendMessageId !== undefined && event.sendMessageId !== messageId) {
      unmatched = append(unmatched, unmatchedEvent(question, event));
      continue;
    }
    const settled: SettledEvent = {
      source: row.id,
      id: ids.next(),
      accountId,
      messageId,
      channelId: channel.document.id,
      launchId: row.launch_id,
      eventId: event.eventId ?? null,
      type: event.type,
      attempt,
      ...detailsOf(event, nowMs, question.redact),
    };
    events = append(events, settled);
    externalId = settled.externalId ?? externalId;
    const raised = STATE_OF_EVENT[event.type];
    if (raised !== undefined && (state === undefined || STATE_CODES[raised] > STATE_CODES[state])) {
      state = raised;
      reason = reasonOfState(raised, settled.code ?? event.type);
    }
    const by = suppressBy(channel.document, settled);
    if (by !== undefined) suppress = append(suppress, { source: row.id, messageId, by });
    const subscription = SUBSCRIPTION_OF_EVENT[event.type];
    if (subscription !== undefined) {
      subscriptions = append(subscriptions, {
        source: row.id,
        messageId,
        status: subscription,
        reason: settled.code ?? event.type,
      });
    }
    if (event.type === 'moderate_pass' || event.type === 'moderate_error') {
      const passed = event.type === 'moderate_pass';
      waits = append(
        waits,
        moderatedWait(moderatedBy(row, nowMs), ids, passed, settled.text ?? settled.code),
      );
    }
  }
  const ended = endState(question, state, waitsMore);
  if (
    question.pipeline === 'moderate' &&
    (ended === 'failed' || ended === 'unknown') &&
    waits === undefined
  ) {
    const text = question.redact(outcome.failure?.message ?? ended);
    waits = [moderatedWait(moderatedBy(row, nowMs), ids, false, text)];
  }
  const exhausted = exhaustedOf(row.id, messageId, outcome, ended);
  const failing =
    ended === 'failed'
      ? failingRun(row, outcome, channel.document.unknown, question.doubt === true)
      : undefined;
  const wasWaiting = outcome.status === 'waiting';
  const limited = wasWaiting && outcome.wait?.reason === 'limit';
  if (events !== undefined) effects.events = events;
  if (unmatched !== undefined) effects.unmatched = unmatched;
  if (waits !== undefined) effects.waits = [...(effects.waits ?? []), ...waits];
  if (subscriptions !== undefined) effects.subscriptions = subscriptions;
  if (suppress !== undefined) effects.suppress = suppress;
  if (externalId !== null) {
    effects.externalIds = [
      { source: row.id, channelId: channel.document.id, externalId, messageId, attempt },
    ];
  }
  if (exhausted !== undefined) effects.exhausted = [exhausted];
  if (failing !== undefined) effects.failing = [failing];
  if (limited) return;
  if (ended !== undefined) {
    effects.messages = [
      {
        source: row.id,
        id: messageId,
        launchId: row.launch_id,
        attempt,
        state: STATE_CODES[ended],
        reason: reason ?? reasonOf(outcome),
        externalId,
      },
    ];
  }
  if (keepsTrail(question, messageId)) {
    effects.attempts = [attemptOf(question, messageId, accountId, attempt)];
  }
}

/** The list with one more; it is made with its first, because most runs leave little. */
function append<T>(list: T[] | undefined, one: T): T[] {
  if (list === undefined) return [one];
  list.push(one);
  return list;
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
    senderId: question.row.sender_id,
    outcome: question.outcome.status,
    trail: trailText(question.outcome, question.redact),
  };
}

function detailsOf(event: RunEvent, nowMs: number, redact: Redact) {
  return {
    timeMs: eventTimeMs(event.time, nowMs),
    externalId: textColumn(event.externalId),
    code: textColumn(event.code === undefined ? undefined : redact(event.code)),
    text: event.message === undefined ? null : textColumn(redact(event.message)),
    value: event.data === undefined ? null : redact(JSON.stringify(event.data)),
    dedupeKey: textColumn(event.dedupeKey),
  };
}

/** PostgreSQL keeps no NUL in a text. */
function textColumn(text: string | undefined): string | null {
  return text === undefined ? null : text.replaceAll('\u0000', '\ufffd');
}

function unmatchedEvent(question: OutcomeQuestion, event: RunEvent): UnmatchedEvent {
  const { row, channel, nowMs } = question;
  const named = { eventId: event.eventId ?? null, type: event.type };
  const suppress = suppressBy(channel.document, named);
  return {
    source: row.id,
    id: question.runtime.ids.next(),
    channelId: channel.document.id,
    accountId: row.account_id,
    senderId: question.senderId ?? row.sender_id,
    messageId: event.sendMessageId ?? null,
    ...named,
    ...detailsOf(event, nowMs, question.redact),
    ...(suppress !== undefined && { suppress }),
  };
}
