/** A provider's request, from what the HTTP server knows of it. */
import { setOwn } from '../../json.ts';
import type { RequestIn } from './request-in.ts';

export interface RawRequest {
  readonly method: string;
  /** The path below the listener's address. */
  readonly path: string;
  /** The query as it was sent, with or without its `?`. */
  readonly query: string;
  /** Names and values in the order they came. */
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: Uint8Array;
  /** The public address as the provider called it, with its query, neither decoded nor normalised. */
  readonly url?: string;
}

/** Keeps a request as the listener needs it. Shares the bytes of the body; never throws. */
export function readRequest(raw: RawRequest): RequestIn {
  const { body, url } = raw;
  return {
    method: raw.method.toUpperCase(),
    path: raw.path,
    form: readForm(raw.query),
    headers: readHeaders(raw.headers),
    body: Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    ...(url === undefined ? {} : { url }),
  };
}

/** The fields of a query or an urlencoded body; repeated names give arrays. */
export function readForm(text: string): Record<string, string | readonly string[]> {
  const lists = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    const list = lists.get(name);
    if (list === undefined) lists.set(name, [value]);
    else list.push(value);
  }
  const form: Record<string, string | readonly string[]> = {};
  for (const [name, list] of lists) setOwn(form, name, list.length === 1 ? list[0] : list);
  return form;
}

/** Repeated headers are one list (RFC 9110, section 5.3); cookies join by `; `. */
function readHeaders(pairs: Iterable<readonly [string, string]>): Record<string, string> {
  const lists = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    const list = lists.get(key);
    if (list === undefined) lists.set(key, [value]);
    else list.push(value);
  }
  const headers: Record<string, string> = {};
  for (const [name, list] of lists) setOwn(headers, name, list.join(name === 'cookie' ? '; ' : ', '));
  return headers;
}
