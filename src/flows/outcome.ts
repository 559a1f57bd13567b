/** From the outcome of a run to what is settled: states, events, waits, attempts. */
import type { PipelineName } from '../channel/document.ts';
import type { RunEvent, RunOutcome, Wait } from '../engine/run.ts';
import type { Ids } from '../ids.ts';
import { decodeValue, encodeValue, isObject } from '../json.ts';
import type { LaterEvent } from '../pipes/contract.ts';
import { type ClaimedRow, PIPELINE_CODES } from '../storage/claim.ts';
import type {
  SettledAttempt,
  SettledEvent,
  SettledExternalId,
  SettledSubscription,
  SettledWait,
} from '../storage/settle.ts';
import { type MessageState, STATE_CODES, STATE_OF_EVENT, SUBSCRIPTION_OF_EVENT } from '../storage/states.ts';
import type { KnownChannel } from './directory.ts';
import { eventTimeMs } from './event-time.ts';
import type { Ground } from './ground.ts';
import type { LooseEvent, Parts } from './parts.ts';
import type { Redact } from './redact.ts';
import { trailText } from './trail.ts';

export interface OutcomeQuestion {
  readonly ground: Ground;
  readonly row: ClaimedRow;
  readonly channel: KnownChannel;
  readonly outcome: RunOutcome;
  readonly redact: Redact;
  readonly nowMs: number;
  readonly pipeline: PipelineName;
  /** One trail in so many uneventful runs is kept. */
  readonly sample: number;
  readonly senderId?: string | null;
  readonly origin?: Readonly<Record<string, unknown>>;
}

/** The reason kept with a message: a stable code, with the status where the provider gave one. */
export function reasonOf(outcome: RunOutcome): string | null {
  const { failure } = outcome;
  if (failure === undefined) return null;
  const { statusCode } = failure.details;
  return statusCode === undefined || statusCode === 0 ? failure.code : `${failure.code}_${statusCode}`;
}

/** What the outcome of a run leaves for settling. */
export function outcomeParts(question: OutcomeQuestion): Parts {
  const { row, outcome } = question;
  const waits = [...outcome.branches.map((wait) => branchWait(question, wait)), ...laterWaits(question)];
  const waitsOn = outcome.wait === undefined ? undefined : againWait(question, outcome.wait);
  const base: Parts = {
    ...(waitsOn === undefined ? { done: [row.id] } : { again: [waitsOn] }),
    ...(waits.length > 0 && { waits }),
  };
  return row.message_id === null
    ? { ...base, loose: outcome.events.map((event) => looseEvent(question, event)) }
    : { ...base, ...messageParts(question, row.message_id, waits.length > 0) };
}

function messageParts(question: OutcomeQuestion, messageId: string, waitsMore: boolean): Parts {
  const { row, outcome, channel, nowMs, pipeline } = question;
  const { ids } = question.ground;
  const accountId = row.account_id ?? '';
  const attempt = row.attempt ?? 1;
  const events: SettledEvent[] = [];
  const loose: LooseEvent[] = [];
  const waits: SettledWait[] = [];
  const subscriptions: SettledSubscription[] = [];
  let externalId: string | null = null;
  let state: MessageState | undefined;
  let reason: string | null = null;
  for (const event of outcome.events) {
    if (event.sendMessageId !== undefined && event.sendMessageId !== messageId) {
      loose.push(looseEvent(question, event));
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
    events.push(settled);
    externalId = event.externalId ?? externalId;
    const raised = STATE_OF_EVENT[event.type];
    if (raised !== undefined && (state === undefined || STATE_CODES[raised] > STATE_CODES[state])) {
      state = raised;
      reason = STATE_CODES[raised] > STATE_CODES.expired ? (settled.code ?? event.type) : null;
    }
    const subscription = SUBSCRIPTION_OF_EVENT[event.type];
    if (subscription !== undefined) {
      subscriptions.push({
        source: row.id,
        messageId,
        status: subscription,
        reason: settled.code ?? event.type,
      });
    }
    if (event.type === 'moderate_pass' || event.type === 'moderate_error') {
      waits.push(moderated(question, messageId, event));
    }
  }
  const ended = endState(outcome, pipeline, state, waitsMore);
  const wasWaiting = outcome.status === 'waiting';
  const limited = wasWaiting && outcome.wait?.reason === 'limit';
  const externalIds: SettledExternalId[] =
    externalId === null
      ? []
      : [{ source: row.id, channelId: channel.document.id, externalId, messageId, attempt }];
  return {
    ...(events.length > 0 && { events }),
    ...(loose.length > 0 && { loose }),
    ...(waits.length > 0 && { waits }),
    ...(subscriptions.length > 0 && { subscriptions }),
    ...(externalIds.length > 0 && { externalIds }),
    ...(ended !== undefined &&
      !limited && {
        messages: [
          {
            source: row.id,
            id: messageId,
            attempt,
            state: STATE_CODES[ended],
            reason: reason ?? reasonOf(outcome),
            externalId,
          },
        ],
      }),
    ...(!limited &&
      keepsTrail(question, messageId) && { attempts: [attemptOf(question, messageId, accountId, attempt)] }),
  };
}

/** The state a run brings its message to. */
function endState(
  outcome: RunOutcome,
  pipeline: PipelineName,
  byEvents: MessageState | undefined,
  waitsMore: boolean,
): MessageState | undefined {
  if (pipeline === 'moderate' || pipeline === 'stop') return byEvents;
  if (outcome.status === 'waiting') return byEvents ?? 'queued';
  if (outcome.status === 'unknown') return byEvents ?? 'unknown';
  // What was sent stays sent, whatever a later pipe did: sending it again would be the greater harm.
  if (outcome.status === 'failed') return byEvents ?? 'failed';
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
    id: question.ground.ids.next(),
    accountId,
    messageId,
    number,
    outcome: question.outcome.status,
    trail: trailText(question.outcome, question.redact),
  };
}

