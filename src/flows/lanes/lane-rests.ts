/** Lanes whose provider asked for rest: kept in the database, so that no process claims or sends anything of them before. */
import { databaseFailure } from '../../storage/database.ts';
import { holdLane, type LaneRow } from '../../storage/lanes.ts';
import type { Runtime } from '../runtime.ts';
import type { LaneBreakers } from './lane-breakers.ts';

/** A rest that is this much longer than the known one is worth writing down. */
const WORTH_MS = 250;
/** What was just written may not yet be in what was just read. */
const SETTLING_MS = 2_000;

/** One lane as this process knows it; read for each request, so it is an object that is kept. */
export interface LaneRest {
  /** Undefined if it does not rest. */
  readonly untilMs: number | undefined;
}

export interface LaneRests {
  readonly of: (laneId: number) => LaneRest;
  /** The provider of the lane asked for so much rest. */
  readonly note: (laneId: number, forMs: number) => void;
  /** Takes over what the database says. */
  readonly refresh: (rows: readonly LaneRow[]) => void;
}

interface KnownRest {
  untilMs: number | undefined;
  notedAtMs: number;
}

function later(first: number | undefined, second: number | undefined): number | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return Math.max(first, second);
}

/** `told` is called when other processes should look at the lanes. */
export function createLaneRests(runtime: Runtime, told: () => void): LaneRests {
  const { database, clock, log } = runtime;
  const lanes = new Map<number, KnownRest>();
  const known = (laneId: number) => {
    const found = lanes.get(laneId);
    if (found !== undefined) return found;
    const made: KnownRest = { untilMs: undefined, notedAtMs: Number.NEGATIVE_INFINITY };
    lanes.set(laneId, made);
    return made;
  };

  return Object.freeze<LaneRests>({
    of: known,
    note: (laneId, forMs) => {
      const lane = known(laneId);
      const nowMs = clock.now();
      const untilMs = nowMs + forMs;
      if (lane.untilMs !== undefined && untilMs < lane.untilMs + WORTH_MS) return;
      lane.untilMs = untilMs;
      lane.notedAtMs = nowMs;
      log.info({ event: 'lane.held', lane: laneId, forMs }, 'a lane rests: its provider asked for it');
      holdLane(database, laneId, untilMs).then(told, (thrown: unknown) => {
        const failure = databaseFailure(thrown);
        log.error({ code: failure.code }, `a lane could not be held: ${failure.message}`);
      });
    },
    refresh: (rows) => {
      const nowMs = clock.now();
      for (const row of rows) {
        const untilMs = row.held_until?.getTime();
        const lane = untilMs === undefined ? lanes.get(row.id) : known(row.id);
        if (lane === undefined) continue;
        const settling = nowMs < lane.notedAtMs + SETTLING_MS;
        lane.untilMs = settling ? later(lane.untilMs, untilMs) : untilMs;
      }
    },
  });
}

/** The breakers, with nothing to claim of lanes that rest. */
export function withLaneRests(runtime: Runtime, breakers: LaneBreakers, rests: LaneRests): LaneBreakers {
  const { clock } = runtime;
  return Object.freeze<LaneBreakers>({
    ...breakers,
    refresh: (rows) => {
      rests.refresh(rows);
      breakers.refresh(rows);
    },
    mayClaim: (laneId) => {
      const { untilMs } = rests.of(laneId);
      return untilMs !== undefined && clock.now() < untilMs ? 'none' : breakers.mayClaim(laneId);
    },
  });
}
