/** The trail of a run as it is kept: pipe by pipe, what went out, what came back, which rule decided. Secrets masked. */
import type { RunOutcome, TrailStep } from '../../engine/run-outcome.ts';
import type { HttpRequest } from '../../pipes/contract.ts';
import { SECRET_HEADERS } from '../../pipes/secret-headers.ts';
import type { Redact } from '../redact.ts';

/** Bytes of a body that a trail keeps. */
const BODY_EXCERPT_BYTES = 2_048;

/** JSON text of a trail. */
export function trailText(outcome: RunOutcome, redact: Redact): string {
  return redact(JSON.stringify(trailOf(outcome, redact)));
}

/** What a person reads of a run; bodies are masked before they are cut, the rest by `trailText`. */
export function trailOf(outcome: RunOutcome, redact: Redact): readonly Readonly<Record<string, unknown>>[] {
  const logs = outcome.logs;
  return outcome.trail.map((step) => {
    const lines = logs.filter((line) => line.pipe === step.pipe);
    return {
      pipe: step.pipe,
      type: step.type,
      exit: step.exit,
      ms: Math.round(step.ms * 10) / 10,
      ...(step.request !== undefined && { request: requestOf(step.request, redact) }),
      ...(step.response !== undefined && {
        response: {
          status: step.response.status,
          headers: headersOf(step.response.headers),
          body: excerpt(step.response.body, redact),
        },
      }),
      ...(step.module !== undefined && { request: step.module.request, response: step.module.response }),
      ...(step.failure !== undefined && { error: errorOf(step) }),
      ...(step.decision !== undefined && { rule: ruleOf(step) }),
      ...(lines.length > 0 && {
        log: lines.map(({ level, prefix, message }) => ({ level, prefix, message })),
      }),
    };
  });
}

function requestOf(request: HttpRequest, redact: Redact): Readonly<Record<string, unknown>> {
  return {
    method: request.method,
    url: request.url,
    headers: headersOf(request.headers),
    ...(request.auth !== undefined && { auth: request.auth.type }),
    ...(request.body !== undefined && { body: excerpt(request.body, redact) }),
  };
}

function headersOf(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) shown[name] = SECRET_HEADERS.has(name) ? '***' : value;
  return shown;
}

/** A secret that begins inside the excerpt is masked whole, so a little more than the excerpt is read. */
function excerpt(body: Uint8Array, redact: Redact): string {
  const read = Math.min(body.byteLength, BODY_EXCERPT_BYTES + 1_024);
  const text = redact(Buffer.from(body.buffer, body.byteOffset, read).toString('utf8'));
  if (body.byteLength <= BODY_EXCERPT_BYTES) return text;
  return `${text.slice(0, BODY_EXCERPT_BYTES)}… (${body.byteLength} bytes)`;
}

function errorOf(step: TrailStep): Readonly<Record<string, unknown>> {
  const failure = step.failure;
  return {
    code: failure?.code,
    message: failure?.message,
    ...(failure?.details.kind !== undefined && { kind: failure.details.kind }),
    ...(failure?.details.statusCode !== undefined && { status: failure.details.statusCode }),
    blame: failure?.blame,
  };
}

const WHY_WAIT = {
  retry: 'retryable failure',
  limit: 'a limit has no free token, or its provider rests',
  breaker: 'the breaker of the lane is open, the try is not counted',
} as const;

function ruleOf(step: TrailStep): string {
  const decision = step.decision;
  if (decision?.do === 'wait') {
    return `${WHY_WAIT[decision.reason]}: waits ${(decision.delayMs / 1000).toFixed(1)} s`;
  }
  if (decision?.do === 'unknown')
    return 'the request may have arrived and repeating is not declared safe: unknown';
  return decision?.spent === true
    ? 'retryable failure, but no tries are left; taking the error exit'
    : 'not retryable; taking the error exit';
}
