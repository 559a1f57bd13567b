/**
 * A provider that answers at once, in a process of its own. Prints its port; `GET /count` tells what it took and how
 * long what says when it was asked for was on its way; `GET /forget` begins the latter again.
 * With PROVIDER_KEYS it also counts the idempotency keys that differ, which takes memory for each.
 * It reads requests from the socket itself: on a machine that it shares with what is measured, node's HTTP server
 * would take as much of the processor as a quarter of the engine.
 */
import { createServer, type Socket } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
/** When a message was asked for, in milliseconds, between two marks in its text. */
const ASKED_AT = /~(\d{13})~/;
const KEY = /\r\nidempotency-key: *(\S+)/i;
const keys = process.env.PROVIDER_KEYS === undefined ? undefined : new Set<string>();
let taken = 0;
let waysMs: number[] = [];

function counts(): string {
  const ordered = waysMs.sort((a, b) => a - b);
  const at = (share: number) => ordered[Math.floor(ordered.length * share)] ?? 0;
  return JSON.stringify({ taken, keys: keys?.size, p50: at(0.5), p99: at(0.99) });
}

function answer(socket: Socket, status: string, body: string): void {
  socket.write(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    'latin1',
  );
}

const server = createServer({ noDelay: true }, (socket) => {
  let rest: Buffer | undefined;
  socket.on('data', (chunk) => {
    const received = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    let bytes = rest === undefined ? received : Buffer.concat([rest, received]);
    rest = undefined;
    while (bytes.length > 0) {
      const headEnd = bytes.indexOf(HEAD_END);
      if (headEnd < 0) break;
      const head = bytes.toString('latin1', 0, headEnd);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      const end = headEnd + HEAD_END.length + length;
      if (bytes.length < end) break;
      const body = bytes.toString('latin1', headEnd + HEAD_END.length, end);
      bytes = bytes.subarray(end);
      if (head.startsWith('GET /forget')) waysMs = [];
      if (head.startsWith('GET')) answer(socket, '200 OK', counts());
      else {
        taken += 1;
        keys?.add(KEY.exec(head)?.[1] ?? '');
        const askedAt = ASKED_AT.exec(body)?.[1];
        if (askedAt !== undefined) waysMs.push(Date.now() - Number(askedAt));
        answer(socket, '202 Accepted', `{"id":"p-${taken}","status":"accepted"}`);
      }
    }
    if (bytes.length > 0) rest = bytes;
  });
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : ''}\n`);
});
process.once('disconnect', () => process.exit(0));
