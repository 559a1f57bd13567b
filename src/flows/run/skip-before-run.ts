/** Why a message that was claimed is not sent after all: what happened to it, its launch or its person in the meantime. */
import type { PipelineName } from '../../channel/document.ts';
import type { Ids } from '../../ids.ts';
import type { ClaimedRow } from '../../storage/claim.ts';
import { PARKED_DUE_MS } from '../../storage/launches.ts';
import { STATE_CODES } from '../../storage/states.ts';
import { skip } from '../guards/skip.ts';
import type { Effects } from '../settlement/effects.ts';
import { endMessage, requeue } from '../settlement/end-message.ts';
import type { RunContext } from './run-context.ts';

/** A message that is to be withdrawn, but is still on its way, is looked at again after so long. */
const UNSENT_PAUSE_MS = 1_000;

const NOT_CHOSEN =
  'No sender rule fitted this message when its mailing was opened. Add a rule that does and start the mailing again.';

/** Why a message is not sent, and what is written instead; undefined if nothing blocks it. */
export function skipBeforeRun(
  row: ClaimedRow,
  pipeline: PipelineName,
  context: Pick<RunContext, 'launch' | 'unchosen'>,
  nowMs: number,
  ids: Ids,
): Effects | undefined {
  if (row.state === null) return { done: [row.id] };
  if (pipeline === 'stop') return notToWithdraw(row, row.state, nowMs);
  const launchState = context.launch?.row.state;
  if (launchState === 'stopped' && row.state < STATE_CODES.sent)
    return endMessage(row, 'stopped', 'MAILING_STOPPED');
  if (launchState === 'paused') return requeue(row, PARKED_DUE_MS);
  if (pipeline !== 'message') return undefined;
  if (row.state >= STATE_CODES.expired) return { done: [row.id] };
  // Reported as sent while it was on its way to another sender: there is nothing left to do.
  if (row.state >= STATE_CODES.sent && row.pipe === null && row.payload === null) return { done: [row.id] };
  // What was sent in time goes on: only its later pipes are left.
  if (row.expires !== null && row.expires <= nowMs && row.state < STATE_CODES.sent)
    return endMessage(row, 'expired', 'MESSAGE_EXPIRED');
  // A mailing found no sender for it, and a redrive does not look for one.
  if (context.unchosen) return endMessage(row, 'failed', 'SENDER_NOT_CHOSEN', NOT_CHOSEN, ids);
  // Consent is asked for at the begin, and again while nothing has been sent: after a hold, before a retry.
  if (
    row.subscription_status !== null &&
    row.subscription_status !== 'subscribed' &&
    (row.payload === null || row.state < STATE_CODES.sent)
  ) {
    const status = row.subscription_status;
    return skip(row, `SUBSCRIPTION_${status.toUpperCase()}`, `the subscription is ${status}`, ids);
  }
  return undefined;
}

/** What is on its way is withdrawn once it was placed, and what never was placed is not. */
function notToWithdraw(row: ClaimedRow, state: number, nowMs: number): Effects | undefined {
  if (state >= STATE_CODES.expired || state === STATE_CODES.unknown) return { done: [row.id] };
  // Not the lane waits, only this row: a changed number of tries says so.
  return state < STATE_CODES.sent
    ? requeue(row, nowMs + UNSENT_PAUSE_MS, row.tries === 0 ? 1 : 0)
    : undefined;
}
