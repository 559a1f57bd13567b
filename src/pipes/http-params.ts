/** The params of `http_request`, and what their declarations alone cannot say. */
import { isObject, own } from '../json.ts';
import { AUTH_PARAMS, authProblems } from './http-auth.ts';
import { BODILESS, CONTENT_TYPES } from './http-body.ts';
import { RETRY_KINDS } from './http-retry.ts';
import { DEFAULT_SUCCESS_CODES } from './http-success.ts';
import { hostProblem } from './http-url.ts';
import { any, array, boolean, integer, jsonata, map, number, object, oneOf, string } from './params.ts';
import { SECRET_HEADERS } from './secret-headers.ts';
import { isStatusEntry } from './status-set.ts';

export const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD'] as const;

const statuses = { alternatives: [{ type: 'integer', minimum: 100, maximum: 599 }] } as const;

export const HTTP_PARAMS = Object.freeze({
  url: string('The address. Its host must not be pasted together from values that come from outside.', {
    required: true,
    templates: true,
  }),
  method: oneOf('The method.', METHODS, { default: 'GET', templates: true }),
  content_type: oneOf(
    'Where the content goes. form: `form` into the query string. form-data: `form` as multipart. urlencoded: `form` as body. json, xml: the bytes in `$in.body`, as pack makes them. text, raw: text or bytes in `$in.body`. GET and HEAD send no body.',
    CONTENT_TYPES,
    { default: 'form' },
  ),
  form: map(
    'The fields. An array repeats its name, null is left out, an empty text stays, an object becomes its JSON; in form-data bytes, or `{ "name", "content", "type" }`, are a file.',
    any('The value.', { templates: true }),
    { templates: true },
  ),
  query: map('Added to the query string, by the rules of `form`.', any('The value.', { templates: true }), {
    templates: true,
  }),
  headers: map(
    'Headers. Null is left out, an empty text stays, an array is joined with commas.',
    any('The value.', { templates: true }),
    { templates: true, secretMembers: SECRET_HEADERS },
  ),
  ...AUTH_PARAMS,
  timeout: number('Seconds for the whole exchange.', { default: 10, minimum: 0.1, maximum: 300 }),
  success_codes: array(
    'The statuses that are a success: numbers, or ranges as `"2xx"` and `"200-208"`.',
    string('A status or range.', statuses),
    { default: DEFAULT_SUCCESS_CODES },
  ),
  success_when: jsonata(
    'A test that must be true as well, with `status`, `headers` (lower case) and `body` (its value where it is JSON, else its text) as variables.',
  ),
  pool_size: integer('Connections to one host.', { minimum: 1, maximum: 1024 }),
  limit: object('At most so many requests in a time, counted over all processes; an event over it waits.', {
    requests: integer('So many requests.', { required: true, minimum: 1 }),
    per: number('In so many seconds.', { required: true, minimum: 0.001 }),
    scope: oneOf('What they are counted for.', ['channel', 'sender', 'resource', 'account'], {
      default: 'channel',
    }),
    burst: integer('The most that leave at one instant. Default: a tenth of `requests`.', { minimum: 1 }),
  }),
  retry: object('When to try again; what waits is kept, also over a restart.', {
    attempts: integer('Tries in all. Default 5, or one more than `delays` has entries.', {
      minimum: 1,
      maximum: 100,
    }),
    on: array(
      'Failures to try again after: `network`, `timeout`, `rate_limited`, `server`, `client`, `rejected`, statuses, or ranges as `"5xx"`. Default: network, timeout, 408, 425, 429, 5xx.',
      string('A kind, status or range.', statuses),
    ),
    delays: array('Seconds between tries, the last one repeated.', number('Seconds.', { minimum: 0 })),
    base: number(
      'Instead of `delays`: seconds, doubled with each try, of which a random part is waited. Default 1.',
      {
        minimum: 0,
      },
    ),
    max: number('The longest such wait, in seconds. Default 600.', { minimum: 0 }),
    idempotent: boolean('The provider takes a repeated request as one.', { default: false }),
  }),
  idempotency_header: string('The header that carries the message id, by which the provider knows a repeat.'),
  max_response: integer('Bytes of the answer that are kept; a longer one is an error.', {
    default: 1_048_576,
    minimum: 0,
    maximum: 67_108_864,
  }),
  redirects: integer('How many redirects are followed.', { default: 0, minimum: 0, maximum: 10 }),
});

type ParamProblem = { readonly pointer: string; readonly message: string };

/** What is wrong with the params as written beyond their types. */
export function httpProblems(params: Readonly<Record<string, unknown>>): readonly ParamProblem[] {
  const host = hostProblem(params.url);
  return [
    ...(host === undefined ? [] : [{ pointer: '/url', message: host }]),
    ...bodyProblems(params),
    ...authProblems(params),
    ...entryProblems(
      params.success_codes,
      '/success_codes',
      isStatusEntry,
      'a status such as 204, "2xx" or "200-208"',
    ),
    ...entryProblems(
      own(params.retry, 'on'),
      '/retry/on',
      isRetryEntry,
      `a status such as 429, a range such as "5xx", or one of ${RETRY_KINDS.join(', ')}`,
    ),
    ...delayProblems(params.retry),
  ];
}

function bodyProblems(params: Readonly<Record<string, unknown>>): readonly ParamProblem[] {
  const { method = 'GET', content_type: type } = params;
  if (!Object.hasOwn(params, 'form')) return [];
  if ((type === 'form-data' || type === 'urlencoded') && BODILESS.has(String(method))) {
    return [
      {
        pointer: '/form',
        message: `A ${String(method)} request has no body, so the form would be lost; use POST, or content type "form" for the query string.`,
      },
    ];
  }
  return type === undefined || type === 'form' || type === 'form-data' || type === 'urlencoded'
    ? []
    : [
        {
          pointer: '/form',
          message: `With content type "${String(type)}" the body is $in.body and the form would be lost; move its fields to "query" or into a pack.`,
        },
      ];
}

function isRetryEntry(entry: unknown): boolean {
  return RETRY_KINDS.some((kind) => kind === entry) || (!String(entry).includes('-') && isStatusEntry(entry));
}

function entryProblems(
  entries: unknown,
  pointer: string,
  fits: (entry: unknown) => boolean,
  wanted: string,
): readonly ParamProblem[] {
  return (Array.isArray(entries) ? entries : []).flatMap((entry: unknown, index) =>
    fits(entry)
      ? []
      : [
          {
            pointer: `${pointer}/${index}`,
            message: `${JSON.stringify(entry)} is not known here; write ${wanted}.`,
          },
        ],
  );
}

function delayProblems(retry: unknown): readonly ParamProblem[] {
  if (!isObject(retry) || !Object.hasOwn(retry, 'delays')) return [];
  return ['base', 'max']
    .filter((name) => Object.hasOwn(retry, name))
    .map((name) => ({
      pointer: `/retry/${name}`,
      message: `"delays" already says how long to wait; remove "${name}", or "delays".`,
    }));
}
