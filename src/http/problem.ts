/** Failures as problem+json (RFC 9457), with a stable code and no stack trace. */
import { asFailure, FAILURES, type Failure } from '../errors.ts';

export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly problems: readonly { readonly pointer: string; readonly message: string }[];
  /** What an operation's `error` pipe says, for programs. */
  readonly error?: Readonly<Record<string, unknown>>;
}

/** The body of a problem answer. */
export function problemOf(failure: Failure): ProblemBody {
  const { title, status } = FAILURES[failure.code];
  const internal = failure.blame === 'us';
  return {
    type: `urn:sluiceway:error:${failure.code}`,
    title,
    status,
    code: failure.code,
    // What went wrong inside is for the log, not for a caller.
    detail: internal ? 'Something went wrong inside Sluiceway. The log has the details.' : failure.message,
    problems: [...(failure.details.problems ?? [])],
    ...(failure.code === 'OPERATION_ERROR' && { error: { ...failure.details.extra } }),
  };
}

/** The answer to a request that failed. */
export function problemResponse(thrown: unknown): Response {
  const failure = asFailure(thrown);
  const response = problemBodyResponse(problemOf(failure));
  if (failure.code === 'UNAUTHENTICATED') response.headers.set('www-authenticate', 'Bearer');
  if (failure.details.retryAfterMs !== undefined) {
    response.headers.set('retry-after', String(Math.ceil(failure.details.retryAfterMs / 1_000)));
  }
  return response;
}

/** Returns the answer with a body that was made before. */
export function problemBodyResponse(body: ProblemBody): Response {
  const headers = { 'content-type': 'application/problem+json' };
  return new Response(JSON.stringify(body), { status: body.status, headers });
}
