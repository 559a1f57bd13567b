/** What a run knows while it goes: what it collected, why it fails if it does, and how it ends or waits. */
import type { Failure, FailureCode } from '../errors.ts';
import type { Scope } from '../expression/scope.ts';
import type { Capabilities, LaterEvent, LogLine } from '../pipes/contract.ts';
import type { PlanPipe } from './plan.ts';
import type { Decisive, RunEvent, RunOutcome, RunRequest, TrailStep, Wait } from './run-outcome.ts';

/** Failures that say what is missing or what is reported; any other tells better why a run failed. */
const SECONDARY: ReadonlySet<FailureCode> = new Set(['OPERATION_ERROR', 'SPLIT_FAILED', 'STORE_KEY_MISSING']);

export interface State {
  readonly request: RunRequest;
  readonly events: RunEvent[];
  readonly later: LaterEvent[];
  readonly logs: (LogLine & { pipe: number })[];
  readonly trail: TrailStep[];
  readonly branches: Wait[];
  result: { value: unknown } | undefined;
  /** The first failure that decided, on whichever way. */
  decisive: Decisive | undefined;
  /** Elements of splits that were run. */
  elements: number;
  /** What an element of a split left unknown. */
  doubt: Decisive | undefined;
  /** The pipe at work, its step, its `$in` and `$error`; a branch leaves them as it found them. */
  at: PlanPipe | undefined;
  step: TrailStep | undefined;
  hops: number;
  input: Readonly<Record<string, unknown>>;
  error: Readonly<Record<string, unknown>> | undefined;
  can: Capabilities | undefined;
}

export interface WayEnd {
  readonly status: RunOutcome['status'];
  readonly pipe: number;
  readonly failure?: Failure;
  readonly wait?: Wait;
}

/** How a run ended, from how its main way ended and what its elements left. */
export function endOf(
  state: State,
  end: WayEnd,
): Pick<RunOutcome, 'status' | 'pipe' | 'failure' | 'ended' | 'wait'> {
  const { doubt, decisive } = state;
  const { status, pipe, failure, wait } = end;
  const ended = failure === undefined ? undefined : { pipe, failure };
  if (status === 'waiting') return { status, pipe, failure, ended, wait };
  // What one element may have sent is in doubt for the whole run, unless that goes on.
  if (doubt !== undefined) return { status: 'unknown', ...doubt, ended: doubt, wait };
  if (status !== 'unknown' && decisive !== undefined && (status === 'failed' || leftNothing(state)))
    return { status: 'failed', ...decisive, ended, wait };
  return { status, pipe, failure, ended, wait };
}

/** Whether a run that took an error exit ended without anything that says that it went well after all. */
function leftNothing({ request, events, later, branches, result }: State): boolean {
  return (
    request.registered !== true &&
    events.length + later.length + branches.length === 0 &&
    result === undefined
  );
}

/** Remembers why the run fails, if it does. */
export function decide(state: State, pipe: number, failure: Failure): void {
  const known = state.decisive;
  if (known === undefined || (SECONDARY.has(known.failure.code) && !SECONDARY.has(failure.code))) {
    state.decisive = { pipe, failure };
  }
}

/** The event that waits before a pipe, with what the run knows so far. */
export function waitAt(
  { decisive, events, request }: State,
  at: PlanPipe,
  scope: Scope,
  how: Pick<Wait, 'delayMs' | 'tries' | 'reason'>,
): Wait {
  return {
    pipe: at.id,
    in: scope.in as Readonly<Record<string, unknown>>,
    ...(scope.error !== undefined && { error: scope.error as Readonly<Record<string, unknown>> }),
    ...how,
    ...(decisive !== undefined && { decisive }),
    ...((events.length > 0 || request.registered === true) && { registered: true as const }),
  };
}

/** A record that was missing is made good by a request that succeeded after it. */
export function forgiveMiss(state: State, { request, module }: TrailStep): void {
  if (request === undefined && module === undefined) return;
  if (state.decisive?.failure.code === 'STORE_KEY_MISSING') state.decisive = undefined;
}
