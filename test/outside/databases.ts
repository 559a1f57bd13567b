/** The database servers that tests of foreign SQL use, where they are, and tunnels to them. */
import { connect, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { SqlConnector } from '../../src/outside/foreign-sql.ts';
import { TEST_CERTIFICATE, TEST_KEY } from './certificate.ts';
import { type Provider, startTcp } from './provider.ts';

function connectorOf(kind: SqlConnector['kind'], text: string): SqlConnector {
  const url = new URL(text);
  return {
    kind,
    host: url.hostname,
    port: Number(url.port),
    database: url.pathname.slice(1),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    tls: 'off',
  };
}

export const POSTGRES = connectorOf(
  'postgresql',
  process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test',
);
export const MYSQL = connectorOf('mysql', process.env.TEST_MARIADB_URL ?? 'mysql://root@127.0.0.1:3306/test');

/** True where tests that need this server must be skipped: it is not there, and this is not CI, where it has to be. */
export async function isMissing({ host, port }: SqlConnector): Promise<boolean> {
  if (process.env.CI !== undefined && process.env.CI !== '') return false;
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => resolve(true));
  });
}

export interface Tunnel extends Provider {
  /** The same connector, but through the tunnel. */
  readonly connector: SqlConnector;
  /** Breaks all connections that run through it. */
  readonly cut: () => void;
}

function join(outer: Socket, { host, port }: SqlConnector): void {
  const inner = connect({ host, port });
  inner.pipe(outer).pipe(inner);
  inner.on('error', () => outer.destroy());
  outer.on('error', () => inner.destroy());
  outer.on('close', () => inner.destroy());
}

async function startWith(connector: SqlConnector, onConnection: (outer: Socket) => void): Promise<Tunnel> {
  const open = new Set<Socket>();
  const provider = await startTcp((outer) => {
    open.add(outer);
    outer.on('close', () => open.delete(outer));
    onConnection(outer);
  });
  return {
    ...provider,
    connector: { ...connector, host: '127.0.0.1', port: provider.port },
    cut: () => {
      for (const socket of open) socket.destroy();
    },
  };
}

export const startTunnel = (connector: SqlConnector): Promise<Tunnel> =>
  startWith(connector, (outer) => join(outer, connector));

/** As a PostgreSQL server with TLS: answers the request for it, then passes on what comes out. Cancel requests pass as they are. */
export const startTlsTunnel = (connector: SqlConnector): Promise<Tunnel> =>
  startWith(connector, (outer) => {
    outer.once('data', (first) => {
      if (first.length !== 8) {
        join(outer, connector);
        outer.unshift(first);
        return;
      }
      outer.write('S');
      join(new TLSSocket(outer, { isServer: true, cert: TEST_CERTIFICATE, key: TEST_KEY }), connector);
    });
  });
