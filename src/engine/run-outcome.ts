/** What a run is asked with, and what it comes to. */
import type { Failure } from '../errors.ts';
import type { Scope } from '../expression/scope.ts';
import type {
  EmittedEvent,
  HttpAnswer,
  HttpRequest,
  LaterEvent,
  LogLine,
  ModuleAnswer,
  ModuleRequest,
  SqlRequest,
  Store,
} from '../pipes/contract.ts';
import type { PlanPipe } from './plan.ts';

/** What acts at once, given by the flow that runs the plan. */
export interface Outside {
  /** `place` names the pipe in its channel; a limit of its own is counted by it. */
  readonly http: (request: HttpRequest, place?: string) => Promise<HttpAnswer>;
  readonly store: Store;
  readonly sql: (request: SqlRequest) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** The code modules of built-in channels. */
  readonly module: (request: ModuleRequest) => Promise<ModuleAnswer>;
}

/** An emitted event after it was matched with the channel's declarations. */
export interface RunEvent extends EmittedEvent {
  /** The platform event type. */
  readonly type: string;
  /** The channel's event; undefined for `stop`, `moderate_pass`, `moderate_error`. */
  readonly eventId: number | undefined;
}

export type Decision =
  /** `spent`: the failure is retryable, and no tries are left. */
  | { readonly do: 'exit'; readonly spent?: true }
  | { readonly do: 'wait'; readonly delayMs: number; readonly reason: 'retry' | 'limit' | 'breaker' }
  | { readonly do: 'unknown' };

export interface RunRequest {
  readonly entry: PlanPipe;
  /** Keywords besides `in`, `origin`, `error`. */
  readonly keywords: Scope;
  readonly in: Readonly<Record<string, unknown>>;
  readonly origin: Readonly<Record<string, unknown>>;
  /** `$error` of a run that waited behind an error exit. */
  readonly error?: Readonly<Record<string, unknown>> | undefined;
  /** Of a run that waited: the first failure that decided before. */
  readonly decisive?: Decisive | undefined;
  /** Of a run that paused: how far its first pipe had come. */
  readonly progress?: unknown;
  /** Of a run that waited: it had registered an event before. */
  readonly registered?: boolean | undefined;
  /** So many elements of splits are run at once, then others have their turn; left out: all. */
  readonly share?: number;
  /** How often the entry pipe was tried before. */
  readonly tries: number;
  readonly channel: string;
  readonly messageId?: string | undefined;
  /** ISO 8601. */
  readonly now: string;
  readonly outside: Outside;
  /** Matches an event with the declarations; throws EVENT_UNDECLARED. */
  readonly declare: (event: EmittedEvent) => RunEvent;
  /** Asked after each failure of a pipe. `tries` counts this one. */
  readonly decide: (failure: Failure, pipe: PlanPipe, tries: number) => Decision;
  /** Milliseconds for durations in the trail. */
  readonly clock: () => number;
}

export interface TrailStep {
  readonly pipe: number;
  readonly type: string;
  exit: string;
  ms: number;
  request?: HttpRequest;
  response?: HttpAnswer;
  /** What a code module sent and was answered. */
  module?: ModuleAnswer;
  failure?: Failure;
  /** The rule that decided what happens after a failure. */
  decision?: Decision;
}

/** An event that waits before a pipe of this plan. */
export interface Wait {
  readonly pipe: number;
  readonly in: Readonly<Record<string, unknown>>;
  /** `$error`, behind an error exit. */
  readonly error?: Readonly<Record<string, unknown>>;
  readonly delayMs: number;
  readonly tries: number;
  /** `turn`: others have their turn before it continues. */
  readonly reason: 'retry' | 'limit' | 'breaker' | 'turn';
  /** How far the pipe had come. */
  readonly progress?: unknown;
  /** The run has registered an event. */
  readonly registered?: true;
  /** The first failure that decided so far. */
  readonly decisive?: Decisive;
}

/** A failure that decided how a run ends, and the pipe that it left. */
export interface Decisive {
  readonly pipe: number;
  readonly failure: Failure;
}

export interface RunOutcome {
  readonly status: 'done' | 'failed' | 'waiting' | 'unknown';
  /** Where the run ended; of one that failed, where its failure was. */
  readonly pipe: number;
  /** Why: of a run that failed the first failure that decided, whatever pipe reported it or came last. */
  readonly failure: Failure | undefined;
  /** The failure that ended the run, often the report of an `error` pipe; undefined for a quiet end. */
  readonly ended: Decisive | undefined;
  /** For `waiting`. */
  readonly wait: Wait | undefined;
  /** Elements of a split that wait by themselves. */
  readonly branches: readonly Wait[];
  readonly events: readonly RunEvent[];
  readonly later: readonly LaterEvent[];
  readonly logs: readonly (LogLine & { readonly pipe: number })[];
  readonly trail: readonly TrailStep[];
  readonly result: { readonly value: unknown } | undefined;
}
