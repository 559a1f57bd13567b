/**
 * The loop: render, run, next exit. It returns a value; it does not retry, sleep, store or throw.
 *
 * An error with a wired `error` exit is an ordinary turn. Before it is taken, `decide` is asked whether the failure is
 * to be tried again later; then the run ends as `waiting`, to be resumed at the same pipe with the same `$in`.
 */
import { asFailure, Failure } from '../errors.ts';
import type { Scope } from '../expression/scope.ts';
import type { Capabilities, PipeContext } from '../pipes/contract.ts';
import type { PlanPipe } from './plan.ts';
import type { RunOutcome, RunRequest, TrailStep } from './run-outcome.ts';
import { decide, endOf, forgiveMiss, type State, type WayEnd, waitAt } from './run-state.ts';

/** A way takes at most so many pipes, those before its split included; circles end here. */
export const MAX_HOPS = 1_000;

/** Elements of a split between two moments in which the process does other work. */
const ELEMENTS_IN_ROW = 100;
/** So many elements that wait by themselves are a share, too. */
const MOST_BRANCHES = 100;

/** What the pipes of one way are given; between two of them it is brought up to date. */
type Context = { -readonly [K in keyof PipeContext]: PipeContext[K] } & { readonly can: Capabilities };

/** Runs a plan from one pipe to an end. Never throws. */
export async function runPlan(request: RunRequest): Promise<RunOutcome> {
  const state: State = {
    request,
    events: [],
    later: [],
    logs: [],
    trail: [],
    branches: [],
    result: undefined,
    decisive: request.decisive,
    elements: 0,
    doubt: undefined,
    at: undefined,
    step: undefined,
    hops: 0,
    input: request.in,
    error: request.error,
    can: undefined,
  };
  const end = await walk(state, request.entry, request.in, request.tries, 0, request.progress);
  const { branches, events, later, logs, trail, result } = state;
  return { ...endOf(state, end), branches, events, later, logs, trail, result };
}

async function walk(
  state: State,
  start: PlanPipe,
  input: Readonly<Record<string, unknown>>,
  triesBefore: number,
  hopsBefore: number,
  progress?: unknown,
): Promise<WayEnd> {
  const { request } = state;
  let hops = hopsBefore;
  const scope: { -readonly [K in keyof Scope]: Scope[K] } = {
    ...request.keywords,
    origin: request.origin,
    in: input,
    error: state.error,
  };
  state.can ??= capabilitiesOf(state);
  const context: Context = {
    in: input,
    can: state.can,
    channel: request.channel,
    pipe: start.id,
    messageId: request.messageId,
    now: request.now,
    progress,
  };
  let here: PlanPipe | undefined = start;
  let tries = triesBefore;
  let last = start.id;
  // A step begins when the one before has ended.
  let endedMs = request.clock();
  while (here !== undefined) {
    const at: PlanPipe = here;
    last = at.id;
    hops += 1;
    const step: TrailStep = { pipe: at.id, type: at.type, exit: 'success', ms: 0 };
    state.trail.push(step);
    try {
      if (hops > MAX_HOPS) {
        throw new Failure(
          'HOP_LIMIT',
          `One way of the run passed ${MAX_HOPS} pipes; does it go in a circle?`,
        );
      }
      const rendered = at.render(scope);
      const params = at.async && rendered instanceof Promise ? await rendered : rendered;
      context.in = scope.in as Readonly<Record<string, unknown>>;
      context.pipe = at.id;
      state.at = at;
      state.step = step;
      state.hops = hops;
      state.input = context.in;
      state.error = scope.error as Readonly<Record<string, unknown>> | undefined;
      const running = at.pipe.run(params as never, context);
      const output = running instanceof Promise ? await running : running;
      context.progress = undefined;
      const beganMs = endedMs;
      endedMs = request.clock();
      step.ms = endedMs - beganMs;
      if (state.decisive !== undefined) forgiveMiss(state, step);
      if (output?.pause !== undefined) {
        step.exit = 'wait';
        const wait = waitAt(state, at, scope, { delayMs: 0, tries: 0, reason: 'turn' });
        return { status: 'waiting', pipe: at.id, wait: { ...wait, progress: output.pause } };
      }
      if (output?.add !== undefined) scope.in = { ...(scope.in as object), ...output.add };
      if (output?.end === true) return { status: 'done', pipe: at.id };
      if (output?.exit === undefined) here = at.success;
      else {
        here = at.exits.get(output.exit);
        step.exit = String(output.exit);
      }
      tries = 0;
    } catch (thrown) {
      const failure = asFailure(thrown);
      const beganMs = endedMs;
      endedMs = request.clock();
      step.ms = endedMs - beganMs;
      step.exit = 'error';
      step.failure = failure;
      if (failure.code === 'HOP_LIMIT') {
        decide(state, at.id, failure);
        return { status: 'failed', pipe: at.id, failure };
      }
      tries += 1;
      const decision = request.decide(failure, at, tries);
      step.decision = decision;
      if (decision.do === 'unknown') return { status: 'unknown', pipe: at.id, failure };
      if (decision.do === 'wait') {
        const counted = decision.reason === 'retry' ? tries : tries - 1;
        const { delayMs, reason } = decision;
        const wait = waitAt(state, at, scope, { delayMs, tries: counted, reason });
        step.exit = 'wait';
        return { status: 'waiting', pipe: at.id, failure, wait };
      }
      decide(state, at.id, failure);
      if (at.error === undefined) return { status: 'failed', pipe: at.id, failure };
      scope.in = { ...(scope.in as object), ...failure.details.add };
      scope.error = errorOf(failure, at.id);
      here = at.error;
      tries = 0;
    }
  }
  return { status: 'done', pipe: last };
}

