/** Mounts routes: authorization, checks, idempotency, answers. The only place where a request meets a route. */
import type { Hono } from 'hono';
import { authorize } from '../access/permissions.ts';
import type { Caller, Tokens } from '../access/tokens.ts';
import { Failure } from '../errors.ts';
import type { Runtime } from '../flows/runtime.ts';
import type { Ids } from '../ids.ts';
import { compileSchema, type Validator } from '../validate.ts';
import { checkRequest, rejectUnstorable } from './check-request.ts';
import { createOnce, type Once } from './once.ts';
import { mountOpenapi } from './openapi.ts';
import { readCapped } from './read-capped.ts';
import { answerResponse, failed } from './respond.ts';
import type { ApiRequest, Route } from './route.ts';

const MAX_BODY_BYTES = 8 * 1024 * 1024;

interface Mounted {
  readonly route: Route;
  readonly query: Validator | undefined;
  readonly body: Validator | undefined;
}

/** Adds routes to an app, below `/api/v1`, and the document that describes them. */
export function mountApi(app: Hono, routes: readonly Route[], runtime: Runtime, tokens: Tokens): void {
  mountOpenapi(app, routes);
  const once = createOnce(runtime);
  for (const route of routes) {
    const mounted: Mounted = {
      route,
      query: compileSchema(
        {
          type: 'object',
          properties: route.query ?? {},
          additionalProperties: route.anyQuery === true,
        },
        { coerce: true },
      ),
      body: route.body === undefined ? undefined : compileSchema(route.body),
    };
    app.on(route.method, `/api/v1${route.path.replaceAll(/\{(\w+)\}/g, ':$1')}`, async (context) => {
      try {
        const { action } = route;
        let caller: Caller | undefined;
        if (action !== 'open') {
          caller = await tokens.callerOf(context.req.header('authorization'));
          authorize(caller.role, action);
        }
        return await serve(mounted, caller, context.req.raw, context.req.param(), runtime, once);
      } catch (thrown) {
        return failed(thrown, runtime, context.req.raw);
      }
    });
  }
}

async function serve(
  mounted: Mounted,
  caller: Caller | undefined,
  raw: Request,
  params: Readonly<Record<string, string>>,
  runtime: Runtime,
  once: Once,
): Promise<Response> {
  const { route } = mounted;
  const query = readQuery(mounted, new URL(raw.url).searchParams);
  rejectUnstorable({ query, path: params });
  // `openRoute` hides the caller from a route that has none.
  const base = { caller: caller as Caller, params, query, raw, accept: raw.headers.get('accept') ?? '' };
  if (route.stream !== undefined) {
    checkMediaType(route.stream, raw);
    return answerResponse(await route.run({ ...base, body: undefined as never, text: '', ids: runtime.ids }));
  }
  const text = (await readCapped(raw, route.maxBytes ?? MAX_BODY_BYTES)).toString('utf8');
  const body = parseBody(mounted, text, raw);
  const run = (ids: Ids) => route.run({ ...base, body: body as never, text, ids } satisfies ApiRequest);
  const key = raw.headers.get('idempotency-key');
  if (key === null || caller === undefined || route.method === 'GET')
    return answerResponse(await run(runtime.ids));
  // Of the user too: nobody is given the answer, and with it the token, that another one asked for.
  const request = `${caller.userId} ${route.method} ${new URL(raw.url).pathname}\n${text}`;
  return once({ caller, key, request, route, run });
}

/** Throws MEDIA_TYPE if a stream comes as something else than the route reads. */
function checkMediaType(known: readonly string[], raw: Request): void {
  const given = raw.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (given !== undefined && known.includes(given)) return;
  throw new Failure('MEDIA_TYPE', `Send the body with the header "Content-Type: ${known.join('" or "')}".`);
}

function readQuery(mounted: Mounted, search: URLSearchParams): Readonly<Record<string, unknown>> {
  const query: Record<string, unknown> = Object.fromEntries(search);
  const problems = mounted.query?.check(query, '/query') ?? [];
  if (problems.length > 0) {
    const [first] = problems;
    const message = `The query is not right at ${first?.pointer}: ${first?.message}`;
    throw new Failure('REQUEST_MALFORMED', message, { problems });
  }
  return query;
}

function parseBody(mounted: Mounted, text: string, raw: Request): unknown {
  if (mounted.body === undefined) {
    if (text.trim() !== '' && text.trim() !== '{}') {
      throw new Failure('REQUEST_MALFORMED', 'This call takes no body.');
    }
    return undefined;
  }
  if (mounted.route.optionalBody === true && text.trim() === '') return {};
  if (!/^application\/([\w.+-]+\+)?json\b/i.test(raw.headers.get('content-type') ?? '')) {
    throw new Failure('NOT_JSON', 'Send the body as JSON, with the header "Content-Type: application/json".');
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (thrown) {
    throw new Failure('REQUEST_MALFORMED', `The body is not JSON: ${(thrown as Error).message}.`);
  }
  if (mounted.route.partsApart !== true) rejectUnstorable(body);
  checkRequest(mounted.body, body);
  return body;
}
