/** Quiet hours as pure time: across midnight, across changes of the clock, in every zone. */
import { describe, expect, it } from 'vitest';
import { type QuietWindow, quietUntil } from '../../../src/flows/guards/quiet-hours.ts';
import { createWallClocks } from '../../../src/flows/guards/wall-clock.ts';

const clockOf = createWallClocks();
const ALL = new Set([0, 1, 2, 3, 4, 5, 6]);
const minutes = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
const quiet = (from: string, to: string, days: ReadonlySet<number> = ALL): QuietWindow => ({
  from: minutes(from),
  to: minutes(to),
  days,
});

function until(window: QuietWindow, zone: string, at: string): string | undefined {
  const clock = clockOf(zone);
  if (clock === undefined) throw new Error(`no zone ${zone}`);
  const ms = quietUntil(window, clock, Date.parse(at));
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

describe('quiet hours', () => {
  const night = quiet('22:00', '08:00');

  it('end in the morning of the zone, whichever side of midnight it is', () => {
    expect(until(night, 'Europe/Berlin', '2026-06-01T21:00:00Z')).toBe('2026-06-02T06:00:00.000Z');
    expect(until(night, 'Europe/Berlin', '2026-06-02T03:00:00.250Z')).toBe('2026-06-02T06:00:00.000Z');
    expect(until(night, 'America/New_York', '2026-06-02T03:00:00Z')).toBe('2026-06-02T12:00:00.000Z');
    expect(until(night, 'Asia/Kathmandu', '2026-06-01T16:15:00Z')).toBe('2026-06-02T02:15:00.000Z');
  });

  it('begin with their first minute and are over with their last', () => {
    expect(until(night, 'UTC', '2026-06-01T21:59:59.999Z')).toBeUndefined();
    expect(until(night, 'UTC', '2026-06-01T22:00:00Z')).toBe('2026-06-02T08:00:00.000Z');
    expect(until(night, 'UTC', '2026-06-02T07:59:59.999Z')).toBe('2026-06-02T08:00:00.000Z');
    expect(until(night, 'UTC', '2026-06-02T08:00:00Z')).toBeUndefined();
  });

  it('within one day do not go over midnight', () => {
    const noon = quiet('12:00', '14:00');
    expect(until(noon, 'UTC', '2026-06-01T13:00:00Z')).toBe('2026-06-01T14:00:00.000Z');
    expect(until(noon, 'UTC', '2026-06-01T23:00:00Z')).toBeUndefined();
  });

  it('are of the day on which they begin', () => {
    const friday = quiet('22:00', '08:00', new Set([5]));
    expect(until(friday, 'UTC', '2026-06-05T23:00:00Z')).toBe('2026-06-06T08:00:00.000Z');
    expect(until(friday, 'UTC', '2026-06-06T07:00:00Z')).toBe('2026-06-06T08:00:00.000Z');
    expect(until(friday, 'UTC', '2026-06-06T23:00:00Z')).toBeUndefined();
    expect(until(friday, 'UTC', '2026-06-05T07:00:00Z')).toBeUndefined();
  });

  it('that follow one another end with the last', () => {
    const weekend = quiet('00:00', '24:00', new Set([0, 6]));
    expect(until(weekend, 'Europe/Berlin', '2026-06-06T10:00:00Z')).toBe('2026-06-07T22:00:00.000Z');
    expect(until(weekend, 'Europe/Berlin', '2026-06-05T21:59:00Z')).toBeUndefined();
  });

  it('are an hour shorter in the night in which the clock is put forward, longer where it is put back', () => {
    expect(until(night, 'Europe/Berlin', '2026-03-28T21:00:00Z')).toBe('2026-03-29T06:00:00.000Z');
    expect(until(night, 'Europe/Berlin', '2026-10-24T20:00:00Z')).toBe('2026-10-25T07:00:00.000Z');
    expect(until(night, 'Australia/Lord_Howe', '2026-10-03T12:00:00Z')).toBe('2026-10-03T21:00:00.000Z');
  });

  it('whose end is skipped are over when the clock jumps', () => {
    // 02:00 becomes 03:00 at 01:00 UTC.
    expect(until(quiet('22:00', '02:30'), 'Europe/Berlin', '2026-03-29T00:30:00Z')).toBe(
      '2026-03-29T01:00:00.000Z',
    );
    expect(until(quiet('02:15', '02:45'), 'Europe/Berlin', '2026-03-29T01:00:00Z')).toBeUndefined();
  });

  it('that come twice are quiet twice', () => {
    const window = quiet('22:00', '02:30');
    // 02:30 for the first time is at 00:30 UTC; at 01:00 UTC it is 02:00 again.
    expect(until(window, 'Europe/Berlin', '2026-10-25T00:15:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(until(window, 'Europe/Berlin', '2026-10-25T00:45:00Z')).toBeUndefined();
    expect(until(window, 'Europe/Berlin', '2026-10-25T01:15:00Z')).toBe('2026-10-25T01:30:00.000Z');
  });

  it('survive a zone that skips a whole day', () => {
    expect(until(quiet('22:00', '08:00'), 'Pacific/Apia', '2011-12-30T09:00:00Z')).toBe(
      '2011-12-30T18:00:00.000Z',
    );
  });

  it('know which zones there are', () => {
    expect(clockOf('Mars/Olympus')).toBeUndefined();
    expect(clockOf('')).toBeUndefined();
    expect(clockOf('UTC')).toBeDefined();
  });
});

/** A generator of whole numbers that gives the same ones each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The definition, in words of the wall only: day, hour and minute as Intl shows them. */
function isQuiet(window: QuietWindow, format: Intl.DateTimeFormat, ms: number): boolean {
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(parts.weekday ?? '');
  const minute = Number(parts.hour) * 60 + Number(parts.minute);
  const yesterday = (day + 6) % 7;
  if (window.to > window.from) return window.days.has(day) && minute >= window.from && minute < window.to;
  return (
    (window.days.has(day) && minute >= window.from) || (window.days.has(yesterday) && minute < window.to)
  );
}

describe('in every zone', () => {
  const MINUTE_MS = 60_000;
  const random = numbers(20_260_601);
  const cases = Intl.supportedValuesOf('timeZone').map((zone) => {
    const from = random(1_440);
    const to = (from + 1 + random(1_439)) % 1_440;
    const days = new Set([...ALL].filter(() => random(4) > 0));
    return { zone, window: { from, to, days } };
  });

  it('what is quiet ends at the first moment that is not, minute by minute', () => {
    expect(cases.length).toBeGreaterThan(300);
    for (const { zone, window } of cases) {
      const format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone,
        hourCycle: 'h23',
        weekday: 'short',
        hour: 'numeric',
        minute: 'numeric',
      });
      const clock = clockOf(zone);
      if (clock === undefined) throw new Error(zone);
      // Some moment of 2026, and some near its changes of the clock.
      const year = Date.UTC(2026, 0, 1);
      const changes = Array.from({ length: 365 }, (_, day) =>
        clock.change(year + day * 86_400_000, year + (day + 1) * 86_400_000),
      ).filter((ms) => ms !== undefined);
      const moments = [
        year + random(525_600) * MINUTE_MS,
        ...changes.map((ms) => ms - random(600) * MINUTE_MS),
      ];
      for (const nowMs of moments) {
        const end = quietUntil(window, clock, nowMs);
        const label = `${zone} ${window.from}-${window.to} [${[...window.days]}] ${new Date(nowMs).toISOString()}`;
        let first = nowMs;
        while (first - nowMs < 8 * 86_400_000 && isQuiet(window, format, first)) first += MINUTE_MS;
        expect(end ?? nowMs, label).toBe(first);
      }
    }
  });
});
