/** What a status of an SMS centre means (SMPP 3.4, 5.1.3): an event of the message, or a failure. */
import { Failure } from '../errors.ts';
import type { EmittedEvent } from '../pipes/contract.ts';

const TEMPORARY: ReadonlyMap<number, string> = new Map([
  [0x05, 'this account is bound too often'],
  [0x08, 'it has a fault'],
  [0x14, 'its queue is full'],
  [0x58, 'it was sent too much in a short time'],
  [0x64, 'it cannot take it just now'],
]);
const CREDENTIALS: ReadonlySet<number> = new Set([0x0d, 0x0e, 0x0f]);
const NO_SUCH_NUMBER: ReadonlySet<number> = new Set([0x0b, 0x50, 0x51]);
const THROTTLED = 0x58;

/** What we answer to the SMS centre's own requests. */
export const STATUS = Object.freeze({ ok: 0, unknownCommand: 0x03, tryAgain: 0x64, notTaken: 0x66 });

/** The event of a status that is not zero. Throws GATEWAY_REFUSED for what is tried again. */
export function smppVerdict(status: number, host: string): EmittedEvent {
  const why = TEMPORARY.get(status);
  const code = shown(status);
  if (why !== undefined) {
    throw new Failure(
      'GATEWAY_REFUSED',
      `The SMS centre ${host} put the text off, because ${why} (${code}).`,
      {
        kind: status === THROTTLED ? 'rate_limited' : 'temporary',
        statusCode: status,
      },
    );
  }
  const message = `The SMS centre refused the text with status ${code}.`;
  return { sid: NO_SUCH_NUMBER.has(status) ? 'hard_bounce' : 'rejected', code, message };
}

/** Why a bind was refused. */
export function bindFailure(status: number, host: string): Failure {
  const why = TEMPORARY.get(status);
  const code = shown(status);
  if (why !== undefined) {
    return new Failure(
      'GATEWAY_REFUSED',
      `The SMS centre ${host} lets nobody in just now, because ${why} (${code}).`,
      {
        kind: 'temporary',
        statusCode: status,
      },
    );
  }
  if (!CREDENTIALS.has(status)) {
    return new Failure('GATEWAY_REFUSED', `The SMS centre ${host} refused the session with status ${code}.`, {
      kind: 'refused',
      statusCode: status,
    });
  }
  return new Failure(
    'AUTH_FAILED',
    `The SMS centre ${host} did not accept the system id and password of the sender (${code}).`,
    { kind: 'auth', statusCode: status },
  );
}

/** No answer came; `sent`: the request had left, so it may have been taken. */
export function smppSilence(host: string, what: 'closed' | 'late', sent: boolean, cause?: unknown): Failure {
  const after = sent ? '; the text was sent, so it may have been taken' : '';
  const details = { statusCode: 0, ambiguous: sent, ...(cause !== undefined && { cause }) };
  return what === 'late'
    ? new Failure('GATEWAY_TIMEOUT', `The SMS centre ${host} did not answer in time${after}.`, {
        kind: 'timeout',
        ...details,
      })
    : new Failure('GATEWAY_UNREACHABLE', `The connection to the SMS centre ${host} was closed${after}.`, {
        kind: 'network',
        ...details,
      });
}

/** As SMPP tables write it. */
function shown(status: number): string {
  return `0x${status.toString(16).padStart(8, '0').toUpperCase()}`;
}