/** The `$error` object (format, section 4). */
export function errorOf(failure: Failure, pipe: number): Readonly<Record<string, unknown>> {
  const { statusCode, kind, extra } = failure.details;
  return {
    code: statusCode ?? failure.code,
    message: failure.message,
    kind: kind ?? failure.code.toLowerCase(),
    pipe,
    ...extra,
  };
}

/** The capabilities of a run: made once, they act for whichever pipe is at work. */
function capabilitiesOf(state: State): Capabilities {
  const { request } = state;
  return {
    http: (sent) => {
      const { step } = state;
      if (step === undefined) return request.outside.http(sent, state.at?.place);
      step.request = sent;
      return request.outside.http(sent, state.at?.place).then((answer) => {
        step.response = answer;
        return answer;
      });
    },
    store: request.outside.store,
    sql: request.outside.sql,
    module: async (sent) => {
      const { step } = state;
      const answer = await request.outside.module(sent);
      if (step !== undefined) step.module = answer;
      return answer;
    },
    emit: (event) => {
      state.events.push(request.declare(event));
    },
    later: (event) => {
      state.later.push(event);
    },
    log: (line) => {
      state.logs.push({ ...line, pipe: state.step?.pipe ?? 0 });
    },
    result: (value) => {
      if (state.result !== undefined) {
        throw new Failure(
          'RESULT_TWICE',
          'The result of this run is already set; only one result pipe may be passed.',
        );
      }
      state.result = { value };
    },
    shareDone: () =>
      request.share !== undefined &&
      (state.elements >= request.share || state.branches.length >= MOST_BRANCHES),
    branch: async (pipe, add) => {
      const { at, step, hops, input, error } = state;
      const start = at?.exits.get(pipe);
      if (start === undefined) return;
      state.elements += 1;
      if (state.elements % ELEMENTS_IN_ROW === 0) await otherWork();
      const end = await walk(state, start, { ...input, ...add }, 0, hops);
      state.at = at;
      state.step = step;
      state.hops = hops;
      state.input = input;
      state.error = error;
      if (end.status === 'waiting' && end.wait !== undefined) state.branches.push(end.wait);
      else if (end.status !== 'done') {
        const failure = end.failure ?? new Failure('BUG', 'A branch ended without a reason.');
        if (end.status === 'unknown') state.doubt ??= { pipe: end.pipe, failure };
        throw failure;
      }
    },
  };
}

/** Lets the process do other work: timers, answers, other runs. */
function otherWork(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
