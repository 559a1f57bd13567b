/** Connections to foreign databases on guarded sockets. */
import type { Socket } from 'node:net';
import { Failure } from '../errors.ts';
import type { AddressGuard } from './address-guard.ts';
import { connectGuarded } from './guarded-socket.ts';
import type { SqlConnector } from './sql-connection.ts';
import { sqlFailure } from './sql-failures.ts';

/**
 * Opens a guarded socket and lets `start` make a ready connection of it, both within `timeoutMs`. The socket is destroyed
 * where that fails. Throws ADDRESS_FORBIDDEN, SQL_TIMEOUT, SQL_UNREACHABLE, SQL_FAILED.
 */
export async function openWithin<T>(
  connector: SqlConnector,
  guard: AddressGuard,
  timeoutMs: number,
  start: (socket: Socket) => Promise<T>,
): Promise<T> {
  const { socket, connected } = connectGuarded(connector.host, connector.port, guard);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(connectTimeout(connector, timeoutMs)), timeoutMs);
  });
  const ready = connected.then(start);
  ready.catch(() => {});
  // A driver that has not looked at the socket yet does not learn that it closed. One that has may know more: it goes first.
  const closed = new Promise<never>((_, reject) => {
    socket.once('close', () =>
      setImmediate(reject, Object.assign(new Error('closed'), { code: 'ECONNRESET' })),
    );
  });
  closed.catch(() => {});
  try {
    return await Promise.race([ready, late, closed]);
  } catch (thrown) {
    socket.on('error', () => {});
    socket.destroy();
    throw sqlFailure(thrown, connector, false);
  } finally {
    clearTimeout(timer);
  }
}

function connectTimeout({ host }: SqlConnector, timeoutMs: number): Failure {
  return new Failure(
    'SQL_TIMEOUT',
    `The database at ${host} gave no connection within ${timeoutMs / 1000} s. Check that it is up, or raise connection_timeout.`,
    { kind: 'timeout', ambiguous: false },
  );
}
