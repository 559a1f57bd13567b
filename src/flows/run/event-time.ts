/** Times as providers write them. */

/** Digits before the point: seconds, milliseconds, microseconds, nanoseconds of these years. */
const EPOCH_DIVISORS: ReadonlyMap<number, number> = new Map([
  [10, 0.001],
  [13, 1],
  [16, 1_000],
  [19, 1_000_000],
]);
const COMPACT = /^(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)Z?)?$/;
const ISO =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?) ?(z|utc|gmt|[+-]\d\d(?::?\d\d)?)?)?$/i;
/** RFC 2822 and RFC 1123: the day of the week may be left out. */
const MAIL = /^(?:[a-z]{3}, *)?\d{1,2} [a-z]{3} \d{4} \d\d:\d\d(?::\d\d)? (?:gmt|utc|ut|z|[+-]\d{4})$/i;
/** Clocks of providers may be ahead by this much. */
const AHEAD_MS = 86_400_000;

/**
 * Returns the milliseconds that a provider's time means; undefined if it cannot be read, is 0 or before 1970, or is more
 * than a day after `nowMs`. Read are ISO 8601 with any offset (` UTC`, `+00`, ` +0000`; without one it is UTC), RFC 2822,
 * RFC 1123, dates without signs, and epoch seconds, milliseconds, microseconds or nanoseconds.
 */
export function readEventTime(text: string, nowMs: number): number | undefined {
  const ms = msOf(text.trim());
  return Number.isFinite(ms) && ms > 0 && ms < nowMs + AHEAD_MS ? Math.round(ms) : undefined;
}

function msOf(text: string): number {
  const divisor = /^\d+(?:\.\d+)?$/.test(text)
    ? EPOCH_DIVISORS.get((text.split('.')[0] ?? '').length)
    : undefined;
  if (divisor !== undefined) return Number(text) / divisor;
  const compact = COMPACT.exec(text);
  if (compact !== null) {
    const [, year, month, day, hour = '00', minute = '00', second = '00'] = compact;
    return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  }
  const iso = ISO.exec(text);
  if (iso !== null) {
    const [, day, time = '00:00', zone = 'Z'] = iso;
    const offset = /^([+-]\d\d):?(\d\d)?$/.exec(zone);
    const end = offset === null ? 'Z' : `${offset[1]}:${offset[2] ?? '00'}`;
    return Date.parse(`${day}T${time.replace(',', '.')}${end}`);
  }
  return MAIL.test(text) ? Date.parse(text.replace(/ (?:ut|utc|z)$/i, ' GMT')) : Number.NaN;
}

/** Returns the milliseconds of an event time; what cannot be read is `nowMs`: a report is worth more than its time. */
export function eventTimeMs(text: string | undefined, nowMs: number): number {
  return (text === undefined ? undefined : readEventTime(text, nowMs)) ?? nowMs;
}

/** Says of an event whose time cannot be read that it has the time at which it came; undefined if it can, or has none. */
export function timeNote(text: string | undefined, nowMs: number): string | undefined {
  if (text === undefined || text.trim() === '' || readEventTime(text, nowMs) !== undefined) return undefined;
  return `The time ${JSON.stringify(text.slice(0, 40))} could not be read, so this is the time at which the event came.`;
}
