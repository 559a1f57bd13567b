/** Which failures let a message go on with another sender: the words of `fallbackOn`. */
import type { Failure } from '../../errors.ts';
import { refusesCredentials } from '../lanes/breaker.ts';

/** Each word with what it stands for, in the order of the guide. */
export const FALLBACK_CLASSES = {
  weather: 'no answer: network and timeout',
  network: 'the provider could not be reached',
  timeout: 'the provider gave no answer in time',
  provider: 'every answer that says no',
  rate_limited: 'the provider asked for fewer requests (429)',
  server: 'a fault of the provider (5xx)',
  client: 'the provider found a fault in the request (4xx)',
  rejected: 'an answer for which success_when does not hold',
  refused: 'the mail server or SMS centre refused the message',
  temporary: 'the mail server or SMS centre cannot take it now',
  auth: 'the credentials were refused',
  open_lane: "the sender's lane is open: what waits in it moves on",
} as const;

/** The class of what waits in an open lane; no failure has it. */
export const OPEN_LANE = 'open_lane';

/** Whether an entry is a class, a status or a range such as `5xx`. */
export function isFallbackClass(entry: string | number): boolean {
  return Object.hasOwn(FALLBACK_CLASSES, entry) || /^[1-5](?:\d\d|xx)$/.test(String(entry));
}

/** Whether one of the declared classes names this failure. What an author or caller did wrong, no sender fixes. */
export function fallsBackOn(on: readonly string[], failure: Failure): boolean {
  const { blame } = failure;
  if (blame !== 'weather' && blame !== 'provider') return false;
  const { kind, statusCode = 0 } = failure.details;
  const status = String(statusCode);
  const auth = refusesCredentials(failure);
  return on.some(
    (each) =>
      each === blame ||
      each === kind ||
      each === status ||
      (each === 'auth' && auth) ||
      (each.endsWith('xx') && status.length === 3 && each[0] === status[0]),
  );
}
