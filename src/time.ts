/** The time as the program sees it: given, never read. Milliseconds since the epoch. */
export interface Clock {
  readonly now: () => number;
}

/** The clock of the machine. */
export const systemClock: Clock = Object.freeze({ now: () => Date.now() });

/** ISO 8601 with milliseconds, UTC. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
