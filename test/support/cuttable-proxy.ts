/** A way between a process and a server that can be cut or frozen. */
import { connect, createServer, type Socket } from 'node:net';

export interface CuttableProxy {
  readonly port: number;
  /** Ends all connections at once; new ones are let through. */
  readonly cut: () => void;
  /** Nothing passes any more, and nobody is told. New connections wait as well. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  readonly end: () => Promise<void>;
}

/** Listens on a free port of 127.0.0.1 and leads to `port` of the same machine. */
export async function startProxy(port: number): Promise<CuttableProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let frozen = false;
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (chunk: Buffer) => void to.write(chunk));
      from.on('error', () => {});
      from.on('close', () => {
        pairs.delete(pair);
        to.destroy();
      });
      if (frozen) from.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const each = (act: (socket: Socket) => unknown) => {
    for (const pair of [...pairs]) for (const socket of pair) act(socket);
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut: () => each((socket) => socket.destroy()),
    freeze: () => {
      frozen = true;
      each((socket) => socket.pause());
    },
    thaw: () => {
      frozen = false;
      each((socket) => socket.resume());
    },
    end: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        each((socket) => socket.destroy());
      }),
  };
}
