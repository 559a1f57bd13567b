/**
 * A load that costs little: requests over plain sockets, one at a time on each, because the load shares the machine
 * with what is measured. Answers must be 200 and carry a content-length.
 */
import { connect, type Socket } from 'node:net';

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  /** The whole request of one number, from 0 on. */
  readonly request: (index: number) => string;
  readonly requests: number;
}

/** Sends all requests; resolves when the last is answered. */
export async function sendLoad(options: LoadOptions): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: options.connections }, () =>
      drive(options, () => (next < options.requests ? next++ : -1)),
    ),
  );
}

function drive({ port, request }: LoadOptions, take: () => number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let received = '';
    const send = () => {
      const index = take();
      if (index >= 0) socket.write(request(index), 'latin1');
      else {
        socket.destroy();
        resolve();
      }
    };
    socket.once('connect', send);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(received.slice(0, headEnd + 2))?.[1] ?? 0);
      if (received.length < headEnd + 4 + length) return;
      if (!received.startsWith('HTTP/1.1 200')) reject(new Error(`the listener answered ${received}`));
      received = '';
      send();
    });
    socket.once('error', reject);
  });
}

/** The text of a POST with a JSON body. */
export function postText(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}
