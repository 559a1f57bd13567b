/**
 * Where a worker searches in a lane. The cursor stands behind the last row that was claimed; rows of transactions that were
 * slow to commit may come to stand before it, so a search begins behind it now and then, and a sweep further behind.
 * Nothing is searched from the beginning of all time, where only dead rows are.
 */
import { type ClaimedRow, FIRST_ID, type LaneShare } from '../../storage/claim.ts';
import type { LaneRow } from '../../storage/lanes.ts';

/** Rows of transactions that were slow to commit may come to stand this far behind a cursor. */
export const STRAGGLER_MS = 2_000;
const STRAGGLER_EVERY_MS = 1_000;
const SWEEP_EVERY_MS = 30_000;
/** No statement that writes waiting rows takes longer. */
const LONGEST_COMMIT_MS = 600_000;
/** A lane that gave less than it was asked for is asked again after so long, so that what arrives travels together. */
const GATHER_MS = 15;
/** Earlier, and claims become small; later, and the process waits for them. */
const LOW_SHARE = 0.75;
/** What a lane may take at least while its limit sends some of it back. */
const LEAST_ROOM = 4;

interface Position {
  readonly dueMs: number;
  readonly afterId: string;
}

/** A lane as one worker knows it. */
export interface Lane {
  row: LaneRow;
  /** Runs that may be under way at once. */
  readonly most: number;
  /** With so many left it is asked for more, early enough that the others do not end before the answer comes. */
  readonly low: number;
  cursor: Position;
  running: number;
  /** Worth asking before the next poll. */
  hot: boolean;
  asked: boolean;
  /** The cursor was set back while the lane was asked: the answer must not move it on again. */
  rewound: boolean;
  blockedUntilMs: number;
  /** To let more arrive; by the machine's own clock. */
  restsUntilMs: number;
  /** What a claim may bring: less while the limit sends some of it back, so that what waits is seldom rewritten. */
  room: number;
  /** Since the last claim: runs that ended, and those of them that the limit sent back. */
  ended: number;
  limited: number;
  stragglersAtMs: number;
  sweepAtMs: number;
  /** Before this due time nothing can stand any more: a sweep starts here, not among the dead rows of all time. */
  sweptMs: number;
  /** Set while a sweep is asked: when it began and where the cursor stood. */
  sweep: { readonly nowMs: number; readonly cursor: Position } | undefined;
}

const BEGINNING: Position = Object.freeze({ dueMs: 0, afterId: FIRST_ID });

export function newLane(row: LaneRow, most: number, nowMs: number): Lane {
  return {
    row,
    most,
    low: Math.floor(most * LOW_SHARE),
    cursor: BEGINNING,
    running: 0,
    hot: true,
    asked: false,
    rewound: false,
    blockedUntilMs: 0,
    restsUntilMs: 0,
    room: most,
    ended: 0,
    limited: 0,
    stragglersAtMs: nowMs + STRAGGLER_EVERY_MS,
    sweepAtMs: nowMs + SWEEP_EVERY_MS,
    sweptMs: 0,
    sweep: undefined,
  };
}

/** Rows behind the cursor became claimable again: the lane is searched again. */
export function rewind(lane: Lane): void {
  lane.cursor = BEGINNING;
  lane.sweptMs = 0;
  lane.sweep = undefined;
  lane.rewound = lane.asked;
  lane.hot = true;
}

/** The clock was set back: what comes now stands behind the cursor, and nothing is worth waiting for any more. */
export function restart(lane: Lane): void {
  rewind(lane);
  lane.blockedUntilMs = 0;
  lane.stragglersAtMs = 0;
  lane.sweepAtMs = 0;
}

/** Marks the lane as asked. Returns the question: at its cursor, or behind it now and then. */
export function ask(lane: Lane, share: number, nowMs: number): LaneShare {
  lane.asked = true;
  lane.hot = false;
  const { dueMs, afterId } = searchFrom(lane, nowMs);
  return { laneId: lane.row.id, afterDueMs: dueMs, afterId, share };
}

function searchFrom(lane: Lane, nowMs: number): Position {
  const { cursor } = lane;
  if (nowMs >= lane.sweepAtMs) {
    lane.sweepAtMs = nowMs + SWEEP_EVERY_MS;
    lane.sweep = { nowMs, cursor };
    return { dueMs: lane.sweptMs, afterId: FIRST_ID };
  }
  // Far behind the present no slow transaction can still add rows before the cursor.
  const near = cursor.dueMs > nowMs - 5 * STRAGGLER_MS;
  if (near && nowMs >= lane.stragglersAtMs) {
    lane.stragglersAtMs = nowMs + STRAGGLER_EVERY_MS;
    return { dueMs: cursor.dueMs - STRAGGLER_MS, afterId: FIRST_ID };
  }
  return cursor;
}

/** Takes the answer in: where the cursor stands now, whether to ask again at once, how far was swept. */
export function takeAnswer(lane: Lane, rows: readonly ClaimedRow[], share: number): void {
  const { sweep, rewound } = lane;
  lane.asked = false;
  lane.rewound = false;
  lane.sweep = undefined;
  // A sweep that brought nothing from behind the cursor need not walk there again.
  if (sweep !== undefined && rows.every((row) => standsAfter(row, sweep.cursor))) {
    lane.sweptMs = Math.max(lane.sweptMs, Math.min(sweep.cursor.dueMs, sweep.nowMs - LONGEST_COMMIT_MS));
  }
  const whole = rows.length >= share;
  const last = rows.reduce<Position>(
    (far, row) => (standsAfter(row, far) ? { dueMs: row.due, afterId: row.id } : far),
    BEGINNING,
  );
  // A whole share from behind the cursor leaves more behind it, as a page that was slow to commit does: go on there.
  if (!rewound && (whole || isAfter(last, lane.cursor))) lane.cursor = last;
  if (whole) lane.hot = true;
  else if (rows.length > 0) lane.restsUntilMs = performance.now() + GATHER_MS;
}

/** The answer never came. */
export function forgetQuestion(lane: Lane): void {
  lane.asked = false;
  lane.rewound = false;
  lane.sweep = undefined;
}

/** What the next claim may bring. */
export function roomOf(lane: Lane): number {
  if (lane.ended === 0) return lane.room;
  if (lane.limited * 2 > lane.ended) lane.room = Math.max(LEAST_ROOM, Math.floor(lane.room / 2));
  else lane.room = Math.min(lane.most, lane.room * 2);
  lane.ended = 0;
  lane.limited = 0;
  return lane.room;
}

function standsAfter(row: ClaimedRow, position: Position): boolean {
  return row.due > position.dueMs || (row.due === position.dueMs && row.id > position.afterId);
}

function isAfter(a: Position, b: Position): boolean {
  return a.dueMs > b.dueMs || (a.dueMs === b.dueMs && a.afterId > b.afterId);
}
