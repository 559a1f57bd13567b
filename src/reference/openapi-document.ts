/** The routes, and the OpenAPI document of them, without a running engine: no route is ever called. */
import { openapiOf } from '../http/openapi.ts';
import type { Route } from '../http/route.ts';
import { allRoutes } from '../http/routes.ts';
import type { JsonObject } from '../json.ts';

/** Returns the document as `GET /api/v1/openapi.json` answers it. */
export function openapiDocument(): JsonObject {
  return openapiOf(declaredRoutes());
}

/** Returns all routes of the API; they can be read, but not called. */
export function declaredRoutes(): readonly Route[] {
  return allRoutes({
    runtime: uncalled('runtime'),
    directory: uncalled('directory'),
    accept: uncalled('accept'),
    mailings: uncalled('mailings'),
    tokens: uncalled('tokens'),
    lanes: uncalled('lanes'),
    open: uncalled('open'),
    send: uncalled('send'),
    wakeLanes: uncalled('wakeLanes'),
  });
}

/** Stands for a part that may be passed on and taken apart, but not used. */
function uncalled<T extends object>(name: string): T {
  const refuse = (): never => {
    throw new Error(`Making routes must not use anything yet, but "${name}" was called.`);
  };
  const stand: unknown = new Proxy(refuse, {
    get: (_target, member) => uncalled(`${name}.${String(member)}`),
  });
  return stand as T;
}
