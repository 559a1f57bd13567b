/** Sockets that are pinned to checked addresses, for protocols that are not HTTP. */
import { connect, type Socket } from 'node:net';
import type { AddressGuard } from './address-guard.ts';

/** A TCP connection to a checked address. Throws ADDRESS_FORBIDDEN and Node's errors. */
export function connectGuarded(
  host: string,
  port: number,
  guard: AddressGuard,
): { socket: Socket; connected: Promise<Socket> } {
  guard.check(host, port);
  const socket = connect({ host, port, lookup: guard.lookupFor(port), noDelay: true, keepAlive: true });
  const connected = new Promise<Socket>((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
    socket.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
  });
  connected.catch(() => {});
  return { socket, connected };
}

/** The same, within a time; after it the socket is destroyed and an ETIMEDOUT thrown. */
export async function connectWithin(
  host: string,
  port: number,
  guard: AddressGuard,
  timeoutMs: number,
): Promise<Socket> {
  const { socket, connected } = connectGuarded(host, port, guard);
  const timer = setTimeout(
    () => socket.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })),
    timeoutMs,
  );
  try {
    return await connected;
  } finally {
    clearTimeout(timer);
  }
}
