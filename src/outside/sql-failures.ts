/** Sentences and classes for what foreign databases answer. They show the database's own message, never the password. */
import { Failure } from '../errors.ts';
import { codeOf, reasonOf } from './http-failures.ts';
import type { SqlConnector, SqlStatement } from './sql-connection.ts';

/** SQLSTATE classes 08 (connection) and 57P (shutdown), too many connections; and MySQL's names for the same. */
const UNREACHABLE =
  /^(?:08...|57P0[1-5]|53300|ER_CON_COUNT_ERROR|ER_SERVER_SHUTDOWN|ER_TOO_MANY_USER_CONNECTIONS|ER_USER_LIMIT_REACHED)$/u;
/** With a digit somewhere, as against names of sockets such as EPIPE. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/u;

/** Errors of drivers and sockets, as against answers of the server. `sent`: the statement was on its way. */
export function sqlFailure(thrown: unknown, connector: SqlConnector, sent: boolean): Failure {
  if (thrown instanceof Failure) return thrown;
  const code = codeOf(thrown);
  const answered = SQLSTATE.test(code) || code.startsWith('ER_');
  if (answered && !UNREACHABLE.test(code)) return refused(thrown, code, connector);
  const message = answered && thrown instanceof Error ? tidy(thrown.message, connector) : lostReason(code);
  const before = connector.tls !== 'off' && code === 'ECONNRESET' ? '; does the server offer TLS?' : '';
  const after = sent ? ' after the statement was sent, so it may have been carried out' : before;
  return new Failure(
    'SQL_UNREACHABLE',
    `The database at ${connector.host} could not be used: ${message}${answered ? '' : after}.`,
    // No cause: drivers hang the bound values on their errors.
    { kind: 'network', ambiguous: sent && !answered },
  );
}

function refused(thrown: unknown, code: string, connector: SqlConnector): Failure {
  const message = thrown instanceof Error ? tidy(thrown.message, connector) : code;
  return new Failure('SQL_FAILED', `The database at ${connector.host} refused: ${message} (${code}).`, {
    extra: { sql_code: code },
  });
}

/** The statement took too long. `stopped`: the server confirmed that it ended without effect. */
export function statementTimeout(
  { host }: SqlConnector,
  { timeoutMs }: SqlStatement,
  stopped: boolean,
): Failure {
  const outcome = stopped ? 'it was cancelled' : 'whether it was carried out is not known';
  return new Failure(
    'SQL_TIMEOUT',
    `The database at ${host} did not finish the statement within ${timeoutMs / 1000} s; ${outcome}. Make it faster, or raise query_timeout.`,
    { kind: 'timeout', ambiguous: !stopped },
  );
}

/** The engine ends, and the server confirmed that it stopped the statement. */
export function statementStopped({ host }: SqlConnector): Failure {
  return new Failure('SHUTDOWN', `The statement at ${host} was cancelled, because the engine is stopping.`);
}

/** The engine ends before the statement did, and the server did not say what became of it. */
export function statementLost({ host }: SqlConnector): Failure {
  return new Failure(
    'SQL_UNREACHABLE',
    `The engine stopped before the database at ${host} had finished the statement, so it may have been carried out.`,
    { kind: 'network', ambiguous: true },
  );
}

export function tooManyRows({ host }: SqlConnector, { maxRows }: SqlStatement): Failure {
  return new Failure(
    'SQL_FAILED',
    `The database at ${host} answered with more than ${maxRows} rows. Ask for fewer, with conditions or LIMIT.`,
    { kind: 'response_size' },
  );
}

export function tooManyBytes({ host }: SqlConnector, { maxBytes }: SqlStatement): Failure {
  return new Failure(
    'SQL_FAILED',
    `The database at ${host} answered with more than ${maxBytes} bytes. Ask for fewer rows or columns.`,
    { kind: 'response_size' },
  );
}

export function notAnAnswer({ host }: SqlConnector): Failure {
  return new Failure(
    'SQL_FAILED',
    `A COPY to or from the client cannot be used with the database at ${host}; use select or insert.`,
  );
}

/** The message on one line, without the password and without a final dot. */
function tidy(message: string, { password }: SqlConnector): string {
  const line = message
    .replace(/\s+/gu, ' ')
    .replace(/[.\s]+$/u, '')
    .slice(0, 500);
  return password === '' ? line : line.replaceAll(password, '***');
}

function lostReason(code: string): string {
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return 'the server does not offer TLS';
  if (code === 'PROTOCOL_CONNECTION_LOST' || code.startsWith('CONNECTION_'))
    return 'the connection was closed';
  return reasonOf(code);
}
