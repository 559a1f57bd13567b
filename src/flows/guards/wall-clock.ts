/** What the clocks of a time zone show, by the zones that Temporal knows. */

/** Zones are found once; there are some hundred, and more ways to write them. */
const MOST_ZONES = 1_000;

export interface WallClock {
  /** The local time, written as if it were UTC, in milliseconds. */
  readonly at: (ms: number) => number;
  /** The first moment in `(fromMs, toMs]` at which the clock is put forward or back; undefined if it is not. */
  readonly change: (fromMs: number, toMs: number) => number | undefined;
  /** The first moment at which the clock shows this local time; if it skips it, the one at which it would have. */
  readonly momentOf: (localMs: number) => number;
}

/** Returns the clock of a zone; undefined if there is no such zone. Clocks are kept. */
export function createWallClocks(): (zone: string) => WallClock | undefined {
  const known = new Map<string, WallClock | undefined>();
  return (zone) => {
    if (known.has(zone)) return known.get(zone);
    if (known.size >= MOST_ZONES) known.clear();
    const made = wallClock(zone);
    known.set(zone, made);
    return made;
  };
}

function wallClock(zone: string): WallClock | undefined {
  const zoned = (ms: number) => Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);
  try {
    zoned(0);
  } catch {
    return undefined;
  }
  return Object.freeze<WallClock>({
    at: (ms) => ms + zoned(ms).offsetNanoseconds / 1e6,
    change: (fromMs, toMs) => {
      const next = zoned(fromMs).getTimeZoneTransition('next')?.epochMilliseconds;
      return next !== undefined && next <= toMs ? next : undefined;
    },
    momentOf: (localMs) =>
      Temporal.Instant.fromEpochMilliseconds(localMs)
        .toZonedDateTimeISO('UTC')
        .toPlainDateTime()
        .toZonedDateTime(zone, { disambiguation: 'compatible' }).epochMilliseconds,
  });
}
