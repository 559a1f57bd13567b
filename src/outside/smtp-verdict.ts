/**
 * What a failed SMTP exchange means: an event of the message, or a failure that the retry rule decides about.
 *
 * | the server said                                            | outcome                                   |
 * |------------------------------------------------------------|-------------------------------------------|
 * | 4xx, or 503 (the session was confused)                     | tried again                               |
 * | 5xx about the recipient (RCPT TO, or 5.1.x, 5.2.1)         | hard bounce                               |
 * | 5xx: the mailbox is full (5.2.2, 552 at RCPT TO)           | soft bounce                               |
 * | 5xx: policy, content, size (5.7.x, after DATA)             | rejected                                  |
 * | 5xx to the sender's address (MAIL FROM)                    | failure: no message of it would pass      |
 * | refused credentials                                        | failure                                   |
 * | nothing, and the whole message had been written            | not known: it may have arrived            |
 * | nothing, before that                                       | tried again: the server acts on whole messages only |
 */
import { Failure } from '../errors.ts';
import type { EmittedEvent } from '../pipes/contract.ts';
import { codeOf, reasonOf } from './http-failures.ts';
import { quoted } from './module-values.ts';

/** What nodemailer tells with an error. */
interface SmtpError extends Error {
  readonly code?: string;
  readonly originalCode?: string;
  readonly response?: string;
  readonly responseCode?: number;
  readonly command?: string;
}

/** Enhanced status codes about the recipient's address (RFC 3463): no such mailbox, domain, host; moved; disabled. */
const NO_SUCH_MAILBOX = /^5\.(1\.(1|2|3|6|10)|2\.1)$/;
const MAILBOX_FULL = '5.2.2';
const RECIPIENT_COMMAND = 'RCPT TO';

/** The event of an answer that settles the message; throws for everything else. `written`: all of the message had left. */
export function smtpVerdict(thrown: unknown, host: string, written: boolean): EmittedEvent {
  if (thrown instanceof Failure || !(thrown instanceof Error)) throw thrown;
  const error: SmtpError = thrown;
  const { response = '', command } = error;
  const said = quoted(response);
  const status = error.responseCode ?? 0;
  if (error.code === 'EMESSAGE' && status === 0)
    return { sid: 'rejected', code: '552', message: quoted(error.message) };
  if (error.code === 'EENVELOPE' && status === 0 && command === 'API')
    return { sid: 'hard_bounce', code: '553', message: quoted(error.message) };
  if (status === 0 && error.code !== 'EAUTH') throw unanswered(error, host, written);
  if (status !== 0 && (status < 500 || status === 503)) {
    throw new Failure('GATEWAY_REFUSED', `The mail server ${host} put the message off: ${said}.`, {
      kind: 'temporary',
      statusCode: status,
    });
  }
  if (error.code === 'EAUTH') {
    throw new Failure(
      'AUTH_FAILED',
      `The mail server ${host} did not accept the user and password of the sender: ${said || quoted(error.message)}.`,
      { kind: 'auth', statusCode: status },
    );
  }
  if (error.code !== 'EENVELOPE' && error.code !== 'EMESSAGE') {
    throw new Failure('GATEWAY_REFUSED', `The mail server ${host} refused the session: ${said}.`, {
      kind: 'refused',
      statusCode: status,
    });
  }
  if (command === 'MAIL FROM') {
    throw new Failure(
      'GATEWAY_REFUSED',
      `The mail server ${host} refused the address of the sender: ${said}. Check from_address, and whether this account may send from it.`,
      { kind: 'refused', statusCode: status },
    );
  }
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1];
  const atRecipient = command === RECIPIENT_COMMAND;
  const event = { code: enhanced ?? String(status), message: said };
  if (enhanced === MAILBOX_FULL || (enhanced === undefined && atRecipient && status === 552))
    return { sid: 'soft_bounce', ...event };
  if (enhanced !== undefined && NO_SUCH_MAILBOX.test(enhanced)) return { sid: 'hard_bounce', ...event };
  if (atRecipient && enhanced === undefined) return { sid: 'hard_bounce', ...event };
  return { sid: 'rejected', ...event };
}

function unanswered(error: SmtpError, host: string, written: boolean): Failure {
  const after = written ? ' after the whole message was sent, so it may have been taken' : '';
  const cause = error.originalCode ?? codeOf(error);
  if (error.code === 'ETIMEDOUT') {
    return new Failure('GATEWAY_TIMEOUT', `The mail server ${host} did not answer in time${after}.`, {
      kind: 'timeout',
      statusCode: 0,
      ambiguous: written,
      cause: error,
    });
  }
  const why =
    error.code === 'ETLS'
      ? 'no encrypted connection could be made; check port, encryption and its certificate'
      : error.code === 'ECONNECTION'
        ? 'the connection was closed'
        : reasonOf(cause === 'ESOCKET' ? '' : cause);
  return new Failure('GATEWAY_UNREACHABLE', `No answer from the mail server ${host}: ${why}${after}.`, {
    kind: 'network',
    statusCode: 0,
    ambiguous: written,
    cause: error,
  });
}
