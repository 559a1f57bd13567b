/** Unpacks compressed answers, never to more than the limit. */
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import type { HttpAnswer } from '../pipes/contract.ts';
import { answerGarbled, answerTooLarge, codeOf } from './http-failures.ts';

const unpackGzip = promisify(gunzip);
const unpackZlib = promisify(inflate);
const unpackRaw = promisify(inflateRaw);
const unpackBrotli = promisify(brotliDecompress);

const MOST_LAYERS = 3;

type Unpack = (packed: Buffer, limit: { maxOutputLength: number }) => Promise<Buffer>;

function unpackerFor(coding: string, packed: Buffer): Unpack | undefined {
  if (coding === 'gzip' || coding === 'x-gzip') return unpackGzip;
  if (coding === 'br') return unpackBrotli;
  // "deflate" means the zlib format, but some servers send the bare stream; a zlib header starts with method 8.
  if (coding === 'deflate') return ((packed[0] ?? 0) & 0x0f) === 8 ? unpackZlib : unpackRaw;
  return undefined;
}

/**
 * The answer with its body unpacked from gzip, deflate or br, and without the headers that described the packed form.
 * An answer in another coding stays as it is. Throws HTTP_RESPONSE_SIZE as soon as the limit is passed, PARSE_FAILED.
 */
export async function unpackAnswer(answer: HttpAnswer, host: string, maxBytes: number): Promise<HttpAnswer> {
  const written = answer.headers['content-encoding'] ?? '';
  const codings = written
    .toLowerCase()
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '' && each !== 'identity');
  if (codings.length === 0 || codings.length > MOST_LAYERS || answer.body.length === 0) return answer;
  let body = answer.body;
  for (const coding of codings.reverse()) {
    const unpack = unpackerFor(coding, body);
    if (unpack === undefined) return answer;
    try {
      // Node takes no limit of 0.
      body = await unpack(body, { maxOutputLength: Math.max(1, maxBytes) });
    } catch (thrown) {
      if (codeOf(thrown) === 'ERR_BUFFER_TOO_LARGE') throw answerTooLarge(host, maxBytes, answer);
      throw answerGarbled(host, written, answer, thrown);
    }
  }
  const { 'content-encoding': _encoding, 'content-length': _length, ...headers } = answer.headers;
  return { status: answer.status, headers, body };
}
