/** Connections to foreign MySQL and MariaDB servers, through mysql2. */
import type { Socket } from 'node:net';
import mysql, { type Connection, type ConnectionOptions, type SslOptions } from 'mysql2';
import type { AddressGuard } from './address-guard.ts';
import { codeOf } from './http-failures.ts';
import { type MysqlColumn, mysqlParameter, mysqlRow } from './mysql-values.ts';
import type { OpenSql, SqlConnection, SqlConnector, SqlRow, SqlStatement } from './sql-connection.ts';
import { sqlFailure } from './sql-failures.ts';
import { CANCEL_GRACE_MS, createRunner } from './sql-run.ts';
import { openWithin } from './sql-socket.ts';

const PREPARED_STATEMENTS = 100;

interface Raw {
  readonly connection: Connection;
  readonly socket: Socket;
  /** Called when the connection breaks. */
  readonly onBroken: (listener: (thrown: unknown) => void) => void;
}

/** Opens a connection; the session is in UTC, so that timestamps mean the same everywhere. */
export const openMysql: OpenSql = async (connector, guard, timeoutMs) => {
  const raw = await connectRaw(connector, guard, timeoutMs, "SET time_zone = '+00:00'");
  return connectionOf(raw, connector, guard);
};

function connectRaw(
  connector: SqlConnector,
  guard: AddressGuard,
  timeoutMs: number,
  first: string,
): Promise<Raw> {
  return openWithin(connector, guard, timeoutMs, (socket) => {
    const connection = mysql.createConnection(optionsOf(connector, socket));
    let listener: (thrown: unknown) => void = () => {};
    // Without a listener a broken connection would end the process.
    connection.on('error', (thrown: unknown) => listener(thrown));
    const onBroken = (next: (thrown: unknown) => void): void => {
      listener = next;
    };
    return new Promise<Raw>((resolve, reject) => {
      const fail = (thrown: unknown): void => reject(sqlFailure(thrown, connector, false));
      onBroken(fail);
      connection.query(first, (thrown) =>
        thrown === null ? resolve({ connection, socket, onBroken }) : fail(thrown),
      );
    });
  });
}

function optionsOf(connector: SqlConnector, socket: Socket): ConnectionOptions {
  return {
    host: connector.host,
    port: connector.port,
    database: connector.database,
    user: connector.user,
    password: connector.password,
    stream: () => socket,
    connectTimeout: 0,
    multipleStatements: false,
    flags: ['-LOCAL_FILES'],
    charset: 'utf8mb4',
    rowsAsArray: true,
    dateStrings: true,
    supportBigNumbers: true,
    // Row parsers would otherwise be program text made from the names of columns.
    disableEval: true,
    maxPreparedStatements: PREPARED_STATEMENTS,
    ...(connector.tls !== 'off' && { ssl: tlsOf(connector) }),
  };
}

function tlsOf({ tls, trustedCertificates }: SqlConnector): SslOptions {
  const verify = tls === 'verify';
  return {
    rejectUnauthorized: verify,
    verifyIdentity: verify,
    ...(trustedCertificates !== undefined && { ca: [...trustedCertificates] }),
  };
}

function connectionOf(raw: Raw, connector: SqlConnector, guard: AddressGuard): SqlConnection {
  const { connection, socket } = raw;
  raw.onBroken(() => socket.destroy());
  const runner = createRunner({
    connector,
    socket,
    start: (statement, accept) => start(raw, statement, accept),
    cancel: () => kill(connection.threadId, connector, guard),
    isCancelled: (thrown) => codeOf(thrown) === 'ER_QUERY_INTERRUPTED',
  });
  return Object.freeze<SqlConnection>({
    run: runner.run,
    alive: () => !socket.destroyed && socket.writable,
    close: async () => {
      await runner.stop();
      sayGoodbye(raw);
    },
  });
}

function sayGoodbye({ connection, socket }: Raw): void {
  if (socket.writable) connection.end();
  socket.destroySoon();
}

/** Only the first set of rows counts; a procedure may give more. */
function start(raw: Raw, statement: SqlStatement, accept: (row: SqlRow) => void): Promise<void> {
  const { connection, socket } = raw;
  return new Promise((resolve, reject) => {
    let columns: readonly MysqlColumn[] = [];
    let failure: unknown;
    const end = (thrown?: unknown): void => {
      raw.onBroken(() => socket.destroy());
      if (thrown === undefined) resolve();
      else reject(thrown);
    };
    raw.onBroken(end);
    const values = statement.values.map(mysqlParameter);
    const query = connection.execute(statement.text, values as never);
    query.on('error', (thrown: unknown) => {
      failure ??= thrown;
    });
    query.on('fields', (fields: readonly MysqlColumn[] | undefined, set = 0) => {
      if (set === 0) columns = fields ?? [];
    });
    query.on('result', (row: unknown, set = 0) => {
      if (set === 0 && Array.isArray(row)) accept(mysqlRow(columns, row));
    });
    query.on('end', () => end(failure));
  });
}

/** Stops the statement of another connection. The id comes from the server's greeting. */
async function kill(threadId: number, connector: SqlConnector, guard: AddressGuard): Promise<void> {
  const { connection, socket } = await connectRaw(
    connector,
    guard,
    CANCEL_GRACE_MS,
    `KILL QUERY ${Number(threadId)}`,
  );
  connection.destroy();
  socket.destroySoon();
}
