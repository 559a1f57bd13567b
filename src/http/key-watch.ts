/** Decides what a call does that found its Idempotency-Key in use. Goes by a clock that never jumps, and by no other. */
import type { KeyRow } from '../storage/idempotency.ts';

/** How calls with one key wait for each other. */
export interface KeyPace {
  /** A call at work shows that it lives each time this passes. */
  readonly beatMs: number;
  /** A call that did not for as long is dead. */
  readonly silentMs: number;
  /** A call that lives is waited for as long. */
  readonly waitMs: number;
  readonly firstPollMs: number;
  readonly longestPollMs: number;
  readonly retryAfterMs: number;
}

/**
 * `take` the key over: nobody works on it, or the one who did is dead. `failed`: the call that was waited for failed, and
 * its failure is the answer. `late`: it lives and takes too long. Else `wait`.
 */
export type KeyVerdict = 'take' | 'failed' | 'late' | 'wait';

export interface KeyWatch {
  /** Looks at the row of a key that has no answer yet. */
  readonly look: (row: Pick<KeyRow, 'holder' | 'beat' | 'failure'>, nowMs: number) => KeyVerdict;
  /** Returns how long to wait before the next look: longer each time. */
  readonly pollMs: () => number;
}

/** Returns the watch of one call. */
export function createKeyWatch(pace: KeyPace): KeyWatch {
  let seen: { holder: string | null; beat: number } | undefined;
  let startedMs = 0;
  let lookedMs = 0;
  let silentMs = 0;
  let pollMs = pace.firstPollMs / 2;
  return {
    look: ({ holder, beat, failure }, nowMs) => {
      if (holder === null) return seen !== undefined && failure !== null ? 'failed' : 'take';
      if (seen === undefined) startedMs = nowMs;
      // While the database does not answer nobody shows life: of a look that took long only a part counts.
      const passedMs = Math.min(nowMs - lookedMs, 2 * pace.longestPollMs);
      silentMs = seen?.holder === holder && seen.beat === beat ? silentMs + passedMs : 0;
      seen = { holder, beat };
      lookedMs = nowMs;
      if (silentMs >= pace.silentMs) return 'take';
      return nowMs - startedMs >= pace.waitMs ? 'late' : 'wait';
    },
    pollMs: () => {
      pollMs = Math.min(2 * pollMs, pace.longestPollMs);
      return pollMs;
    },
  };
}
