/**
 * What the expressions of a listener see of a request.
 *
 * `$origin` is `{ form, headers, method, path, body }`; `$in` is the same and `data`: the body parsed as JSON, or its
 * fields where it is an urlencoded form, and absent if it is neither. So a Slack challenge is `$in.data.challenge`
 * and a Meta challenge `${in.form.'hub.challenge'}`. The other keywords (`$sender`, `$account`, `$channel`, `$now`) come
 * from the flow. A `when` has besides these the variables `$method`, `$path`, `$form`, `$headers` and `$body`, which is
 * `$in.data`, or the text of the body where there is no `data`.
 */
import type { Scope } from '../../expression/scope.ts';
import { own } from '../../json.ts';
import { readForm } from './read-request.ts';
import type { RequestIn } from './request-in.ts';

export interface RequestView {
  readonly request: RequestIn;
  /** `$in.data`. */
  readonly data: () => unknown;
  /** The fields of an urlencoded body; undefined for any other body. */
  readonly fields: () => Readonly<Record<string, string | readonly string[]>> | undefined;
  /** A scope with `$in` and `$origin` of this request. */
  readonly within: (scope: Scope) => Scope;
  /** The variables of `when`. */
  readonly variables: () => Readonly<Record<string, unknown>>;
}

/** A view that parses the body at most once, and only when something asks for it. */
export function viewRequest(request: RequestIn): RequestView {
  const { form, headers, method, path, body } = request;
  const fields = once(() => {
    const type = own(headers, 'content-type');
    const urlencoded =
      typeof type === 'string' && /^\s*application\/x-www-form-urlencoded\s*(;|$)/i.test(type);
    return urlencoded ? readForm(body.toString('utf8')) : undefined;
  });
  const data = once(() => {
    const json = parseJson(body);
    return json === undefined ? fields() : json;
  });
  const origin = { form, headers, method, path, body };
  const entry = {
    ...origin,
    get data() {
      return data();
    },
  };
  return {
    request,
    data,
    fields,
    within: (scope) => ({ ...scope, origin, in: entry }),
    variables: () => {
      const value = data();
      return { form, headers, method, path, body: value === undefined ? body.toString('utf8') : value };
    },
  };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
