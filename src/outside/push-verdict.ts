/** What a push service's answer means (RFC 8030, section 5): an event of the message, or a failure to be tried again. */
import { Failure } from '../errors.ts';
import type { EmittedEvent, HttpAnswer } from '../pipes/contract.ts';
import { retryAfterMs } from '../pipes/http-success.ts';
import { quoted } from './module-values.ts';

/** `now` is an ISO time, for a `Retry-After` that is a date. Throws HTTP_STATUS, AUTH_FAILED. */
export function pushVerdict({ status, headers, body }: HttpAnswer, host: string, now: string): EmittedEvent {
  if (status >= 200 && status < 300) {
    const { location } = headers;
    return { sid: 'sent', ...(location !== undefined && { externalId: location }) };
  }
  const said = quoted(body.toString('utf8')) || 'without a word';
  const code = String(status);
  if (status === 404 || status === 410) return { sid: 'hard_bounce', code, message: said };
  if (status === 401 || status === 403) {
    throw new Failure(
      'AUTH_FAILED',
      `The push service ${host} did not accept the VAPID keys of the sender (${status}: ${said}). People must have subscribed with this very public key.`,
      { kind: 'auth', statusCode: status },
    );
  }
  if (status === 429 || status === 408 || status >= 500) {
    const delayMs = retryAfterMs(headers['retry-after'], now);
    throw new Failure('HTTP_STATUS', `The push service ${host} put the message off (${status}: ${said}).`, {
      kind: status === 429 ? 'rate_limited' : 'temporary',
      statusCode: status,
      ...(delayMs !== undefined && { retryAfterMs: delayMs }),
    });
  }
  return { sid: 'rejected', code, message: said };
}
