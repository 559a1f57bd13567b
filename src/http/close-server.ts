/** How a server of requests comes to its end while callers go on calling. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ServerType } from '@hono/node-server';

const IDLE_EVERY_MS = 50;

/**
 * Watches a server from its start. What it gives takes no new connection, answers what is under way, and resolves when
 * the last connection has gone. A caller that keeps its connection busy would hold it for ever, so each answer from then
 * on says that it is the last one of its connection, those of calls under way too: nobody sends another into its end.
 */
export function createCloseServer(server: ServerType): () => Promise<void> {
  const sockets = new Set<Socket>();
  const latest = new WeakMap<Socket, ServerResponse>();
  let closing = false;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    latest.set(socket, response);
    if (closing) response.shouldKeepAlive = false;
  });
  const closeIdle = () => {
    if ('closeIdleConnections' in server) server.closeIdleConnections();
  };
  return () => {
    closing = true;
    for (const socket of sockets) {
      const response = latest.get(socket);
      if (response !== undefined) response.shouldKeepAlive = false;
    }
    return new Promise((resolve) => {
      const timer = setInterval(closeIdle, IDLE_EVERY_MS);
      server.close(() => {
        clearInterval(timer);
        resolve();
      });
      closeIdle();
    });
  };
}
