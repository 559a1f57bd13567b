/** The time as the program sees it: given, never read. Milliseconds since the epoch. */
export interface Clock {
  readonly now: () => number;
}

/** The clock of the machine. */
export const systemClock: Clock = Object.freeze({ now: () => Date.now() });

let lastMs = Number.NaN;
let lastText = '';

/** ISO 8601 with milliseconds, UTC. Many runs begin in the same millisecond, so the last text is kept. */
export function isoTime(ms: number): string {
  if (ms !== lastMs) {
    lastText = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastText;
}
