/** Where a server of requests listens, and why it cannot. */
import { serve } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Config } from '../config.ts';
import { Failure } from '../errors.ts';
import { createCloseServer } from './close-server.ts';

type Address = Pick<Config, 'host' | 'port'>;

const REFUSALS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there already. Stop it, or choose another SLUICEWAY_PORT',
  EADDRNOTAVAIL: 'this machine has no such address. Correct SLUICEWAY_HOST',
  ENOTFOUND: 'nobody knows this host. Correct SLUICEWAY_HOST',
  EACCES: 'this user may not listen there. Choose a SLUICEWAY_PORT of 1024 or above',
};

/** Why nothing can listen where the settings say, in words for anyone who made them. */
function asRefused(thrown: NodeJS.ErrnoException, { host, port }: Address): Error {
  const reason = REFUSALS[thrown.code ?? ''];
  if (reason === undefined) return thrown;
  return new Failure('SETTINGS_INVALID', `${host}:${port}: ${reason}.`, { cause: thrown });
}

export interface Listening {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Listens for requests; resolves with the address. Throws SETTINGS_INVALID if nobody can listen there. */
export function listen(app: Hono, address: Address): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: address.host, port: address.port }, (info) => {
      const host = address.host.includes(':') ? `[${address.host}]` : address.host;
      resolve({ close, url: `http://${host}:${info.port}` });
    });
    const close = createCloseServer(server);
    server.once('error', (thrown: NodeJS.ErrnoException) => reject(asRefused(thrown, address)));
  });
}
