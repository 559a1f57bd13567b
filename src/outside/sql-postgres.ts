/** Connections to foreign PostgreSQL servers, through postgres.js. */
import type { Socket } from 'node:net';
import postgres from 'postgres';
import type { AddressGuard } from './address-guard.ts';
import { connectGuarded } from './guarded-socket.ts';
import { codeOf } from './http-failures.ts';
import {
  type Column,
  postgresParameter,
  postgresRow,
  serializeBytea,
  serializeText,
} from './postgres-values.ts';
import type { OpenSql, SqlConnection, SqlConnector } from './sql-connection.ts';
import { notAnAnswer, sqlFailure } from './sql-failures.ts';
import { CANCEL_GRACE_MS, createRunner } from './sql-run.ts';
import { openWithin } from './sql-socket.ts';

const QUERY_CANCELED = '57014';
const CANCEL_REQUEST = 80877102;
const BYTEA = 17;
/** The types for which postgres.js has ideas of its own. */
const OPINIONATED = [16, 20, 21, 23, 25, 26, 114, 700, 701, 1082, 1114, 1184, 3802];

interface Backend {
  readonly pid: number;
  readonly secret: number;
}

/** Opens a connection; the session is in UTC and ISO dates. */
export const openPostgres: OpenSql = (connector, guard, timeoutMs) =>
  openWithin(connector, guard, timeoutMs, async (socket) => {
    const state = { open: true };
    const client = createClient(connector, socket, () => {
      state.open = false;
    });
    try {
      const started = await client.unsafe('select 1', [], extended());
      return connectionOf(client, started.state, socket, connector, guard, state);
    } catch (thrown) {
      throw sqlFailure(thrown, connector, false);
    }
  });

/** With `simple` the driver would send the text as a script, in which several statements may stand. */
function extended(): { prepare: false } {
  const options = { prepare: false, simple: false } as const;
  return options;
}

function createClient(connector: SqlConnector, socket: Socket, onclose: () => void): postgres.Sql {
  let handed = false;
  const options = {
    host: connector.host,
    port: connector.port,
    database: connector.database,
    username: connector.user,
    // A function, because an empty password would be replaced by PGPASSWORD of this process.
    password: () => connector.password,
    ssl: tlsOf(connector),
    // The driver would connect again by itself, for ever and to wherever; here a connection lives once.
    socket: () => {
      if (handed) throw Object.assign(new Error('closed'), { code: 'CONNECTION_CLOSED' });
      handed = true;
      return Object.assign(socket, { host: connector.host });
    },
    max: 1,
    idle_timeout: 0,
    connect_timeout: 0,
    max_lifetime: 0,
    fetch_types: false,
    onnotice: () => {},
    onclose,
    connection: { application_name: 'sluiceway', TimeZone: 'UTC', DateStyle: 'ISO' },
    types: {
      verbatim: {
        to: 25,
        from: OPINIONATED,
        serialize: serializeText,
        parse: (text: unknown) => text,
      },
      bytes: { to: BYTEA, from: [BYTEA], serialize: serializeBytea, parse: (text: unknown) => text },
    },
  };
  return postgres(options) as unknown as postgres.Sql;
}

function tlsOf(connector: SqlConnector): false | Record<string, unknown> {
  if (connector.tls === 'off') return false;
  return {
    // Without it the certificate of an address is compared with "localhost".
    host: connector.host,
    rejectUnauthorized: connector.tls === 'verify',
    ...(connector.trustedCertificates !== undefined && { ca: connector.trustedCertificates }),
  };
}

function connectionOf(
  client: postgres.Sql,
  backend: Backend,
  socket: Socket,
  connector: SqlConnector,
  guard: AddressGuard,
  state: { readonly open: boolean },
): SqlConnection {
  const runner = createRunner({
    connector,
    socket,
    start: async (statement, accept) => {
      const values = statement.values.map((value) => client.typed(postgresParameter(value) as never, 0));
      const query = client.unsafe(statement.text, values as never, extended()).raw();
      const result = await query.forEach((row, { columns }) => {
        accept(postgresRow(columns as readonly Column[], row as unknown as readonly (Buffer | null)[]));
      });
      if (!Array.isArray(result)) {
        socket.destroy();
        throw notAnAnswer(connector);
      }
    },
    cancel: () => requestCancel(backend, connector, guard),
    isCancelled: (thrown) => codeOf(thrown) === QUERY_CANCELED,
  });
  return Object.freeze<SqlConnection>({
    run: runner.run,
    alive: () => state.open && !socket.destroyed,
    close: async () => {
      await runner.stop();
      // Not `client.end`: it writes once more, and under TLS to a socket that may be gone, which would end the process.
      socket.destroySoon();
    },
  });
}

/** The protocol's own request, on a connection of its own. The driver's way of it can end the process when refused. */
async function requestCancel(
  { pid, secret }: Backend,
  connector: SqlConnector,
  guard: AddressGuard,
): Promise<void> {
  const { socket, connected } = connectGuarded(connector.host, connector.port, guard);
  socket.on('error', () => {});
  socket.setTimeout(CANCEL_GRACE_MS, () => socket.destroy());
  await connected;
  const request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(CANCEL_REQUEST, 4);
  request.writeUInt32BE(pid, 8);
  request.writeUInt32BE(secret, 12);
  socket.end(request);
}
