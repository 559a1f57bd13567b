/**
 * What a route is: one object from which come the check of the request, the authorization, and the OpenAPI page.
 * A route's `run` gets a checked request and gives an answer, or throws a Failure, which becomes problem+json.
 */
import type { Action } from '../access/permissions.ts';
import type { Caller } from '../access/tokens.ts';
import type { Ids } from '../ids.ts';
import type { JsonObject } from '../json.ts';

export interface ApiRequest {
  readonly caller: Caller;
  /** Path members such as `{sid}`. */
  readonly params: Readonly<Record<string, string>>;
  /** Checked and with numbers and booleans in their types, defaults filled in. */
  readonly query: Readonly<Record<string, unknown>>;
  /** Checked against `body`. */
  readonly body: never;
  /** The body as it was sent, where its places matter; empty for routes with `stream`. */
  readonly text: string;
  /** The raw body, for routes with `stream`. */
  readonly raw: Request;
  readonly accept: string;
  /** Ids of what this request makes: with an Idempotency-Key the same ones each time. */
  readonly ids: Ids;
}

export interface ApiAnswer {
  readonly status: number;
  /** Sent as JSON, unless it is a stream or bytes, which need `contentType`. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`, with `{name}` for path members. */
  readonly path: string;
  /** What the caller must be allowed to do. `open`: asked without a token, so that `run` has no caller; see `openRoute`. */
  readonly action: Action | 'open';
  readonly summary: string;
  readonly tag: string;
  readonly query?: JsonObject;
  /** Members of the query that are not declared pass, because others make it up. */
  readonly anyQuery?: boolean;
  readonly body?: JsonObject;
  /** A request without a body is one with an empty object. */
  readonly optionalBody?: boolean;
  /** Holds many things, each of which the route checks by itself for what no database takes: one costs no other. */
  readonly partsApart?: boolean;
  /** The body is not JSON and is read by the route itself; names its media types. */
  readonly stream?: readonly string[];
  /** The answer holds a secret: what is kept of it for repeats under an Idempotency-Key is encrypted. */
  readonly secretAnswer?: boolean;
  /** The body may hold a password: what is kept of it to recognise repeats is costly to guess from. */
  readonly secretBody?: boolean;
  /** Bytes; the ordinary limit where it is left out. */
  readonly maxBytes?: number;
  /** Status → schema of the answer; `also` names further media types that it can be asked for in. */
  readonly answers: Readonly<
    Record<
      number,
      { readonly description: string; readonly schema?: JsonObject; readonly also?: readonly string[] }
    >
  >;
  readonly run: (request: ApiRequest) => Promise<ApiAnswer>;
}

/** Declares a route whose `run` sees its body as `Body`, which `body` must guarantee. */
export function route<Body = undefined>(
  declared: Omit<Route, 'run'> & {
    readonly run: (request: Omit<ApiRequest, 'body'> & { readonly body: Body }) => Promise<ApiAnswer>;
  },
): Route {
  return declared as unknown as Route;
}

/** Declares a route that is asked without a token, such as signing in. It takes no Idempotency-Key: there is no account to keep it for. */
export function openRoute<Body = undefined>(
  declared: Omit<Route, 'run' | 'action'> & {
    readonly run: (
      request: Omit<ApiRequest, 'body' | 'caller'> & { readonly body: Body },
    ) => Promise<ApiAnswer>;
  },
): Route {
  return { ...declared, action: 'open' } as unknown as Route;
}
