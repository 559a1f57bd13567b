/** Sentences and classes for what goes wrong on the way to a provider. The host is named, never the whole URL: it may hold secrets. */
import { Failure } from '../errors.ts';
import type { HttpAnswer } from '../pipes/contract.ts';

const TIMEOUTS = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** What undici refuses to send because the request itself is wrong. */
const UNSENDABLE = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ENOTFOUND: 'its name could not be resolved',
  EAI_AGAIN: 'its name could not be resolved just now',
  EHOSTUNREACH: 'there is no way to this host',
  ENETUNREACH: 'there is no way to its network',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed before the answer was complete',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer was shorter or longer than announced',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of the answer are too large',
};

/** Why a connection or an answer failed, in words without addresses. */
export function reasonOf(code: string): string {
  if (Object.hasOwn(REASONS, code)) return REASONS[code] as string;
  if (code.startsWith('HPE_')) return `the answer is not valid HTTP (${code})`;
  if (/CERT|^ERR_TLS|^ERR_SSL|SIGNED|^UNABLE_TO|^EPROTO$/.test(code)) {
    return `no secure connection could be made (${code}); check its certificate and whether it speaks TLS at this port`;
  }
  return code === '' ? 'the connection failed' : `the connection failed (${code})`;
}

/** The code of an error of Node or undici, or an empty text. */
export function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}

/** What a failed exchange means. `sent`: bytes of the request were written, so the provider may have acted on it. */
export function exchangeFailure(thrown: unknown, host: string, sent: boolean): Failure {
  if (thrown instanceof Failure) return thrown;
  const code = codeOf(thrown);
  if (UNSENDABLE.has(code)) {
    const what = thrown instanceof Error ? thrown.message : code;
    return new Failure(
      'PIPE_PARAMS',
      `The request to ${host} cannot be sent: ${what}. Header names are plain words and header values are printable Latin text on one line; content-length and transfer-encoding are set by the engine.`,
    );
  }
  if (TIMEOUTS.has(code)) {
    return new Failure(
      'HTTP_TIMEOUT',
      `${host} could not be reached in time. Check that it is up and the address is right.`,
      {
        kind: 'timeout',
        statusCode: 0,
        ambiguous: sent,
        cause: thrown,
      },
    );
  }
  const after = sent ? ' after the request was sent, so it may have arrived' : '';
  return new Failure('HTTP_NETWORK', `No answer from ${host}: ${reasonOf(code)}${after}.`, {
    kind: 'network',
    statusCode: 0,
    ambiguous: sent,
    cause: thrown,
  });
}

/** The time for the whole exchange is over. */
export function exchangeTimeout(host: string, timeoutMs: number, sent: boolean): Failure {
  const what = sent
    ? `did not answer completely within ${timeoutMs / 1000} s; the request was sent, so it may have arrived`
    : `gave no connection within ${timeoutMs / 1000} s; nothing was sent`;
  return new Failure('HTTP_TIMEOUT', `${host} ${what}.`, { kind: 'timeout', statusCode: 0, ambiguous: sent });
}

/** The client closes while the exchange runs. */
export function exchangeStopped(host: string, sent: boolean): Failure {
  if (!sent)
    return new Failure('SHUTDOWN', `The request to ${host} was not sent, because the engine is stopping.`);
  return new Failure(
    'HTTP_NETWORK',
    `The engine stopped before ${host} answered; the request was sent, so it may have arrived.`,
    {
      kind: 'network',
      statusCode: 0,
      ambiguous: true,
    },
  );
}

type Head = Pick<HttpAnswer, 'status' | 'headers'>;

/** The answer, or what it unpacks to, is over the limit. */
export function answerTooLarge(host: string, maxBytes: number, { status, headers }: Head): Failure {
  return new Failure(
    'HTTP_RESPONSE_SIZE',
    `The answer of ${host} is larger than ${maxBytes} bytes. Raise max_response if such answers are right.`,
    { kind: 'response_size', statusCode: status, add: { status, headers, body: Buffer.alloc(0) } },
  );
}

/** The answer says that it is compressed, but cannot be unpacked. */
export function answerGarbled(
  host: string,
  encoding: string,
  { status, headers }: Head,
  cause: unknown,
): Failure {
  return new Failure(
    'PARSE_FAILED',
    `The answer of ${host} says that it is compressed as "${encoding}", but it cannot be unpacked.`,
    { kind: 'server', statusCode: status, add: { status, headers, body: Buffer.alloc(0) }, cause },
  );
}
