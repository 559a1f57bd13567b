/** Answers of routes, and of what they throw, as HTTP. */
import { asFailure, Failure } from '../errors.ts';
import type { Runtime } from '../flows/runtime.ts';
import { isFull, isOutage } from '../storage/database.ts';
import { problemResponse } from './problem.ts';
import type { ApiAnswer } from './route.ts';

/** Returns the HTTP answer of a route. */
export function answerResponse(answer: ApiAnswer): Response {
  const headers: Record<string, string> = { ...answer.headers };
  if (answer.body === undefined) return new Response(null, { status: answer.status, headers });
  if (answer.contentType !== undefined) {
    headers['content-type'] = answer.contentType;
    return new Response(answer.body as ReadableStream, { status: answer.status, headers });
  }
  headers['content-type'] = 'application/json';
  return new Response(JSON.stringify(answer.body), { status: answer.status, headers });
}

/** Returns what was thrown as the failure that the caller gets to see. */
export function failureOf(thrown: unknown): Failure {
  const cause = causeOf(thrown);
  if (!isOutage(cause)) return asFailure(thrown);
  const what = isFull(cause)
    ? 'The disk of the database is full. Make room there, then send'
    : 'The database does not answer just now. Send';
  const then = 'the same request again; with an Idempotency-Key nothing is done twice.';
  return new Failure('DATABASE_UNREACHABLE', `${what} ${then}`, { cause });
}

/** Returns the HTTP answer to a failure. What is our fault, or the database's, is logged with its cause. */
export function failed(thrown: unknown, runtime: Runtime, request: Request): Response {
  const failure = failureOf(thrown);
  const where = { method: request.method, path: new URL(request.url).pathname };
  if (isOutage(causeOf(thrown))) {
    const text = 'a request failed, because the database could not do its work';
    runtime.log.error({ ...where, cause: failure.cause }, text);
  } else if (failure.blame === 'us') {
    runtime.log.error({ ...where, cause: thrown }, 'a request failed');
  }
  return problemResponse(failure);
}

function causeOf(thrown: unknown): unknown {
  return thrown instanceof Failure && thrown.blame === 'us' ? thrown.cause : thrown;
}
