/** Whether an answer is a success, and how it fails where it is not (channel format, section 7). */
import { Failure, type FailureDetails } from '../errors.ts';
import type { HttpAnswer } from './contract.ts';
import type { Evaluate } from './params.ts';
import { holdsStatus } from './status-set.ts';

/** The statuses that are a success where the author names none. */
export const DEFAULT_SUCCESS_CODES = ['200-208'] as const;

/** What a request adds to `$in`. */
export interface Answered extends Record<string, unknown> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * What the answer adds to `$in`. Throws HTTP_STATUS or HTTP_REJECTED, with the same in `details.add`.
 * `now` is the time of the run, for a `Retry-After` that is a date.
 */
export function assessAnswer(
  answer: HttpAnswer,
  successCodes: readonly (string | number)[],
  successWhen: Evaluate<unknown> | undefined,
  now: string,
): Answered | Promise<Answered> {
  const { status, headers, body } = answer;
  const add = { status, headers, body };
  if (!holdsStatus(successCodes, status)) {
    throw new Failure(
      'HTTP_STATUS',
      `The provider answered with status ${status}; a success would be ${successCodes.join(', ')}.`,
      { ...detailsOf(add, now), kind: kindOf(status) },
    );
  }
  return successWhen === undefined ? add : assessContent(answer, add, successWhen, now);
}

async function assessContent(
  answer: HttpAnswer,
  add: Answered,
  successWhen: Evaluate<unknown>,
  now: string,
): Promise<Answered> {
  const details = detailsOf(add, now);
  if (await holds(successWhen, answer, details)) return add;
  throw new Failure(
    'HTTP_REJECTED',
    `The provider answered with status ${answer.status}, but "success_when" does not hold for its answer.`,
    { ...details, kind: 'rejected' },
  );
}

/** What a failure keeps of the answer. */
function detailsOf(add: Answered, now: string): FailureDetails {
  const delayMs = retryAfterMs(add.headers['retry-after'], now);
  return { statusCode: add.status, add, ...(delayMs !== undefined && { retryAfterMs: delayMs }) };
}

async function holds(when: Evaluate<unknown>, answer: HttpAnswer, details: FailureDetails): Promise<boolean> {
  const { status, headers } = answer;
  try {
    const value = when({ status, headers, body: bodyValue(answer.body) });
    return (value instanceof Promise ? await value : value) === true;
  } catch (thrown) {
    // The answer is there all the same: the error exit reads it.
    if (!(thrown instanceof Failure)) throw thrown;
    throw new Failure(thrown.code, thrown.message, { ...details, ...thrown.details, cause: thrown });
  }
}

/** The body as JSON if it is JSON, otherwise as text. */
function bodyValue(body: Buffer): unknown {
  const text = new TextDecoder().decode(body);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function kindOf(status: number): string {
  if (status === 429) return 'rate_limited';
  if (status >= 500) return 'server';
  return status >= 400 ? 'client' : 'rejected';
}

/** The wait a `Retry-After` header asks for (RFC 9110, 10.2.3), from `now`; undefined if it says nothing. */
export function retryAfterMs(header: string | undefined, now: string): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000;
  const waitMs = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) - Date.parse(now) : Number.NaN;
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}
