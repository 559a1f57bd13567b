/**
 * Quiet hours, by the clock on the wall of the one who would be disturbed. A moment is quiet where that clock shows a
 * time of the window, whatever the clock was put forward or back: an hour that is skipped is not waited for, and one
 * that comes twice is quiet twice.
 */
import type { WallClock } from './wall-clock.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Windows that follow one another without a gap; rules that leave no gap in a week are refused when they are saved. */
const MOST_WINDOWS = 16;

export interface QuietWindow {
  /** Minutes after midnight; up to 1,440. Where `to` is not later than `from`, the window ends on the next day. */
  readonly from: number;
  readonly to: number;
  /** Days on which the window begins, 0 is Sunday. */
  readonly days: ReadonlySet<number>;
}

/** The next moment that is not quiet; undefined where `nowMs` is not. */
export function quietUntil(window: QuietWindow, clock: WallClock, nowMs: number): number | undefined {
  let ms = nowMs;
  let until: number | undefined;
  for (let turn = 0; turn < MOST_WINDOWS; turn += 1) {
    const wall = clock.at(ms);
    const end = endOnWall(window, wall);
    if (end === undefined) return until;
    // Where the clock is put forward or back before the end, what it shows then is looked at again.
    const plain = ms + (end - wall);
    until = clock.change(ms, plain) ?? plain;
    ms = until;
  }
  return until;
}

/** When the window that this wall time is in ends, as wall time; undefined if it is in none. */
function endOnWall(window: QuietWindow, wall: number): number | undefined {
  const today = Math.floor(wall / DAY_MS) * DAY_MS;
  const length = window.to > window.from ? window.to - window.from : window.to + 1_440 - window.from;
  for (const midnight of [today, today - DAY_MS]) {
    const start = midnight + window.from * MINUTE_MS;
    const end = start + length * MINUTE_MS;
    if (wall >= start && wall < end && window.days.has(new Date(midnight).getUTCDay())) return end;
  }
  return undefined;
}
