/** The request of a listener test, as a provider would have sent it. */
import { readRequest } from '../flows/listener/read-request.ts';
import type { RequestIn } from '../flows/listener/request-in.ts';
import type { GivenRequest } from './golden-test.ts';

/** Where the listener of a test is reached. */
const PUBLIC_URL = 'https://sluiceway.test';

/** Builds the request; `address` is its path, for signatures that cover the address. */
export function requestOf(given: GivenRequest, address: string): RequestIn {
  const { method = 'POST', path = '', headers = {}, query = {} } = given;
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) =>
      (typeof value === 'string' ? [value] : value).map((each): [string, string] => [name, each]),
    ),
  ).toString();
  const { type, body } = bodyOf(given);
  const named = Object.entries(headers);
  const hasType = named.some(([name]) => name.toLowerCase() === 'content-type');
  return readRequest({
    method,
    path,
    query: search,
    headers: type === undefined || hasType ? named : [['content-type', type], ...named],
    body: Buffer.from(body),
    url: given.url ?? `${PUBLIC_URL}${address}${path}${search === '' ? '' : `?${search}`}`,
  });
}

function bodyOf({ json, form, text }: GivenRequest): { type: string | undefined; body: string } {
  if (json !== undefined) return { type: 'application/json', body: JSON.stringify(json) };
  if (form !== undefined) {
    return { type: 'application/x-www-form-urlencoded', body: new URLSearchParams(form).toString() };
  }
  return { type: undefined, body: text ?? '' };
}
