/** Reads a request body up to a limit, without taking in more than that. */
import type { IncomingMessage } from 'node:http';
import { Failure } from '../errors.ts';

/** Throws TOO_LARGE as soon as the body is longer than `mostBytes`. */
export async function readCapped(request: Request, mostBytes: number): Promise<Buffer> {
  if (request.body === null) return Buffer.alloc(0);
  const declared = request.headers.get('content-length');
  if (declared !== null) {
    if (Number(declared) > mostBytes) throw tooLarge(mostBytes);
    return Buffer.from(await request.arrayBuffer());
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    if (bytes > mostBytes) throw tooLarge(mostBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The same of Node's own request. */
export function readIncoming(incoming: IncomingMessage, mostBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      // What is too much is read on and thrown away, so that the answer can still be read.
      if (bytes > mostBytes) reject(tooLarge(mostBytes));
      else chunks.push(chunk);
    });
    incoming.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    incoming.once('error', reject);
  });
}

function tooLarge(mostBytes: number): Failure {
  return new Failure(
    'TOO_LARGE',
    `The request body may have at most ${mostBytes} bytes. Send it in smaller parts.`,
  );
}
