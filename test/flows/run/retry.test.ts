/** What follows a failure, as a table: who is to blame × whether the request may have arrived × the try × the rule. */
import { describe, expect, it } from 'vitest';
import { Failure, type FailureCode, type FailureDetails } from '../../../src/errors.ts';
import { decideRetry, RETRY_AFTER_CEILING_MS, type RetryQuestion } from '../../../src/flows/run/retry.ts';
import type { RetryRule } from '../../../src/pipes/contract.ts';

const RULE: RetryRule = {
  attempts: 3,
  on: ['network', 'timeout', 429, '5xx'],
  delaysMs: [1_000, 5_000],
  baseMs: 0,
  maxMs: 0,
  safe: false,
};
const failure = (code: FailureCode, details: FailureDetails = {}) => new Failure(code, 'It failed.', details);
const decide = (failed: Failure, more: Partial<RetryQuestion> = {}) =>
  decideRetry({
    failure: failed,
    rule: RULE,
    tries: 1,
    durable: true,
    ownsMessage: true,
    unknownPolicy: 'hold',
    random: 0.5,
    ...more,
  });

/** By phase: nothing left, it may have arrived, and answers. */
const NEVER_LEFT = failure('HTTP_NETWORK', { kind: 'network', statusCode: 0 });
const IN_DOUBT = failure('HTTP_TIMEOUT', { kind: 'timeout', statusCode: 0, ambiguous: true });
const BUSY = failure('HTTP_STATUS', { kind: 'rate_limited', statusCode: 429, retryAfterMs: 90_000 });
const DOWN = failure('HTTP_STATUS', { kind: 'server', statusCode: 503 });
const REFUSED = failure('HTTP_STATUS', { kind: 'client', statusCode: 400 });
const CREDENTIALS = failure('HTTP_STATUS', { kind: 'client', statusCode: 401 });
const AUTHOR = failure('TEMPLATE_VALUE_MISSING');
const CALLER = failure('VALUES_INVALID');
const BUG = failure('BUG');
const LIMITED = failure('RATE_LIMITED', { kind: 'limit', retryAfterMs: 700 });
const STOPPING = failure('SHUTDOWN');

const EXIT = { do: 'exit' };
const SPENT = { do: 'exit', spent: true };
const UNKNOWN = { do: 'unknown' };
const wait = (delayMs: number, reason = 'retry') => ({ do: 'wait', delayMs, reason });
const safe = { rule: { ...RULE, safe: true } };
const last = { tries: 3 };
const open = { laneOpenForMs: 8_000 };

describe('what follows a failure', () => {
  it.each<[string, Failure, Partial<RetryQuestion>, object]>([
    // No answer, and nothing left: the rule decides.
    ['never left, tries left', NEVER_LEFT, {}, wait(1_000)],
    ['never left, second try', NEVER_LEFT, { tries: 2 }, wait(5_000)],
    ['never left, last try', NEVER_LEFT, last, SPENT],
    ['never left, not named', NEVER_LEFT, { rule: { ...RULE, on: ['timeout'] } }, EXIT],
    ['never left, no rule', NEVER_LEFT, { rule: undefined }, EXIT],
    ['never left, cannot wait', NEVER_LEFT, { durable: false }, EXIT],
    // No answer, but it may have arrived.
    ['in doubt', IN_DOUBT, {}, UNKNOWN],
    ['in doubt, last try', IN_DOUBT, last, UNKNOWN],
    ['in doubt, safe', IN_DOUBT, safe, wait(1_000)],
    ['in doubt, safe, last try', IN_DOUBT, { ...safe, ...last }, SPENT],
    ['in doubt, the channel repeats', IN_DOUBT, { unknownPolicy: 'retry' }, wait(1_000)],
    ['in doubt, the channel fails', IN_DOUBT, { unknownPolicy: 'fail' }, EXIT],
    ['in doubt, no message', IN_DOUBT, { ownsMessage: false }, EXIT],
    ['in doubt, no message, safe', IN_DOUBT, { ownsMessage: false, ...safe }, wait(1_000)],
    ['in doubt, safe, cannot wait', IN_DOUBT, { ...safe, durable: false }, EXIT],
    ['in doubt, lane open', IN_DOUBT, open, UNKNOWN],
    // Answers.
    ['busy, as long as it asks', BUSY, {}, wait(90_000)],
    ['busy, last try', BUSY, last, SPENT],
    ['down', DOWN, {}, wait(1_000)],
    ['down, lane open: not counted', DOWN, { ...last, ...open }, wait(8_000, 'breaker')],
    ['refused', REFUSED, {}, EXIT],
    ['refused, named', REFUSED, { rule: { ...RULE, on: ['4xx'] } }, wait(1_000)],
    ['refused, lane open', REFUSED, open, EXIT],
    ['credentials', CREDENTIALS, {}, EXIT],
    ['credentials, lane open', CREDENTIALS, open, wait(8_000, 'breaker')],
    // Nobody outside is to blame.
    ['author', AUTHOR, {}, EXIT],
    ['author, safe, lane open', AUTHOR, { ...safe, ...open }, EXIT],
    ['caller', CALLER, {}, EXIT],
    ['bug', BUG, {}, EXIT],
    // Limits and stopping, whatever the rule.
    ['limit', LIMITED, {}, wait(700, 'limit')],
    ['limit, no rule, last try', LIMITED, { rule: undefined, ...last }, wait(700, 'limit')],
    ['limit, cannot wait', LIMITED, { durable: false }, EXIT],
    ['stopping', STOPPING, { rule: undefined }, wait(0, 'limit')],
    ['stopping, cannot wait', STOPPING, { durable: false }, EXIT],
  ])('%s', (_name, failed, more, expected) => expect(decide(failed, more)).toEqual(expected));
});

describe('the wait before the next try', () => {
  const exponential: RetryRule = { ...RULE, attempts: 9, baseMs: 1_000, maxMs: 30_000 };
  const { delaysMs: _list, ...withoutList } = exponential;

  it.each([
    [1, 1, 1_000],
    [2, 1, 2_000],
    [5, 1, 16_000],
    [6, 1, 30_000],
    [8, 1, 30_000],
    [3, 0.5, 2_000],
    [3, 0, 0],
  ])(
    'grows with the tries, with full jitter, up to its most: try %i, chance %f',
    (tries, random, delayMs) => {
      expect(decide(DOWN, { rule: withoutList, tries, random })).toEqual(wait(delayMs));
    },
  );

  it('is the last of a list from then on', () => {
    expect(decide(DOWN, { rule: exponential, tries: 7 })).toEqual(wait(5_000));
  });

  it('is as long as the provider asks, up to a ceiling, and never shorter than the rule says', () => {
    const asking = (retryAfterMs: number) => failure('HTTP_STATUS', { statusCode: 503, retryAfterMs });
    expect(decide(asking(500))).toEqual(wait(1_000));
    expect(decide(asking(10 * RETRY_AFTER_CEILING_MS))).toEqual(wait(RETRY_AFTER_CEILING_MS));
    const patient = { ...RULE, delaysMs: [2 * RETRY_AFTER_CEILING_MS] };
    expect(decide(asking(10 * RETRY_AFTER_CEILING_MS), { rule: patient })).toEqual(
      wait(2 * RETRY_AFTER_CEILING_MS),
    );
  });
});
