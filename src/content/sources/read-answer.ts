/** What an answer of a CMS means before anybody looks into it: JSON of a success, or why not, and when to ask again. */
import { Failure } from '../../errors.ts';
import type { SourceAdapter } from './contract.ts';

const SHOWN_CHARACTERS = 300;
/** Where a CMS does not say how long it wants to be left alone. */
const UNSAID_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 3_600_000;

/** An answer as it came. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * The JSON of a success; undefined if the list turned out to end before this page. Throws HTTP_STATUS (of kind
 * `rate_limited` with `retryAfterMs`, where that is why), AUTH_FAILED, PARSE_FAILED.
 */
export function readAnswer(
  adapter: SourceAdapter,
  answer: RawAnswer,
  nowMs: number,
): { json: unknown } | undefined {
  const { status, headers } = answer;
  const json = parse(answer.body);
  if (status >= 200 && status < 300) {
    if (json !== undefined) return { json };
    throw new Failure(
      'PARSE_FAILED',
      `${adapter.title} answered with something that is no JSON. Check that the address is that of its API, and that nothing in front of it asks for a sign-in.`,
    );
  }
  if (adapter.isPastEnd?.(status, json) === true) return undefined;
  const said = adapter.reason(json)?.trim().slice(0, SHOWN_CHARACTERS);
  const words = said === undefined || said === '' ? '' : ` It says: ${said}`;
  if (status === 429 || (status === 503 && headers['retry-after'] !== undefined)) {
    const message = `${adapter.title} asks for a pause (${status}).${words}`;
    throw new Failure('HTTP_STATUS', message, {
      kind: 'rate_limited',
      statusCode: status,
      retryAfterMs: waitOf(headers, nowMs),
    });
  }
  if (status === 401 || status === 403) {
    throw new Failure(
      'AUTH_FAILED',
      `${adapter.title} does not let the source read (${status}).${words} Check its credentials, and what they allow.`,
      { statusCode: status },
    );
  }
  const advice =
    status === 404
      ? ' Check the address and the names in the settings of the source.'
      : status >= 500
        ? ' The fault is on its side.'
        : ' Check the settings of the source.';
  throw new Failure('HTTP_STATUS', `${adapter.title} answered with the status ${status}.${words}${advice}`, {
    statusCode: status,
  });
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Contentful names seconds in a header of its own; all others use Retry-After, in seconds or as a date. */
function waitOf(headers: Readonly<Record<string, string>>, nowMs: number): number {
  const named = headers['x-contentful-ratelimit-reset'] ?? headers['retry-after'] ?? '';
  const seconds = /^\d+(\.\d+)?$/.test(named) ? Number(named) * 1_000 : Date.parse(named) - nowMs;
  if (!Number.isFinite(seconds)) return UNSAID_WAIT_MS;
  return Math.min(LONGEST_WAIT_MS, Math.max(1_000, Math.ceil(seconds)));
}
