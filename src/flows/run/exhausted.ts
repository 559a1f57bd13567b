/** Which messages operators are told of: those that failed after all their tries, and those that may have been sent. */
import type { RunOutcome } from '../../engine/run-outcome.ts';
import type { Failure } from '../../errors.ts';
import type { SettledExhausted } from '../../storage/settlement.ts';
import { type MessageState, STATE_CODES } from '../../storage/states.ts';

/** A stable code, with the status where the provider gave one. */
export function reasonOfFailure({ code, details: { statusCode } }: Failure): string {
  return statusCode === undefined || statusCode === 0 ? code : `${code}_${statusCode}`;
}

/** What is told of the message of a run that ended in this state; undefined if it is nothing. */
export function exhaustedOf(
  source: string,
  messageId: string,
  outcome: RunOutcome,
  ended: MessageState | undefined,
): SettledExhausted | undefined {
  if (ended === undefined) return undefined;
  const unknown = ended === 'unknown';
  if (!unknown && STATE_CODES[ended] < STATE_CODES.failed) return undefined;
  const spent = outcome.trail.findLast(({ decision }) => decision?.do === 'exit' && decision.spent === true);
  if (!unknown && spent === undefined) return undefined;
  const failure = outcome.failure ?? spent?.failure;
  const reason = failure === undefined ? 'SEND_UNKNOWN' : reasonOfFailure(failure);
  return { source, messageId, state: ended, reason };
}
