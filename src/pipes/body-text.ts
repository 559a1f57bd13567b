/** `$in.body` as text. */
import { TextDecoder } from 'node:util';
import { Failure } from '../errors.ts';

const XML_ENCODING = /^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]*)["']/;

/**
 * The text of a body that is text or bytes, without a byte order mark. Bytes are UTF-8, where what is not becomes
 * U+FFFD; an XML body may declare another encoding. Throws PIPE_INPUT, or PARSE_FAILED for an unknown encoding.
 */
export function bodyText(body: unknown, xml: boolean): string {
  if (typeof body === 'string') return body.startsWith('\uFEFF') ? body.slice(1) : body;
  if (body instanceof Uint8Array) return decoderOf(body, xml).decode(body);
  throw new Failure(
    'PIPE_INPUT',
    body === undefined || body === null
      ? 'There is no $in.body to unpack; a request to the listener or an http_request before this pipe puts it there.'
      : '$in.body is neither text nor bytes, so it cannot be unpacked; if it is already a value, this unpack is not needed.',
  );
}

function decoderOf(body: Uint8Array, xml: boolean): TextDecoder {
  const declared = xml
    ? XML_ENCODING.exec(Buffer.from(body.subarray(0, 200)).toString('latin1'))?.[1]
    : undefined;
  if (declared === undefined) return new TextDecoder();
  try {
    return new TextDecoder(declared);
  } catch {
    throw new Failure('PARSE_FAILED', 'The XML of the body declares an encoding that is not known here.');
  }
}
