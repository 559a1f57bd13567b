/** How a server of requests comes to its end while callers go on calling. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerType } from '@hono/node-server';

const IDLE_EVERY_MS = 50;

/**
 * Takes no new connection, answers what is under way, and resolves when the last connection has gone. A caller that
 * keeps its connection busy would hold it for ever: each answer from now on is the last one of its connection.
 */
export function closeServer(server: ServerType): Promise<void> {
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    response.shouldKeepAlive = false;
  });
  const closeIdle = () => {
    if ('closeIdleConnections' in server) server.closeIdleConnections();
  };
  return new Promise((resolve) => {
    const timer = setInterval(closeIdle, IDLE_EVERY_MS);
    server.close(() => {
      clearInterval(timer);
      resolve();
    });
    closeIdle();
  });
}
