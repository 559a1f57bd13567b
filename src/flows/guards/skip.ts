/** What is settled for a message that a guard speaks against: it is skipped, or waits; the trail says which rule decided. */
import type { Ids } from '../../ids.ts';
import type { ClaimedRow } from '../../storage/claim.ts';
import type { SettledAttempt } from '../../storage/settlement.ts';
import { STATE_CODES } from '../../storage/states.ts';
import type { Effects } from '../settlement/effects.ts';
import { endMessage, requeue } from '../settlement/end-message.ts';

/** A lane is not asked at all while a row of it waits for less than this (worker.ts), so holds are longer. */
const LEAST_HOLD_MS = 5_500;

/** Ends a message as suppressed. `rule` is a sentence without an address in it. */
export function skip(row: ClaimedRow, reason: string, rule: string, ids: Ids): Effects {
  return {
    ...endMessage(row, 'suppressed', reason),
    attempts: [attemptOf(row, 'suppressed', reason, rule, ids)],
  };
}

/** Lets a message wait as it is, no try counted; not longer than it may live. */
export function hold(
  row: ClaimedRow,
  hit: { readonly untilMs: number; readonly reason: string; readonly rule: string },
  nowMs: number,
  ids: Ids,
): Effects {
  const { reason, rule } = hit;
  const untilMs = row.expires === null ? hit.untilMs : Math.min(hit.untilMs, row.expires);
  const dueMs = Math.max(untilMs, nowMs + LEAST_HOLD_MS);
  const state = STATE_CODES.queued;
  const attempt = row.attempt ?? 1;
  return {
    ...requeue(row, dueMs),
    messages: [
      {
        source: row.id,
        id: row.message_id ?? row.id,
        launchId: row.launch_id,
        attempt,
        state,
        reason,
        externalId: null,
      },
    ],
    attempts: [
      attemptOf(row, 'waiting', reason, `${rule}; waits until ${new Date(dueMs).toISOString()}`, ids),
    ],
  };
}

function attemptOf(row: ClaimedRow, outcome: string, guard: string, rule: string, ids: Ids): SettledAttempt {
  return {
    source: row.id,
    id: ids.next(),
    accountId: row.account_id ?? '',
    messageId: row.message_id ?? row.id,
    number: row.attempt ?? 1,
    outcome,
    trail: JSON.stringify([{ guard, rule }]),
  };
}
