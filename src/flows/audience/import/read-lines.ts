/** Bytes as numbered lines, with no more in memory than one piece of the stream and one line. */
import { Failure } from '../../../errors.ts';

/** A line without its end, or why it cannot be read. */
export interface CsvLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  readonly fault?: string;
}

const NEWLINE = 10;

/** Reads UTF-8; a line over `mostBytes` is passed over and said so. Throws REQUEST_MALFORMED if the stream breaks. */
export async function* readLines(
  bytes: AsyncIterable<Uint8Array>,
  mostBytes: number,
): AsyncGenerator<CsvLine[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest: Buffer[] = [];
  let restBytes = 0;
  let number = 0;
  const take = (part: Buffer): CsvLine => {
    number += 1;
    const all = rest.length === 0 ? part : Buffer.concat([...rest, part]);
    const length = restBytes + part.length;
    rest = [];
    restBytes = 0;
    if (length > mostBytes) return { number, text: '', fault: `The line has more than ${mostBytes} bytes.` };
    try {
      const text = decoder.decode(all);
      const whole = number === 1 ? text.replace(/^\uFEFF/, '') : text;
      return { number, text: whole.endsWith('\r') ? whole.slice(0, -1) : whole };
    } catch {
      return { number, text: '', fault: 'The line is not UTF-8. Save the file as UTF-8.' };
    }
  };
  for await (const chunk of unbroken(bytes)) {
    const lines: CsvLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(take(chunk.subarray(start, end)));
      start = end + 1;
    }
    restBytes += chunk.length - start;
    // Of a line that is too long only its length is still of interest.
    if (restBytes > mostBytes) rest = [];
    else if (start < chunk.length) rest.push(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (restBytes > 0) yield [take(Buffer.alloc(0))];
}

async function* unbroken(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of bytes) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  } catch (thrown) {
    throw new Failure(
      'REQUEST_MALFORMED',
      'The upload broke off. Lines before that are in; send the file again.',
      {
        cause: thrown,
      },
    );
  }
}
