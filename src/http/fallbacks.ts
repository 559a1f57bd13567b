/** What no route answers: problems too, so that a caller never has to read another form. */
import type { Hono } from 'hono';
import { Failure } from '../errors.ts';
import type { Runtime } from '../flows/runtime.ts';
import { failed } from './respond.ts';

/** Answers unknown addresses, known addresses with another method, and what went wrong outside a route. */
export function mountFallbacks(app: Hono, runtime: Runtime): void {
  app.notFound((context) => {
    const { method, path } = context.req;
    const methods = [
      ...new Set(app.routes.filter((route) => matches(route.path, path)).map((route) => route.method)),
    ];
    const others = methods.filter((each) => each !== method && each !== 'ALL');
    const failure =
      others.length > 0
        ? new Failure('METHOD_UNKNOWN', `${path} does not take ${method}; it takes ${others.join(', ')}.`)
        : new Failure(
            'NOT_FOUND',
            `There is nothing at ${path}. The API is below /api/v1; /api/v1/openapi.json lists it.`,
          );
    return failed(failure, runtime, context.req.raw);
  });
  app.onError((thrown, context) => failed(thrown, runtime, context.req.raw));
}

/** Whether a path with `:name` members fits an address. */
function matches(pattern: string, path: string): boolean {
  if (pattern.includes('*')) return false;
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  return (
    wanted.length === given.length &&
    wanted.every((part, index) => part.startsWith(':') || part === given[index])
  );
}
