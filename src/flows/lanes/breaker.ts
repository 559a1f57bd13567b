/**
 * A breaker per lane: when a provider is down, or refuses the credentials, what waits is kept instead of burned.
 *
 * It opens when most runs of the last seconds failed by weather or by the provider's own fault, or when the credentials
 * were refused several times in a row. While it is open nothing is claimed; after a while one run is let through as a
 * probe, and its outcome closes the breaker or opens it again for longer.
 */
import type { RunOutcome } from '../../engine/run-outcome.ts';
import type { Failure } from '../../errors.ts';

export type Health = 'good' | 'bad' | 'refused';

/** What a run says about its lane, with what an operator wants to know of a fault. */
export interface RunHealth {
  readonly health: Health;
  readonly fault?: LaneFault;
}

/** The last request of a lane that went wrong; secrets masked. */
export interface LaneFault {
  readonly code: string;
  readonly reason: string;
  readonly request: string | undefined;
  readonly status: number | undefined;
  readonly excerpt: string | undefined;
}

const EXCERPT_CHARACTERS = 200;
const GOOD: RunHealth = Object.freeze({ health: 'good' });

/** What the outcome of a run says about the provider; undefined if it says nothing. */
export function healthOf(outcome: RunOutcome, redact: (text: string) => string): RunHealth | undefined {
  let seen: RunHealth | undefined;
  for (const step of outcome.trail) {
    if (step.request === undefined) continue;
    const health = step.failure === undefined ? 'good' : healthOfFailure(step.failure);
    if (health === undefined) continue;
    if (health === 'good') {
      seen = GOOD;
      continue;
    }
    const { request, response, failure } = step;
    return {
      health,
      fault: {
        code: failure?.code ?? 'BUG',
        reason: redact(failure?.message ?? ''),
        request: redact(`${request.method} ${request.url}`),
        status: response?.status,
        excerpt:
          response === undefined
            ? undefined
            : redact(response.body.toString('utf8')).slice(0, EXCERPT_CHARACTERS),
      },
    };
  }
  return seen;
}

/** Whether the provider refused the credentials, which says nothing about the message. */
export function refusesCredentials({ code, details }: Failure): boolean {
  return code === 'AUTH_FAILED' || details.statusCode === 401;
}

/** A refused message says nothing about the lane; a refused credential says everything. */
function healthOfFailure(failure: Failure): Health | undefined {
  const { statusCode = 0 } = failure.details;
  if (refusesCredentials(failure)) return 'refused';
  if (failure.blame === 'weather' || statusCode >= 500) return 'bad';
  return statusCode > 0 && statusCode !== 429 ? 'good' : undefined;
}

const WINDOW_MS = 10_000;
const LEAST_RUNS = 20;
const BAD_SHARE = 0.5;
const REFUSED_IN_ROW = 10;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 300_000;

/** The counts of one lane in one process. */
export interface Pulse {
  sinceMs: number;
  runs: number;
  bad: number;
  refusedInRow: number;
}

export function newPulse(nowMs: number): Pulse {
  return { sinceMs: nowMs, runs: 0, bad: 0, refusedInRow: 0 };
}

/** Counts a run; true if the lane should open now. */
export function beatPulse(pulse: Pulse, health: Health, nowMs: number): boolean {
  if (nowMs - pulse.sinceMs > WINDOW_MS) {
    // Half of what was is kept, so that a window's end does not forgive everything.
    pulse.sinceMs = nowMs;
    pulse.runs = Math.floor(pulse.runs / 2);
    pulse.bad = Math.floor(pulse.bad / 2);
  }
  pulse.runs += 1;
  if (health !== 'good') pulse.bad += 1;
  pulse.refusedInRow = health === 'refused' ? pulse.refusedInRow + 1 : 0;
  if (pulse.refusedInRow >= REFUSED_IN_ROW) return true;
  return pulse.runs >= LEAST_RUNS && pulse.bad / pulse.runs >= BAD_SHARE;
}

/** How long a lane stays open before it is probed: longer each time it opened in a row. */
export function openForMs(timesOpened: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, timesOpened - 1));
}
