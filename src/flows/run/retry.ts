/**
 * What happens after a failure: one pure table of blame × phase × try, and the pipe's own rule.
 *
 * | failure                                   | the pipe's rule names it, tries left | otherwise        |
 * |-------------------------------------------|--------------------------------------|------------------|
 * | a limit without a free token              | wait, not counted as a try           | –                |
 * | the breaker of the lane is open           | wait, not counted as a try           | –                |
 * | no answer, request may have arrived       | wait if safe to repeat               | unknown if not   |
 * | no answer, request never left             | wait                                 | error exit       |
 * | an answer that refuses                    | wait, as long as the provider says   | error exit       |
 * | everything else (author, caller)          | error exit                           | error exit       |
 */

import type { Decision } from '../../engine/run-outcome.ts';
import type { Failure } from '../../errors.ts';
import type { RetryRule } from '../../pipes/contract.ts';
import { refusesCredentials } from '../lanes/breaker.ts';

/** The longest wait a provider may ask for. */
export const RETRY_AFTER_CEILING_MS = 24 * 3_600_000;

export interface RetryQuestion {
  readonly failure: Failure;
  readonly rule: RetryRule | undefined;
  /** Tries of this pipe so far, this one included. */
  readonly tries: number;
  /** Runs that cannot wait (operations) or that carry no message (listener): never `unknown`. */
  readonly durable: boolean;
  readonly ownsMessage: boolean;
  /** What the channel does with a request that may have arrived. */
  readonly unknownPolicy: 'hold' | 'retry' | 'fail';
  /** Above 0 the breaker of its lane is open: so long it gets out of the way, and the try is not counted. */
  readonly laneOpenForMs?: number;
  /** From 0 to 1, given. */
  readonly random: number;
}

/** Decides what follows a failure of a pipe. */
export function decideRetry(question: RetryQuestion): Decision {
  const { failure, rule, tries, durable } = question;
  const { kind, retryAfterMs = 0, ambiguous = false } = failure.details;
  if (failure.code === 'RATE_LIMITED') {
    return durable ? { do: 'wait', delayMs: retryAfterMs, reason: 'limit' } : { do: 'exit' };
  }
  if (failure.blame === 'shutdown')
    return durable ? { do: 'wait', delayMs: 0, reason: 'limit' } : { do: 'exit' };
  if (rule === undefined || (failure.blame !== 'weather' && failure.blame !== 'provider'))
    return { do: 'exit' };
  if (ambiguous && !rule.safe && question.ownsMessage && question.unknownPolicy === 'hold')
    return { do: 'unknown' };
  const mayRepeat = !ambiguous || rule.safe || question.unknownPolicy === 'retry';
  if (!durable || !mayRepeat) return { do: 'exit' };
  const laneOpenForMs = question.laneOpenForMs ?? 0;
  const named = names(rule.on, kind, failure.details.statusCode);
  // Credentials that are refused open lanes, too: anyone who comes after that waits until they are fixed.
  if (laneOpenForMs > 0 && (named || refusesCredentials(failure))) {
    return { do: 'wait', delayMs: laneOpenForMs, reason: 'breaker' };
  }
  if (!named) return { do: 'exit' };
  if (tries >= rule.attempts) return { do: 'exit', spent: true };
  const own = ruleDelayMs(rule, tries, question.random);
  const delayMs = Math.min(Math.max(own, retryAfterMs), Math.max(own, RETRY_AFTER_CEILING_MS));
  return { do: 'wait', delayMs, reason: 'retry' };
}

/** The wait before the next try: the rule's own list, or exponential with full jitter. */
function ruleDelayMs(rule: RetryRule, tries: number, random: number): number {
  const { delaysMs } = rule;
  if (delaysMs !== undefined && delaysMs.length > 0) {
    return delaysMs[Math.min(tries, delaysMs.length) - 1] ?? 0;
  }
  return Math.round(random * Math.min(rule.maxMs, rule.baseMs * 2 ** (tries - 1)));
}

function names(
  on: readonly (string | number)[],
  kind: string | undefined,
  status: number | undefined,
): boolean {
  return on.some((each) => {
    if (typeof each === 'number') return each === status;
    const range = /^(\d)xx$/i.exec(each);
    if (range !== null) return status !== undefined && Math.floor(status / 100) === Number(range[1]);
    return each === kind;
  });
}
