/** Times as providers write them. */

/** Below this, a number of an event time is in seconds; above, in milliseconds. */
const SECONDS_BELOW = 100_000_000_000;

/** ISO 8601, or epoch seconds or milliseconds as text; anything else, and the far future, is `nowMs`. */
export function eventTimeMs(text: string | undefined, nowMs: number): number {
  if (text === undefined || text.trim() === '') return nowMs;
  const number = Number(text);
  const ms = Number.isFinite(number) ? (number < SECONDS_BELOW ? number * 1_000 : number) : Date.parse(text);
  return Number.isFinite(ms) && ms > 0 && ms < nowMs + 86_400_000 ? Math.round(ms) : nowMs;
}
