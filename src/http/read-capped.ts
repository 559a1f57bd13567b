/** Reads a request body up to a limit, without taking in more than that. */
import { Failure } from '../errors.ts';

/** Throws TOO_LARGE as soon as the body is longer than `mostBytes`. */
export async function readCapped(request: Request, mostBytes: number): Promise<Buffer> {
  if (request.body === null) return Buffer.alloc(0);
  const tooLarge = () =>
    new Failure(
      'TOO_LARGE',
      `The request body may have at most ${mostBytes} bytes. Send it in smaller parts.`,
    );
  const declared = request.headers.get('content-length');
  if (declared !== null) {
    if (Number(declared) > mostBytes) throw tooLarge();
    return Buffer.from(await request.arrayBuffer());
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    if (bytes > mostBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
