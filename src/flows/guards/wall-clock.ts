/** What the clock on the wall says in a time zone. */

const DAY_MS = 86_400_000;
/** Formatters are costly to make; there are some hundred zones, and more ways to write them. */
const MOST_ZONES = 1_000;

export interface WallClock {
  /** The time on the wall, written as if it were UTC, in milliseconds. */
  readonly at: (ms: number) => number;
  /** The first moment in `(fromMs, toMs]` after which the clock was put forward or back; undefined where it was not. */
  readonly change: (fromMs: number, toMs: number) => number | undefined;
}

/** Gives the clock of a zone; undefined where there is no such zone. Clocks are kept. */
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

function wallClock(timeZone: string): WallClock | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'iso8601',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return undefined;
  }
  const at = (ms: number): number => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(ms)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    // Offsets are whole seconds, so what is below a second is the same everywhere.
    return Date.UTC(year, month - 1, day, hour, minute, second) + (((ms % 1_000) + 1_000) % 1_000);
  };
  const offset = (ms: number) => at(ms) - ms;
  return Object.freeze<WallClock>({
    at,
    change: (fromMs, toMs) => {
      const before = offset(fromMs);
      if (toMs - fromMs > 2 * DAY_MS || offset(toMs) === before) return undefined;
      let [low, high] = [fromMs, toMs];
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (offset(middle) === before) low = middle;
        else high = middle;
      }
      return high;
    },
  });
}
