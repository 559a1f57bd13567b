/** The body of a request, by its `content_type`. */
import { Failure } from '../errors.ts';
import { fieldsOf } from './http-fields.ts';
import { buildMultipart } from './http-multipart.ts';

/** The ways to send content. */
export const CONTENT_TYPES = ['form', 'form-data', 'json', 'xml', 'urlencoded', 'text', 'raw'] as const;
export type ContentType = (typeof CONTENT_TYPES)[number];

/** Methods whose requests carry no body, whatever the content type. */
export const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

export interface RequestBody {
  readonly body: Uint8Array;
  readonly contentType: string;
}

const MEDIA_TYPES = Object.freeze({
  json: 'application/json',
  xml: 'application/xml',
  text: 'text/plain; charset=utf-8',
  raw: 'application/octet-stream',
});

/**
 * The body of a request; undefined if it has none: GET and HEAD never have one, and `form` puts its fields into
 * the query string. Throws PIPE_INPUT where `$in.body` is not what the content type needs.
 */
export function buildBody(
  contentType: ContentType,
  method: string,
  form: Readonly<Record<string, unknown>>,
  inBody: unknown,
): RequestBody | undefined {
  if (contentType === 'form' || BODILESS.has(method)) return undefined;
  if (contentType === 'form-data') return buildMultipart(form);
  if (contentType === 'urlencoded') {
    const fields = fieldsOf(form).map(([name, value]) => [name, value] as [string, string]);
    return {
      body: Buffer.from(new URLSearchParams(fields).toString()),
      contentType: 'application/x-www-form-urlencoded',
    };
  }
  if (inBody instanceof Uint8Array) return { body: inBody, contentType: MEDIA_TYPES[contentType] };
  if (typeof inBody === 'string' && (contentType === 'text' || contentType === 'raw')) {
    return { body: Buffer.from(inBody), contentType: MEDIA_TYPES[contentType] };
  }
  throw new Failure('PIPE_INPUT', bodyMissing(contentType, inBody));
}

function bodyMissing(contentType: ContentType, inBody: unknown): string {
  const found = inBody === undefined || inBody === null ? 'there is none' : 'it is something else';
  return contentType === 'json' || contentType === 'xml'
    ? `A request with content type "${contentType}" sends the bytes in $in.body, but ${found}; put a pack before this pipe.`
    : `A request with content type "${contentType}" sends the text or bytes in $in.body, but ${found}; put them there first, for example with a transform named "body".`;
}