function detailsOf(event: RunEvent, nowMs: number, redact: Redact) {
  return {
    timeMs: eventTimeMs(event.time, nowMs),
    externalId: event.externalId ?? null,
    code: textColumn(event.code),
    text: event.message === undefined ? null : textColumn(redact(event.message)),
    value: event.data === undefined ? null : redact(JSON.stringify(event.data)),
    dedupeKey: event.dedupeKey ?? null,
  };
}

/** PostgreSQL keeps no NUL in a text. */
function textColumn(text: string | undefined): string | null {
  return text === undefined ? null : text.replaceAll('\u0000', '\ufffd');
}

function looseEvent(question: OutcomeQuestion, event: RunEvent): LooseEvent {
  const { row, channel, nowMs } = question;
  return {
    source: row.id,
    id: question.ground.ids.next(),
    channelId: channel.document.id,
    accountId: row.account_id,
    senderId: question.senderId ?? row.sender_id,
    messageId: event.sendMessageId ?? null,
    eventId: event.eventId ?? null,
    type: event.type,
    ...detailsOf(event, nowMs, question.redact),
  };
}

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

function againWait(question: OutcomeQuestion, wait: Wait): SettledWait {
  const { row } = question;
  // An untouched first pipe begins again from the message itself.
  const untouched = wait.reason === 'limit' && row.payload === null && question.outcome.trail.length === 1;
  return waitRow(question, {
    dueMs: dueMs(question, wait.delayMs),
    pipe: untouched ? row.pipe : wait.pipe,
    tries: wait.tries,
    payload: untouched ? null : keptRun(question, wait.in),
  });
}

function dueMs(question: OutcomeQuestion, delayMs: number): number {
  const due = question.nowMs + delayMs;
  const { expires } = question.row;
  return expires !== null && expires > question.nowMs ? Math.min(due, expires) : due;
}

/** `$in` as it stands, and `$origin` where it cannot be made again from the message. */
function keptRun(question: OutcomeQuestion, input: Readonly<Record<string, unknown>>): string {
  const { pipeline, senderId, origin } = question;
  const kept = question.row.payload === null ? undefined : question.row.payload;
  const originOfRun =
    origin ??
    (pipeline === 'schedule' && kept !== undefined
      ? (decodeValue(kept) as { origin?: unknown }).origin
      : undefined);
  return encodeValue({
    in: input,
    ...(originOfRun !== undefined && { origin: originOfRun }),
    ...(senderId !== undefined && { senderId }),
  });
}

function branchWait(question: OutcomeQuestion, wait: Wait): SettledWait {
  return waitRow(question, {
    id: question.ground.ids.next(),
    dueMs: dueMs(question, wait.delayMs),
    pipe: wait.pipe,
    tries: wait.tries,
    payload: keptRun(question, wait.in),
  });
}

function laterWaits(question: OutcomeQuestion): SettledWait[] {
  return question.outcome.later.map((event: LaterEvent) => {
    const value = isObject(event.value) ? event.value : { value: event.value };
    const at = event.at === undefined ? Number.NaN : Date.parse(event.at);
    return waitRow(question, {
      id: question.ground.ids.next(),
      dueMs: Number.isNaN(at) ? question.nowMs + (event.delaySeconds ?? 60) * 1_000 : at,
      pipeline: PIPELINE_CODES.schedule,
      pipe: event.pipe,
      payload: encodeValue({
        in: value,
        origin: value,
        ...(question.senderId !== undefined && { senderId: question.senderId }),
      }),
    });
  });
}

function moderated(question: OutcomeQuestion, messageId: string, event: RunEvent): SettledWait {
  return waitRow(question, {
    id: question.ground.ids.next(),
    pipeline: PIPELINE_CODES.moderated,
    payload: encodeValue({
      messageId,
      passed: event.type === 'moderate_pass',
      text: event.message ?? event.code ?? null,
    }),
  });
}

/** Ends a message without a run, or after one that could not be made; with `text`, the reason is kept as an attempt. */
export function endMessage(
  row: ClaimedRow,
  state: MessageState,
  reason: string,
  text?: string,
  ids?: Ids,
): Parts {
  const messageId = row.message_id ?? row.id;
  const attempt = row.attempt ?? 1;
  const kept = text === undefined || ids === undefined ? undefined : { text, ids };
  return {
    done: [row.id],
    messages: [
      { source: row.id, id: messageId, attempt, state: STATE_CODES[state], reason, externalId: null },
    ],
    ...(kept !== undefined && {
      attempts: [
        {
          source: row.id,
          id: kept.ids.next(),
          accountId: row.account_id ?? '',
          messageId,
          number: attempt,
          outcome: state,
          trail: JSON.stringify([{ error: { code: reason, message: kept.text } }]),
        },
      ],
    }),
  };
}

/** Puts a row back as it was, due at another time. */
export function putBack(row: ClaimedRow, dueMs: number): Parts {
  return {
    again: [
      {
        source: row.id,
        id: row.id,
        accountId: row.account_id,
        laneId: row.lane_id,
        dueMs,
        pipeline: row.pipeline,
        pipe: row.pipe,
        tries: row.tries,
        messageId: row.message_id,
        channelVersionId: row.channel_version_id,
        payload: row.payload,
      },
    ],
  };
}
