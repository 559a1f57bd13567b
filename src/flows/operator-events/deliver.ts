/**
 * Sends operator events to webhooks. Each is a waiting row in the lane of its webhook, so that a dead receiver delays
 * nobody else. An event may come twice, with the same `webhook-id`; it is given up after the last delay.
 */
import { signingKeyOf } from '../../access/signing-secret.ts';
import { asFailure, Failure } from '../../errors.ts';
import { decodeValue } from '../../json.ts';
import type { HttpAnswer, HttpRequest } from '../../pipes/contract.ts';
import type { ClaimedRow } from '../../storage/claim.ts';
import { writeOperatorEvent } from '../../storage/operator-events.ts';
import { type DueDelivery, noteAttempt, readDelivery } from '../../storage/webhook-deliveries.ts';
import { disableWebhook } from '../../storage/webhooks.ts';
import { isoTime } from '../../time.ts';
import type { RunHealth } from '../lanes/breaker.ts';
import { logOperatorEvents } from '../log-operator-events.ts';
import type { Runtime } from '../runtime.ts';
import type { Effects } from '../settlement/effects.ts';
import { requeue } from '../settlement/end-message.ts';
import type { PerformTask } from '../settlement/tasks.ts';
import { signatureHeaders } from './sign.ts';

/** The waits between attempts: 5 s, 30 s, 2 min, 10 min, 1 h, 6 h, 24 h. */
const DELAYS_MS = [5_000, 30_000, 120_000, 600_000, 3_600_000, 21_600_000, 86_400_000];
/** A webhook that took nothing for so long is disabled. */
const HOPELESS_MS = 5 * 86_400_000;
const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 262_144;
const CONNECTIONS = 4;
const EXCERPT_CHARACTERS = 200;
const GONE = 410;
const TOO_MANY = 429;

/** How an attempt ended. */
interface Result {
  /** Null where no answer came. */
  readonly status: number | null;
  readonly excerpt: string | null;
  /** Undefined where the receiver took it. */
  readonly failure: Failure | undefined;
}

type Send = (request: HttpRequest, laneKey: string) => Promise<HttpAnswer>;

