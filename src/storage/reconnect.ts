/**
 * How long a closed connection waits before it is opened again. The library's own wait grows only where no connection
 * comes about; a server that answers and refuses (it starts, has no free place, or the database is gone) would be asked
 * two hundred times a second by each process, which is what keeps such a server down.
 */
const FIRST_MS = 10;
const LONGEST_MS = 2_000;
/** So long after the last one a connection that closes is the first again. */
const CALM_MS = 10_000;

/** Gives, for each connection that closes, the seconds to wait; `nowMs` is a clock that never jumps, `random` from 0 to 1. */
export function createReconnect(nowMs: () => number, random: () => number): () => number {
  let inRow = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  return () => {
    const now = nowMs();
    inRow = now - lastMs < CALM_MS ? inRow + 1 : 0;
    lastMs = now;
    const waitMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** inRow);
    return ((0.5 + random() / 2) * waitMs) / 1_000;
  };
}
