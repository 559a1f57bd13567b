/** What a waiting row keeps of the run that goes on from it. */
import type { Decisive, RunRequest } from '../../engine/run-outcome.ts';
import { Failure, type FailureCode } from '../../errors.ts';
import type { Effects } from '../settlement/effects.ts';

/** The first failure that decided before the run waited. */
export interface StoredDecisive {
  readonly pipe: number;
  readonly code: FailureCode;
  readonly message: string;
  readonly statusCode: number | null;
}

/** A request that was kept after a failure, in the payload of its next run. */
export interface KeptRequest {
  readonly id: string;
  readonly registered: readonly string[];
}

/** How a run that waited is stored. */
export interface ResumedRun {
  /** Without the members that `origin` has as well. */
  readonly in?: Readonly<Record<string, unknown>>;
  readonly error?: Readonly<Record<string, unknown>>;
  readonly origin?: Readonly<Record<string, unknown>>;
  readonly decisive?: StoredDecisive;
  /** How far its pipe had come when it let others have their turn. */
  readonly progress?: unknown;
  /** It has registered an event. */
  readonly registered?: boolean;
  readonly recorded?: Effects;
  /** Something may have been sent before it waited. */
  readonly doubt?: boolean;
  /** The sender that the address of a provider's request named. */
  readonly senderId?: string | null;
  /** The kept request that is run again. */
  readonly request?: KeptRequest;
}

/** What a stored run continues with; `origin` is that of the message, which is not stored. */
export function continued(
  stored: ResumedRun | undefined,
  origin: Readonly<Record<string, unknown>>,
): Pick<RunRequest, 'in' | 'origin' | 'error' | 'decisive' | 'progress' | 'registered'> {
  const own = stored?.origin ?? origin;
  return {
    origin: own,
    in: stored?.origin === undefined ? (stored?.in ?? own) : { ...stored.origin, ...stored.in },
    error: stored?.error,
    decisive: decisiveOf(stored?.decisive),
    progress: stored?.progress,
    registered: stored?.registered,
  };
}

/** Makes the decisive failure of a stored run. */
function decisiveOf(stored: StoredDecisive | undefined): Decisive | undefined {
  if (stored === undefined) return undefined;
  const { pipe, code, message, statusCode } = stored;
  return { pipe, failure: new Failure(code, message, statusCode === null ? {} : { statusCode }) };
}
