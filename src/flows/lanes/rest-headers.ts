/**
 * What an answer says about how long its provider wants rest. Read are: 429, 503 with `Retry-After` (RFC 9110), the fields
 * of draft-ietf-httpapi-ratelimit-headers in all their forms, and the older `X-RateLimit-…`, whose reset is a time or a
 * number of seconds, as each provider likes it.
 */
import { retryAfterMs } from '../../pipes/http-success.ts';
import { isoTime } from '../../time.ts';

/** The longest rest that is kept without asking again. */
export const LONGEST_REST_MS = 300_000;
/** After a 429 that does not say how long. */
const UNSAID_REST_MS = 1_000;
/** Numbers from here on are seconds since 1970, and from there on milliseconds. */
const EPOCH_SECONDS = 1e9;
const EPOCH_MILLISECONDS = 1e11;

type Headers = Readonly<Record<string, string>>;

const PAIRS = [
  ['ratelimit-remaining', 'ratelimit-reset'],
  ['x-ratelimit-remaining', 'x-ratelimit-reset'],
  ['x-rate-limit-remaining', 'x-rate-limit-reset'],
] as const;

/** For how many milliseconds nothing should be sent; 0 where the answer asks for no rest. */
export function restMs(status: number, headers: Headers, nowMs: number): number {
  const says =
    status === 429 ||
    status === 503 ||
    headers['x-ratelimit-remaining'] !== undefined ||
    headers['ratelimit-remaining'] !== undefined ||
    headers.ratelimit !== undefined ||
    headers['x-rate-limit-remaining'] !== undefined;
  if (!says) return 0;
  return Math.min(LONGEST_REST_MS, Math.max(0, longestOf(status, headers, nowMs)));
}

function longestOf(status: number, headers: Headers, nowMs: number): number {
  if (status === 429 || status === 503) {
    const asked = retryAfterMs(headers['retry-after'], isoTime(nowMs));
    if (asked !== undefined) return asked;
  }
  const spentMs = Math.max(...PAIRS.map((pair) => pairMs(headers, pair, nowMs)), listMs(headers));
  return spentMs > 0 || status !== 429 ? spentMs : UNSAID_REST_MS;
}

/** Of two header fields, where nothing remains. */
function pairMs(headers: Headers, [remaining, reset]: readonly [string, string], nowMs: number): number {
  const left = headers[remaining];
  if (left === undefined || !isSpent(left)) return 0;
  const after = firstNumber(headers[`${reset}-after`]);
  return Number.isNaN(after) ? resetMs(headers[reset], headers.date, nowMs) : after * 1_000;
}

/** `RateLimit: "name";r=0;t=30, …` with `RateLimit-Policy: "name";q=100;w=60`, or `RateLimit: limit=9, remaining=0, reset=30`. */
function listMs(headers: Headers): number {
  const { ratelimit } = headers;
  if (ratelimit === undefined) return 0;
  const left = /(?:^|[\s,;])remaining=([^\s,;]+)/i.exec(ratelimit)?.[1];
  if (left !== undefined) {
    return isSpent(left) ? seconds(/(?:^|[\s,;])reset=([\d.]+)/i.exec(ratelimit)?.[1]) : 0;
  }
  const windows = new Map<string, number>();
  for (const item of (headers['ratelimit-policy'] ?? '').split(',')) {
    windows.set(nameOf(item), seconds(/;\s*w=([\d.]+)/.exec(item)?.[1]));
  }
  let longest = 0;
  for (const item of ratelimit.split(',')) {
    const remaining = /;\s*r=([^\s;]+)/.exec(item)?.[1];
    if (remaining === undefined || !isSpent(remaining)) continue;
    const reset = /;\s*t=([\d.]+)/.exec(item)?.[1];
    longest = Math.max(longest, reset === undefined ? (windows.get(nameOf(item)) ?? 0) : seconds(reset));
  }
  return longest;
}

function nameOf(item: string): string {
  return item.split(';', 1)[0]?.trim() ?? '';
}

/** A part of a request is none; what is no number says nothing. */
function isSpent(remaining: string): boolean {
  return firstNumber(remaining) < 1;
}

/** The reset as a duration: seconds, or a time, from which the provider's own present is taken. */
function resetMs(text: string | undefined, date: string | undefined, nowMs: number): number {
  if (text === undefined) return 0;
  const number = firstNumber(text);
  const sentMs = date === undefined ? Number.NaN : Date.parse(date);
  const presentMs = Number.isNaN(sentMs) ? nowMs : sentMs;
  if (Number.isNaN(number)) return (Date.parse(text) || presentMs) - presentMs;
  if (number < EPOCH_SECONDS) return number * 1_000;
  return (number < EPOCH_MILLISECONDS ? number * 1_000 : number) - presentMs;
}

function seconds(text: string | undefined): number {
  return (Number(text) || 0) * 1_000;
}

/** The number of a field, or the first of several. */
function firstNumber(text: string | undefined): number {
  const first = text?.split(',', 1)[0]?.trim();
  return first === undefined || first === '' ? Number.NaN : Number(first);
}
