/** Mounts routes: authorization, checks, idempotency, answers. The only place where a request meets a route. */
import { createHash, scrypt } from 'node:crypto';
import type { Hono } from 'hono';
import { authorize } from '../access/permissions.ts';
import type { Caller, Tokens } from '../access/tokens.ts';
import { asFailure, Failure } from '../errors.ts';
import type { Ground } from '../flows/ground.ts';
import { createIds, type Ids } from '../ids.ts';
import { isFull, isOutage } from '../storage/database.ts';
import { forgetIdempotency, keepAnswer, reserveIdempotency } from '../storage/idempotency.ts';
import { isoTime } from '../time.ts';
import { compileSchema, type Validator } from '../validate.ts';
import { checkRequest, refuseUnfit } from './check-request.ts';
import { mountOpenapi } from './openapi.ts';
import { problemResponse } from './problem.ts';
import { readCapped } from './read-capped.ts';
import type { ApiAnswer, ApiRequest, Route } from './route.ts';

const MAX_BODY_BYTES = 8 * 1024 * 1024;

interface Mounted {
  readonly route: Route;
  readonly query: Validator | undefined;
  readonly body: Validator | undefined;
}

/** Adds routes to an app, below `/api/v1`, and the document that describes them. */
export function mountApi(app: Hono, routes: readonly Route[], ground: Ground, tokens: Tokens): void {
  mountOpenapi(app, routes);
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
        return await serve(mounted, caller, context.req.raw, context.req.param(), ground);
      } catch (thrown) {
        return failed(thrown, ground, context.req.raw);
      }
    });
  }
}

/** The answer to a failure; what is our fault is logged with its cause. */
export function failed(thrown: unknown, ground: Ground, request: Request): Response {
  const cause = thrown instanceof Failure && thrown.blame === 'us' ? thrown.cause : thrown;
  if (isOutage(cause)) {
    ground.log.error(
      { method: request.method, path: new URL(request.url).pathname, cause },
      'a request failed, because the database could not do its work',
    );
    const what = isFull(cause)
      ? 'The disk of the database is full. Make room there, then send'
      : 'The database does not answer just now. Send';
    const then = 'the same request again; with an Idempotency-Key nothing is done twice.';
    return problemResponse(new Failure('DATABASE_UNREACHABLE', `${what} ${then}`, { cause }));
  }
  if (!(thrown instanceof Failure) || thrown.blame === 'us') {
    ground.log.error(
      { method: request.method, path: new URL(request.url).pathname, cause: thrown },
      'a request failed',
    );
  }
  return problemResponse(thrown);
}

async function serve(
  mounted: Mounted,
  caller: Caller | undefined,
  raw: Request,
  params: Readonly<Record<string, string>>,
  ground: Ground,
): Promise<Response> {
  const { route } = mounted;
  const query = readQuery(mounted, new URL(raw.url).searchParams);
  refuseUnfit({ query, path: params });
  // `openRoute` hides the caller from a route that has none.
  const base = { caller: caller as Caller, params, query, raw, accept: raw.headers.get('accept') ?? '' };
  if (route.stream !== undefined) {
    checkMediaType(route.stream, raw);
    return respond(await route.run({ ...base, body: undefined as never, text: '', ids: ground.ids }));
  }
  const text = (await readCapped(raw, route.maxBytes ?? MAX_BODY_BYTES)).toString('utf8');
  const body = parseBody(mounted, text, raw);
  const run = (ids: Ids) => route.run({ ...base, body: body as never, text, ids } satisfies ApiRequest);
  const key = raw.headers.get('idempotency-key');
  if (key === null || caller === undefined || route.method === 'GET') return respond(await run(ground.ids));
  // Of the user too: nobody is given the answer, and with it the token, that another one asked for.
  const request = `${caller.userId} ${route.method} ${new URL(raw.url).pathname}\n${text}`;
  return once(ground, caller, key, request, route, run);
}

/** Throws MEDIA_TYPE where a stream comes as something else than the route reads. */
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
  if (mounted.route.partsApart !== true) refuseUnfit(body);
  checkRequest(mounted.body, body);
  return body;
}

function respond(answer: ApiAnswer): Response {
  const headers: Record<string, string> = { ...answer.headers };
  if (answer.body === undefined) return new Response(null, { status: answer.status, headers });
  if (answer.contentType !== undefined) {
    headers['content-type'] = answer.contentType;
    return new Response(answer.body as ReadableStream, { status: answer.status, headers });
  }
  headers['content-type'] = 'application/json';
  return new Response(JSON.stringify(answer.body), { status: answer.status, headers });
}

/**
 * Runs a write once per Idempotency-Key. What it makes gets ids that follow from the key, so that a repeat after a
 * crash between the write and the kept answer finds what is there instead of making it again.
 */
async function once(
  ground: Ground,
  caller: Caller,
  key: string,
  request: string,
  route: Route,
  run: (ids: Ids) => Promise<ApiAnswer>,
): Promise<Response> {
  if (key.length > 255)
    throw new Failure('REQUEST_MALFORMED', 'An Idempotency-Key has at most 255 characters.');
  const { database, clock } = ground;
  const hash = await hashRequest(request, `${caller.accountId}\n${key}`, route.secretBody === true);
  const kept = await reserveIdempotency(database, caller.accountId, key, hash, clock.now());
  if (kept.hash !== hash) {
    throw new Failure(
      'CONFLICT',
      'This Idempotency-Key was used for another request. Use a new key for each write.',
    );
  }
  if (kept.status !== null) {
    const body =
      route.secretAnswer === true
        ? ground.vault.open(JSON.parse(kept.answer ?? ''))
        : JSON.parse(kept.answer ?? 'null');
    const answer = respond({ status: kept.status, body: body ?? undefined });
    answer.headers.set('idempotent-replay', 'true');
    return answer;
  }
  try {
    const answer = await run(idsOfKey(caller.accountId, key, kept.createdAtMs));
    const body = answer.body ?? null;
    const keeping = route.secretAnswer === true ? ground.vault.seal(body, isoTime(clock.now())) : body;
    await keepAnswer(database, caller.accountId, key, answer.status, JSON.stringify(keeping));
    return respond(answer);
  } catch (thrown) {
    // A refused request may be sent again, corrected, under the same key. After any other failure it is not known what
    // was written: the repeat must make the same ids.
    if (asFailure(thrown).status < 500) await forgetIdempotency(database, caller.accountId, key);
    throw thrown;
  }
}

/** What repeats are recognised by. Of a body with a password it must not serve to try passwords out. */
async function hashRequest(request: string, salt: string, isSecret: boolean): Promise<string> {
  if (!isSecret) return createHash('sha256').update(request).digest('hex');
  return new Promise((resolve, reject) => {
    scrypt(request, salt, 32, { cost: 16_384, blockSize: 8, parallelization: 1 }, (error, key) =>
      error === null ? resolve(key.toString('hex')) : reject(error),
    );
  });
}

function idsOfKey(accountId: string, key: string, createdAtMs: number): Ids {
  let block = 0;
  return createIds({ now: () => createdAtMs }, (bytes) => {
    for (let offset = 0; offset < bytes.length; offset += 32) {
      createHash('sha256').update(`${accountId}\n${key}\n${block}\n${offset}`).digest().copy(bytes, offset);
    }
    block += 1;
  });
}
