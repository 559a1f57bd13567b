/** What a failed run says about going on with another sender: only what surely was not sent may be sent again. */

import type { ChannelDocument } from '../../channel/document.ts';
import type { RunOutcome } from '../../engine/run-outcome.ts';
import type { Failure } from '../../errors.ts';
import { type ClaimedRow, PIPELINE_CODES } from '../../storage/claim.ts';
import type { SettledExhausted, SettledMessage, SettledWait } from '../../storage/settlement.ts';

/** A message whose tries with its sender are spent; its rule says whether another sender follows. */
export interface FailingRun {
  readonly source: string;
  readonly failure: Failure;
  /** When it was due, in milliseconds. */
  readonly dueMs: number;
}

/**
 * Whether something may have been sent in this run: a request without an answer (but where the channel repeats those,
 * `"unknown": "retry"`), an answer that could not be read, or a request that did well before another one failed. A GET
 * asks and sends nothing.
 */
export function maySent({ failure, trail }: RunOutcome, unknown: ChannelDocument['unknown']): boolean {
  if (failure !== undefined && inDoubt(failure, unknown)) return true;
  return trail.some(({ failure: failed, request, module }) =>
    failed === undefined
      ? module !== undefined ||
        (request !== undefined && request.method !== 'GET' && request.method !== 'HEAD')
      : inDoubt(failed, unknown),
  );
}

function inDoubt({ code, details }: Failure, unknown: ChannelDocument['unknown']): boolean {
  const { ambiguous = false, statusCode = 0 } = details;
  if (ambiguous && unknown !== 'retry') return true;
  return statusCode >= 200 && statusCode < 300 && code !== 'HTTP_REJECTED';
}

/** The run as one that may go on with another sender; undefined if it must not. `doubt`: of what ran before. */
export function failingRun(
  row: Pick<ClaimedRow, 'id' | 'due' | 'pipeline' | 'message_id'> & { readonly sender_id?: string | null },
  outcome: RunOutcome,
  unknown: ChannelDocument['unknown'],
  doubt: boolean,
): FailingRun | undefined {
  const { failure } = outcome;
  if (
    row.pipeline !== PIPELINE_CODES.message ||
    (row.sender_id ?? null) === null ||
    row.id !== row.message_id
  )
    return;
  if (outcome.status !== 'failed' || failure === undefined || doubt) return;
  if (maySent(outcome, unknown)) return;
  if (outcome.branches.length > 0 || outcome.later.length > 0) return;
  return { source: row.id, failure, dueMs: row.due };
}

/** What a settlement holds of the failing runs, to be changed. */
export interface FallbackSettlement {
  done: string[];
  again: SettledWait[];
  messages: SettledMessage[];
  exhausted: SettledExhausted[];
}

/** Gives failing runs their next senders in a settlement. Returns the lanes they wait in then. */
export type FallBack = (
  failing: readonly FailingRun[],
  into: FallbackSettlement,
) => Promise<readonly number[]>;
