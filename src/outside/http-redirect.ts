/** Where a redirect leads, and with what. */
import type { HttpAnswer, HttpRequest } from '../pipes/contract.ts';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** All that crosses to another origin: what a request says about itself, and nothing that says who sends it. */
const HARMLESS = new Set(['accept', 'accept-language', 'content-type', 'content-language', 'user-agent']);

export interface Hop {
  readonly request: HttpRequest;
  /** The redirect turned the request into a GET: what was asked for may already be done. */
  readonly performed: boolean;
}

/**
 * The request that follows a redirect (RFC 9110, 15.4), or undefined if the answer stands for itself: no redirect, no
 * usable location, or a step from https down to http. Headers that may hold credentials stay within their origin.
 */
export function followRedirect(request: HttpRequest, answer: HttpAnswer): Hop | undefined {
  const { location } = answer.headers;
  if (!REDIRECTS.has(answer.status) || location === undefined || !URL.canParse(location, request.url))
    return undefined;
  const from = new URL(request.url);
  const to = new URL(location, request.url);
  if (to.protocol !== 'https:' && (to.protocol !== 'http:' || from.protocol === 'https:')) return undefined;
  to.username = '';
  to.password = '';
  const becomesGet =
    request.method !== 'GET' &&
    request.method !== 'HEAD' &&
    (answer.status === 303 || (request.method === 'POST' && answer.status < 303));
  const kept = Object.entries(request.headers).filter(([name]) => {
    if (name === 'host') return false;
    if (becomesGet && name.startsWith('content-')) return false;
    return from.origin === to.origin || HARMLESS.has(name);
  });
  const { body, ...rest } = request;
  return {
    request: {
      ...rest,
      url: to.href,
      headers: Object.fromEntries(kept),
      ...(becomesGet ? { method: 'GET' } : body !== undefined && { body }),
    },
    performed: becomesGet,
  };
}