/** The task of sending one event to one webhook. It throws where the database cannot be asked. */
export function createDeliver(runtime: Runtime, send: Send): PerformTask {
  const { database, clock, vault, log } = runtime;

  const attempt = async (row: ClaimedRow, due: DueDelivery): Promise<Result> => {
    const body = JSON.stringify({
      type: due.event_type,
      timestamp: isoTime(due.event_at.getTime()),
      data: due.event_data,
    });
    const nowMs = clock.now();
    const signed = { id: due.event_id, timestamp: Math.floor(nowMs / 1_000), body };
    const request: HttpRequest = {
      method: 'POST',
      url: due.url,
      headers: { 'content-type': 'application/json', ...signatureHeaders(signed, keysOf(due, nowMs)) },
      body: Buffer.from(body),
      timeoutMs: TIMEOUT_MS,
      maxResponseBytes: MAX_ANSWER_BYTES,
      redirects: 0,
      poolSize: CONNECTIONS,
    };
    try {
      const answer = await send(request, String(row.lane_id));
      return { status: answer.status, excerpt: excerptOf(answer), failure: refusalOf(answer) };
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (failure.blame === 'us') throw thrown;
      return { status: null, excerpt: null, failure };
    }
  };

  const keysOf = (due: DueDelivery, nowMs: number): Buffer[] => {
    const { current, previous } = due.secrets;
    const both = previous !== undefined && (due.previous_until?.getTime() ?? 0) > nowMs;
    return (both ? [current, previous] : [current]).map((sealed) => {
      const key = signingKeyOf(String(vault.open(sealed)));
      if (key === undefined) throw new Failure('BUG', `The secret of webhook ${due.id} is none.`);
      return key;
    });
  };

  const disable = async (due: DueDelivery, reason: string) => {
    const nowMs = clock.now();
    const emitted = await database.transaction(async (tx) => {
      if (!(await disableWebhook(tx, due.id, reason, nowMs))) return [];
      const data = { webhook: due.id, host: new URL(due.url).host, reason };
      return writeOperatorEvent(tx, { accountId: due.account_id, type: 'webhook.disabled', data }, nowMs);
    });
    logOperatorEvents(log, emitted);
  };

  const failed = async (row: ClaimedRow, due: DueDelivery, result: Result, failure: Failure) => {
    const nowMs = clock.now();
    const delayMs = DELAYS_MS[row.tries];
    const nextAtMs =
      delayMs === undefined ? null : nowMs + Math.max(delayMs, failure.details.retryAfterMs ?? 0);
    const hopeless = hopelessBecause(due, result, nowMs);
    const ended = nextAtMs === null || hopeless !== undefined;
    await noteAttempt(database, {
      id: row.id,
      webhookId: due.id,
      eventId: due.event_id,
      state: ended ? 'failed' : 'waiting',
      attempts: row.tries + 1,
      status: result.status,
      error: failure.message,
      excerpt: result.excerpt,
      nextAtMs: ended ? null : nextAtMs,
      nowMs,
    });
    if (hopeless !== undefined) await disable(due, hopeless);
    const effects: Effects = ended ? { done: [row.id] } : requeue(row, nextAtMs, row.tries + 1);
    const health = healthOf(due, result, failure);
    return health === undefined ? effects : { ...effects, health };
  };

  return async (row) => {
    const { webhookId, eventId } = decodeValue(row.payload ?? '{}') as { webhookId: string; eventId: string };
    const due = await readDelivery(database, webhookId, eventId);
    if (due === undefined || due.status !== 'active') return { done: [row.id] };
    const result = await attempt(row, due);
    const { failure } = result;
    if (failure?.blame === 'shutdown') return requeue(row, clock.now());
    if (failure !== undefined) return failed(row, due, result, failure);
    await noteAttempt(database, {
      id: row.id,
      webhookId,
      eventId,
      state: 'delivered',
      attempts: row.tries + 1,
      status: result.status,
      error: null,
      excerpt: null,
      nextAtMs: null,
      nowMs: clock.now(),
    });
    return { done: [row.id], health: { health: 'good' } };
  };
}

/** Any status but 2xx refuses the event; redirects are not followed, because a signature is for one address. */
function refusalOf({ status, headers }: HttpAnswer): Failure | undefined {
  if (status >= 200 && status < 300) return undefined;
  const seconds = Number(headers['retry-after']);
  const retryAfterMs = Number.isInteger(seconds) && seconds > 0 ? Math.min(seconds * 1_000, 86_400_000) : 0;
  return new Failure(
    'HTTP_STATUS',
    `The receiver answered with status ${status}; it takes events with 2xx.`,
    {
      statusCode: status,
      retryAfterMs,
    },
  );
}

/** Why a webhook that fails is disabled; undefined if it is not yet. */
function hopelessBecause(due: DueDelivery, { status }: Result, nowMs: number): string | undefined {
  if (status === GONE) return 'The receiver answered 410: it wants no more events.';
  const since = due.failing_since?.getTime();
  return since !== undefined && nowMs - since >= HOPELESS_MS
    ? `Every attempt since ${isoTime(since)} failed.`
    : undefined;
}

/** A receiver that refuses fails like one that is down: for events there is no bad one among good ones. */
function healthOf(due: DueDelivery, result: Result, failure: Failure): RunHealth | undefined {
  if (result.status === TOO_MANY) return undefined;
  return {
    health: 'bad',
    fault: {
      code: failure.code,
      reason: failure.message,
      // Addresses of receivers may hold a secret behind the host.
      request: `POST ${new URL(due.url).origin}`,
      status: result.status ?? undefined,
      excerpt: result.excerpt ?? undefined,
    },
  };
}

function excerptOf({ body }: HttpAnswer): string {
  return body.toString('utf8').slice(0, EXCERPT_CHARACTERS).replaceAll('\u0000', '\ufffd');
}
