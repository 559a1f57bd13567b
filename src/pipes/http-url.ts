/** The address of a request: what it may be, and its query string. */
import { Failure } from '../errors.ts';
import { parseString } from '../expression/template.ts';
import { createMemo } from '../memo.ts';
import type { Field } from './http-fields.ts';

/** Keywords whose values admins and operators set, so that a host may be put together from them. */
const TRUSTED: ReadonlySet<string | undefined> = new Set(['sender', 'account', 'resource', 'channel']);
/** Keywords that may give a whole address: `$in`, too, where a provider said where to go on. */
const GIVES_WHOLE: ReadonlySet<string | undefined> = new Set([...TRUSTED, 'in']);

/**
 * The address with `fields` added to its query string and without a fragment.
 * Throws HTTP_URL_INVALID; the message never quotes the address, whose query may hold secrets.
 */
export function requestUrl(text: string, fields: readonly Field[]): string {
  return fields.length > 0 ? urlWith(text, fields) : plainUrl(text);
}

const plainUrl = createMemo((text) => urlWith(text, []));

function urlWith(text: string, fields: readonly Field[]): string {
  const url = absoluteUrl(text, 'url');
  const added = fields.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  if (added !== '') url.search = url.search.length > 1 ? `${url.search}&${added}` : added;
  url.hash = '';
  return url.href;
}

/** An http or https address without credentials in it. Throws HTTP_URL_INVALID naming the param. */
export function absoluteUrl(text: string, param: string): URL {
  const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) {
    throw new Failure(
      'HTTP_URL_INVALID',
      `The address in "${param}" is not complete; it must begin with https:// or http:// and a host.`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new Failure(
      'HTTP_URL_INVALID',
      `The address in "${param}" has a user name or password before its host; give them as "auth_username" and "auth_password" instead.`,
    );
  }
  return url;
}

/** What is wrong with the scheme and host of an address as written: nothing from outside may be pasted into them. */
export function hostProblem(written: unknown): string | undefined {
  if (typeof written !== 'string') return undefined;
  const parsed = parseString(written);
  if ('problem' in parsed) return undefined;
  const [first, second] = parsed.parts;
  if (first === undefined) return 'The address is empty.';
  if (typeof first === 'string' && !/^https?:\/\//i.test(first)) {
    return 'The address must begin with https:// or http://, or with a template that gives the whole address up to its path.';
  }
  if (
    typeof first !== 'string' &&
    GIVES_WHOLE.has(first.keyword) &&
    (second === undefined || (typeof second === 'string' && /^[/?#]/.test(second)))
  ) {
    return undefined;
  }
  const texts = parsed.parts.map((part) =>
    typeof part === 'string' ? part.replace(/^https?:\/\//i, '') : undefined,
  );
  const end = texts.findIndex((text) => text !== undefined && /[/?#\\]/.test(text));
  const host = parsed.parts.slice(0, end < 0 ? undefined : end);
  const foreign = host.find((part) => typeof part !== 'string' && !TRUSTED.has(part.keyword));
  return foreign === undefined || typeof foreign === 'string'
    ? undefined
    : `${foreign.text} is pasted into the host of the address, so anyone who sets it chooses where the request goes; take the host from a constant or from $sender, $account or $resource.`;
}

/** Percent-encoded as UTF-8, a space as %20, which every server reads alike. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
