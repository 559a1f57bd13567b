/** multipart/form-data bodies (RFC 7578). */
import { createHash } from 'node:crypto';
import { Failure } from '../errors.ts';
import { toText } from '../expression/text.ts';
import { isObject, own } from '../json.ts';
import { eachValue } from './http-fields.ts';
import { headerValue } from './http-headers.ts';

interface Part {
  readonly head: string;
  readonly content: Buffer;
}

/**
 * Builds a multipart body. A text is a plain part; bytes, or `{ name, content, type }` with text or bytes, are a file;
 * an array repeats the name; null is left out. The boundary is a hash of the content: the same form gives the same
 * body, and no content can hold its own boundary.
 */
export function buildMultipart(form: Readonly<Record<string, unknown>>): {
  body: Buffer;
  contentType: string;
} {
  const parts = eachValue(form).map(([name, value]) => partOf(name, value));
  const hash = createHash('sha256');
  for (const { head, content } of parts)
    hash.update(`${head.length} ${content.length} ${head}`).update(content);
  const boundary = `sluiceway-${hash.digest('hex').slice(0, 32)}`;
  const chunks = parts.flatMap(({ head, content }) => [
    Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`),
    content,
    Buffer.from('\r\n'),
  ]);
  return {
    body: Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]),
    contentType: `multipart/form-data; boundary=${boundary}`,
  };
}

function partOf(name: string, value: unknown): Part {
  const named = `Content-Disposition: form-data; name="${escapeName(name)}"`;
  if (value instanceof Uint8Array) return filePart(named, { name, content: value });
  const content = own(value, 'content');
  if (isObject(value) && content !== undefined)
    return filePart(named, { ...value, name: own(value, 'name') ?? name });
  return { head: named, content: Buffer.from(toText(value)) };
}

function filePart(named: string, file: Readonly<Record<string, unknown>>): Part {
  const { content } = file;
  if (typeof content !== 'string' && !(content instanceof Uint8Array)) {
    throw new Failure(
      'PIPE_PARAMS',
      'The "content" of a file in a form must be text or bytes; for a file at an address, fetch it with an http_request first and give "$#in.body".',
    );
  }
  const usual = typeof content === 'string' ? 'text/plain; charset=utf-8' : 'application/octet-stream';
  const type = headerValue('content-type', toText(file.type ?? usual));
  return {
    head: `${named}; filename="${escapeName(toText(file.name))}"\r\nContent-Type: ${type}`,
    content: Buffer.from(content),
  };
}

/** A name inside quotes, escaped as browsers do (WHATWG, multipart/form-data encoding). */
function escapeName(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
