/** The kinds of authorization that need nothing but the request: basic, api_key, hmac, and a token as bearer. */
import { createHmac } from 'node:crypto';
import { Failure } from '../errors.ts';
import type { HttpAuth, HttpRequest } from '../pipes/contract.ts';

type Auth<T extends HttpAuth['type']> = Extract<HttpAuth, { readonly type: T }>;

/** With the credentials of RFC 7617. Throws PIPE_PARAMS. */
export function withBasic(request: HttpRequest, { username, password }: Auth<'basic'>): HttpRequest {
  if (username.includes(':')) {
    throw new Failure(
      'PIPE_PARAMS',
      'The user name of auth_type basic must not hold a colon: the standard ends the name there.',
    );
  }
  const pair = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
  return withHeader(request, 'authorization', `Basic ${pair}`);
}

/** With a token (RFC 6750). */
export function withBearer(request: HttpRequest, token: string): HttpRequest {
  return withHeader(request, 'authorization', `Bearer ${token}`);
}

/** With a key in a header or at the end of the query; the rest of the query stays as written. */
export function withApiKey(request: HttpRequest, { name, value, place }: Auth<'api_key'>): HttpRequest {
  if (place === 'header') return withHeader(request, name, value);
  const hash = request.url.indexOf('#');
  const url = hash === -1 ? request.url : request.url.slice(0, hash);
  const sign = url.includes('?') ? '&' : '?';
  return { ...request, url: `${url}${sign}${encodeURIComponent(name)}=${encodeURIComponent(value)}` };
}

const PLACES = /(\{method\}|\{path\}|\{timestamp\}|\{body\})/u;

/**
 * With a signature over the text `signed`: `{method}` in capitals, `{path}` with its query, `{timestamp}` in seconds, `{body}`
 * as the raw bytes. Throws HTTP_URL_INVALID.
 */
export function withHmac(request: HttpRequest, auth: Auth<'hmac'>, nowMs: number): HttpRequest {
  if (!URL.canParse(request.url)) {
    throw new Failure(
      'HTTP_URL_INVALID',
      'The address of the request is not a valid URL, so it cannot be signed; write it in full.',
    );
  }
  const url = new URL(request.url);
  const timestamp = String(Math.floor(nowMs / 1000));
  const hmac = createHmac(auth.algorithm, auth.secret);
  for (const part of auth.signed.split(PLACES)) {
    if (part === '{method}') hmac.update(request.method.toUpperCase());
    else if (part === '{path}') hmac.update(url.pathname + url.search);
    else if (part === '{timestamp}') hmac.update(timestamp);
    else if (part === '{body}') hmac.update(request.body ?? '');
    else hmac.update(part);
  }
  const signed = withHeader(request, auth.header, auth.prefix + hmac.digest(auth.encoding));
  return auth.timestampHeader === undefined ? signed : withHeader(signed, auth.timestampHeader, timestamp);
}

function withHeader(request: HttpRequest, name: string, value: string): HttpRequest {
  return { ...request, headers: { ...request.headers, [name.toLowerCase()]: value } };
}
