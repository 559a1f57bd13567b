/** The time as the program sees it: given, never read. Milliseconds since the epoch. */
export interface Clock {
  readonly now: () => number;
}

const FIRST_MS = Date.UTC(1900, 0, 1);
const LAST_MS = Date.UTC(10_000, 0, 1) - 1;

/** Whether every part can keep a time: a number, and a year of four digits in UTC, too. */
export function isKeepable(ms: number): boolean {
  return ms >= FIRST_MS && ms <= LAST_MS;
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
