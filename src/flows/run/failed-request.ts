/**
 * Requests of providers whose run failed: kept as they were claimed, so that the run can begin again where it began,
 * and with what they have registered, so that it registers nothing twice.
 */
import { createHash } from 'node:crypto';
import type { RunEvent, RunOutcome } from '../../engine/run-outcome.ts';
import type { Failure } from '../../errors.ts';
import { isObject } from '../../json.ts';
import { SECRET_HEADERS } from '../../pipes/secret-headers.ts';
import type { ClaimedRow } from '../../storage/claim.ts';
import type { SettledFailedRequest } from '../../storage/settlement.ts';
import { writePayload } from '../payload.ts';
import type { Redact } from '../redact.ts';
import type { Runtime } from '../runtime.ts';
import { reasonOfFailure } from './exhausted.ts';
import type { KeptRequest, ResumedRun } from './resumed-run.ts';

type RequestRow = Pick<
  ClaimedRow,
  'id' | 'account_id' | 'lane_id' | 'pipeline' | 'pipe' | 'channel_version_id'
>;

/** Builds what is kept of a request after a run with an outcome; its secrets are masked or sealed. */
export function failedRequest(
  { vault, clock }: Pick<Runtime, 'vault' | 'clock'>,
  row: RequestRow,
  run: ResumedRun,
  outcome: Pick<RunOutcome, 'events'> & { readonly failure: Failure },
  redact: Redact,
): SettledFailedRequest {
  const { request, ...stored } = run;
  const plain = { ...stored, ...(stored.origin !== undefined && { origin: withoutSecrets(stored.origin) }) };
  const payload = writePayload(vault, plain, redact, clock.now());
  const registered = [...(request?.registered ?? []), ...outcome.events.map(fingerprint)];
  return unreadableRequest(row, request, outcome.failure, payload, redact, registered);
}

/** Builds what is kept of a request that could not be run at all: its payload as it is. */
export function unreadableRequest(
  row: RequestRow,
  request: KeptRequest | undefined,
  failure: Failure,
  payload: string,
  redact: Redact,
  registered: readonly string[] = request?.registered ?? [],
): SettledFailedRequest {
  const id = request?.id ?? row.id;
  return {
    source: row.id,
    id,
    accountId: row.account_id,
    channelVersionId: row.channel_version_id,
    laneId: row.lane_id,
    pipeline: row.pipeline,
    pipe: row.pipe,
    reason: reasonOfFailure(failure),
    message: redact(failure.message),
    payload,
    registered: JSON.stringify(registered),
    receivedMs: Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16),
  };
}

/** Returns the outcome without the events that an earlier run of the request has registered. */
export function withoutRegistered(outcome: RunOutcome, request: KeptRequest | undefined): RunOutcome {
  if (request === undefined || request.registered.length === 0) return outcome;
  const left = new Map<string, number>();
  for (const each of request.registered) left.set(each, (left.get(each) ?? 0) + 1);
  const events = outcome.events.filter((event) => {
    const name = fingerprint(event);
    const count = left.get(name) ?? 0;
    if (count > 0) left.set(name, count - 1);
    return count === 0;
  });
  return { ...outcome, events };
}

/** Names an event of a request by what another run cannot change: its time and data may come from a clock or an answer. */
function fingerprint({ type, eventId, sendMessageId, externalId }: RunEvent): string {
  return createHash('sha256')
    .update(JSON.stringify([type, eventId, sendMessageId, externalId]))
    .digest('base64url')
    .slice(0, 16);
}

function withoutSecrets(origin: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { headers } = origin;
  if (!isObject(headers)) return origin;
  const kept = Object.entries(headers).filter(([name]) => !SECRET_HEADERS.has(name.toLowerCase()));
  return { ...origin, headers: Object.fromEntries(kept) };
}
