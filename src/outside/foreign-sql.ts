/** Queries to databases of others (`sql_pipe`): values are bound, answers are capped, addresses are guarded. */
import { hash } from 'node:crypto';
import { Failure } from '../errors.ts';
import type { SqlRequest } from '../pipes/contract.ts';
import type { AddressGuard } from './address-guard.ts';
import { type ConnectionPool, createConnectionPool } from './connection-pool.ts';
import type { OpenSql, SqlConnection, SqlConnector, SqlRow } from './sql-connection.ts';
import { openMysql } from './sql-mysql.ts';
import { openPostgres } from './sql-postgres.ts';
import { checkPlaces, readStatement, type SqlDialect } from './sql-text.ts';

export type { SqlConnector, SqlRow } from './sql-connection.ts';

export interface ForeignSqlOptions {
  readonly guard: AddressGuard;
  /** Connections to one connector. */
  readonly maxConnections?: number;
  /** How long a connection may be unused. */
  readonly idleMs?: number;
  readonly maxRows?: number;
  /** Of one answer, as the server sends it. */
  readonly maxBytes?: number;
}

export interface ForeignSql {
  /**
   * Runs one statement with bound values and gives its rows as JSON (see `postgresRow`, `mysqlRow`); a statement without rows
   * gives none. Throws ADDRESS_FORBIDDEN, SQL_UNREACHABLE, SQL_TIMEOUT (the statement is cancelled), SQL_FAILED, PIPE_PARAMS.
   */
  readonly query: (
    connector: SqlConnector,
    request: Omit<SqlRequest, 'connector'>,
  ) => Promise<readonly SqlRow[]>;
  /** Ends all connections. Running statements are cancelled and fail with SHUTDOWN, or ambiguous where that is not confirmed. */
  readonly close: () => Promise<void>;
}

const OPEN: Readonly<Record<SqlDialect, OpenSql>> = { postgresql: openPostgres, mysql: openMysql };

/** Statements that leave a session as it was. After any other the connection is not used again. */
const LEAVES_NOTHING = new Set([
  'select',
  'insert',
  'update',
  'delete',
  'with',
  'values',
  'table',
  'merge',
  'replace',
  'call',
  'show',
  'explain',
]);

/** No connection is opened before the first query. */
export function createForeignSql(options: ForeignSqlOptions): ForeignSql {
  const { guard, maxConnections = 10, idleMs = 30_000, maxRows = 10_000, maxBytes = 8_388_608 } = options;
  const pools = new Map<string, ConnectionPool<SqlConnection>>();
  let closed = false;

  const poolFor = (connector: SqlConnector): ConnectionPool<SqlConnection> => {
    const key = hash('sha256', JSON.stringify(Object.entries(connector).sort()), 'hex');
    const found = pools.get(key);
    if (found !== undefined) return found;
    const pool = createConnectionPool<SqlConnection>({
      open: (timeoutMs) => OPEN[connector.kind](connector, guard, timeoutMs),
      busy: (timeoutMs) => noneFree(connector.host, maxConnections, timeoutMs),
      stopping: () => stopping(connector.host),
      maxConnections,
      idleMs,
      onEmpty: () => {
        if (pools.get(key) === pool) pools.delete(key);
      },
    });
    pools.set(key, pool);
    return pool;
  };

  return Object.freeze<ForeignSql>({
    query: async (connector, { text, values, connectionTimeoutMs, queryTimeoutMs }) => {
      if (text.includes('\0'))
        throw new Failure('PIPE_PARAMS', 'The query holds a NUL character, which no database takes.');
      if (closed) throw stopping(connector.host);
      const statement = readStatement(text, connector.kind);
      checkPlaces(statement, values.length, connector.kind);
      return poolFor(connector).lend(connectionTimeoutMs, LEAVES_NOTHING.has(statement.verb), (connection) =>
        connection.run({ text: statement.text, values, timeoutMs: queryTimeoutMs, maxRows, maxBytes }),
      );
    },
    close: async () => {
      closed = true;
      const closing = [...pools.values()].map((pool) => pool.close());
      pools.clear();
      await Promise.all(closing);
    },
  });
}

/** The engine ends before a statement was sent. */
function stopping(host: string): Failure {
  return new Failure('SHUTDOWN', `The statement for ${host} was not sent, because the engine is stopping.`);
}

function noneFree(host: string, connections: number, timeoutMs: number): Failure {
  return new Failure(
    'SQL_TIMEOUT',
    `All ${connections} connections to the database at ${host} were busy for ${timeoutMs / 1000} s. Make the statements faster, or raise connection_timeout.`,
    { kind: 'timeout', ambiguous: false },
  );
}
