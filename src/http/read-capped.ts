/** Reads a request body up to a limit, without taking in more than that. */
import type { IncomingMessage } from 'node:http';
import { Failure } from '../errors.ts';

/** Throws TOO_LARGE as soon as the body is longer than `mostBytes`, and REQUEST_MALFORMED if the caller hangs up. */
export async function readCapped(request: Request, mostBytes: number): Promise<Buffer> {
  if (request.body === null) return Buffer.alloc(0);
  const declared = request.headers.get('content-length');
  if (declared !== null && Number(declared) > mostBytes) throw tooLarge(mostBytes);
  try {
    if (declared !== null) return Buffer.from(await request.arrayBuffer());
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of request.body) {
      bytes += chunk.byteLength;
      if (bytes > mostBytes) throw tooLarge(mostBytes);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (thrown) {
    throw brokenOff(thrown);
  }
}

/** The same for Node's own request. */
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
    incoming.once('error', (thrown) => reject(brokenOff(thrown)));
  });
}

/** Nobody waits for this answer. It is the caller's doing, whatever code the socket gives it, so nothing is logged. */
function brokenOff(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const message = 'The request ended before its body was complete. Send it again.';
  return new Failure('REQUEST_MALFORMED', message, { cause: thrown });
}

function tooLarge(mostBytes: number): Failure {
  return new Failure(
    'TOO_LARGE',
    `The request body may have at most ${mostBytes} bytes. Send it in smaller parts.`,
  );
}
