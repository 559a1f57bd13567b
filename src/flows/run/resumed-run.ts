/** What a waiting row keeps of the run that goes on from it. */
import type { Decisive } from '../../engine/run-outcome.ts';
import { Failure, type FailureCode } from '../../errors.ts';
import type { Effects } from '../settlement/effects.ts';

/** The first failure that decided before the run waited. */
export interface StoredDecisive {
  readonly pipe: number;
  readonly code: FailureCode;
  readonly message: string;
  readonly statusCode: number | null;
}

/** How a run that waited is stored. */
export interface ResumedRun {
  readonly in?: Readonly<Record<string, unknown>>;
  readonly error?: Readonly<Record<string, unknown>>;
  readonly origin?: Readonly<Record<string, unknown>>;
  readonly decisive?: StoredDecisive;
  readonly recorded?: Effects;
  /** Something may have been sent before it waited. */
  readonly doubt?: boolean;
  /** The sender that the address of a provider's request named. */
  readonly senderId?: string | null;
}

/** Makes the decisive failure of a stored run. */
export function decisiveOf(stored: StoredDecisive | undefined): Decisive | undefined {
  if (stored === undefined) return undefined;
  const { pipe, code, message, statusCode } = stored;
  return { pipe, failure: new Failure(code, message, statusCode === null ? {} : { statusCode }) };
}
