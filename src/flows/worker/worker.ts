/**
 * The worker: claims what is due, performs it, settles it. Its invariants:
 * - it claims only what it can start at once, so that a crash leaves few runs in doubt;
 * - no lane takes more than its share of a claim, however much waits in it;
 * - each lane is searched from its own cursor on, never from the beginning, so that finished rows cost nothing;
 * - its claims are good as long as its heartbeat: a node that missed it starts nothing and settles nothing.
 */
import { type ClaimedRow, claim, type LaneShare, release, releaseLost } from '../../storage/claim.ts';
import { databaseFailure } from '../../storage/database.ts';
import { readLanes } from '../../storage/lanes.ts';
import { WEBHOOK_LANE } from '../../storage/operator-events.ts';
import type { Batcher } from '../batcher.ts';
import type { LaneBreakers } from '../lanes/lane-breakers.ts';
import {
  ask,
  forgetQuestion,
  type Lane,
  newLane,
  restart,
  rewind,
  roomOf,
  STRAGGLER_MS,
  takeAnswer,
} from '../lanes/lane-search.ts';
import type { Perform } from '../run/perform.ts';
import type { Runtime } from '../runtime.ts';
import type { Effects } from '../settlement/effects.ts';
import type { Tasks } from '../settlement/tasks.ts';
import { createBell } from './bell.ts';
import { createHeartbeat, type HeartbeatOptions } from './heartbeat.ts';

export interface WorkerOptions extends HeartbeatOptions {
  /** Runs under way at once, in one lane and in all. */
  readonly laneConcurrency: number;
  readonly concurrency: number;
  readonly pollMs: number;
}

export interface Worker {
  readonly start: () => Promise<void>;
  /** Stops claiming, lets finish what runs, settles it. */
  readonly stop: () => Promise<void>;
  /** Something waits in a lane; without one, anywhere. */
  readonly wake: (laneId?: number) => void;
  readonly node: () => number;
}

/** What is remembered of a row until it is settled; one object for each time that it is claimed. */
type Claimed = { readonly id: string; readonly laneId: number } & Pick<ClaimedRow, 'pipeline' | 'tries'>;

const LANES_EVERY_MS = 1_000;
/** What a lane may take of the last places. */
const FEW = 4;
/** Runs under way at once in the lane of a webhook. */
const WEBHOOK_CONCURRENCY = 4;
/** A limit is asked again at least so often. */
const LONGEST_HOLD_MS = 5_000;

/** A worker on a database. `settler` must settle under the number that `node()` gives. */
export function createWorker(
  runtime: Runtime,
  perform: Perform,
  tasks: Tasks,
  settler: Batcher<Effects>,
  breakers: LaneBreakers,
  options: WorkerOptions,
): Worker {
  const { database, clock, log, stages } = runtime;
  const lanes = new Map<number, Lane>();
  let stopping = false;
  let running = 0;
  let claiming = 0;
  let unsettled = 0;
  /** A claim failed, and what it may have marked is to be freed. */
  let claimLost = false;
  /** Runs go on whose claims were taken away; what they leave must not meet the same rows claimed again. */
  let outlived = false;
  const held = new Map<string, Claimed>();
  const heartbeat = createHeartbeat(runtime, options, () => {
    outlived = held.size > 0;
  });
  const mostUnsettled = options.concurrency * 2;
  const reserve = Math.floor(options.concurrency / 8);
  let lanesAtMs = 0;
  let pollAtMs = 0;
  let lastTurnMs = 0;
  /** Until the first resting lane may be asked again. */
  let restMs = Number.POSITIVE_INFINITY;
  /** When the first lane may be asked again that its limit held. */
  let resumeAtMs = Number.POSITIVE_INFINITY;
  let loop: Promise<void> | undefined;
  const bell = createBell();

  const refreshLanes = async (nowMs: number) => {
    lanesAtMs = nowMs + LANES_EVERY_MS;
    const rows = await readLanes(database);
    breakers.refresh(rows);
    for (const row of rows) {
      const known = lanes.get(row.id);
      if (known === undefined) {
        const most = row.key.startsWith(WEBHOOK_LANE) ? WEBHOOK_CONCURRENCY : options.laneConcurrency;
        lanes.set(row.id, newLane(row, most, nowMs));
        continue;
      }
      if (known.row.epoch !== row.epoch) rewind(known);
      known.row = row;
    }
  };

  /** The lanes to ask now, each with its share of what may still run. */
  const shares = (nowMs: number): LaneShare[] => {
    const poll = nowMs >= pollAtMs;
    if (poll) pollAtMs = nowMs + options.pollMs;
    if (nowMs >= resumeAtMs) resumeAtMs = Number.POSITIVE_INFINITY;
    const free = options.concurrency - running;
    if (free <= 0 || unsettled > mostUnsettled) return [];
    const ready: Lane[] = [];
    for (const lane of lanes.values()) {
      if (lane.asked || lane.row.paused_at !== null || lane.running >= lane.most) continue;
      if (nowMs < lane.blockedUntilMs) continue;
      const restsMs = lane.restsUntilMs - performance.now();
      if (restsMs > 0) {
        if (lane.hot) restMs = Math.min(restMs, restsMs);
        continue;
      }
      const may = breakers.mayClaim(lane.row.id);
      if (may === 'none' || (may === 'one' && lane.running > 0)) continue;
      // Not for each place that becomes free, so that claims stay large.
      if (lane.running > lane.low) continue;
      if (lane.hot || poll) ready.push(lane);
    }
    const fair = Math.max(1, Math.floor(free / Math.max(1, ready.length)));
    const asked: LaneShare[] = [];
    let left = free;
    for (const lane of ready) {
      // The last places are for lanes in which nothing runs, a few for each, so that hanging lanes never take them all.
      const open = left > reserve ? left - reserve : lane.running === 0 ? Math.min(left, FEW) : 0;
      const most = breakers.mayClaim(lane.row.id) === 'one' ? 1 : lane.most - lane.running;
      const share = Math.min(most, fair, open, roomOf(lane));
      if (share <= 0) continue;
      left -= share;
      asked.push(ask(lane, share, nowMs));
    }
    return asked;
  };

  const claimOnce = async (asked: readonly LaneShare[], nowMs: number) => {
    claiming += 1;
    const held = heartbeat.node();
    try {
      const startedMs = performance.now();
      const rows = await claim(database, held, nowMs, asked);
      if (rows.length > 0) stages.add('claim', rows.length, performance.now() - startedMs);
      const brought = Map.groupBy(rows, (row) => row.lane_id);
      for (const share of asked) {
        const lane = lanes.get(share.laneId);
        if (lane !== undefined) takeAnswer(lane, brought.get(share.laneId) ?? [], share.share);
      }
      if (stopping || heartbeat.isLate() || held !== heartbeat.node()) {
        await release(
          database,
          held,
          rows.map((row) => row.id),
        );
        return;
      }
      for (const row of rows) begin(row);
    } catch (thrown) {
      for (const share of asked) {
        const lane = lanes.get(share.laneId);
        if (lane !== undefined) forgetQuestion(lane);
      }
      const failure = databaseFailure(thrown);
      log.error({ code: failure.code }, `claiming failed: ${failure.message}`);
      claimLost = true;
      await pause(500);
    } finally {
      claiming -= 1;
      bell.ring();
    }
  };

  const begin = (row: ClaimedRow) => {
    const lane = lanes.get(row.lane_id);
    const { id, pipeline, tries } = row;
    const claimed: Claimed = { id, laneId: row.lane_id, pipeline, tries };
    running += 1;
    held.set(id, claimed);
    if (lane !== undefined) lane.running += 1;
    void end(tasks.get(pipeline)?.(row) ?? perform.row(row), claimed, lane);
  };

  /** Takes over what a run leaves; of its row, which may be large, nothing is kept until then. */
  const end = async (performing: Promise<Effects>, claimed: Claimed, lane: Lane | undefined) => {
    const startedMs = performance.now();
    try {
      const effects = await performing;
      stages.add('run', 1, performance.now() - startedMs);
      hold(lane, claimed, effects);
      if (effects.health !== undefined) breakers.note(claimed.laneId, effects.health);
      // The place in the lane is free when the run has ended; settling goes on beside the next ones.
      unsettled += 1;
      leave(lane);
      try {
        await settler.add(effects);
      } finally {
        unsettled -= 1;
        if (unsettled === mostUnsettled) bell.ring();
      }
      // Only what is settled is out of hand: a run that may have sent something is never simply given back.
      // It may have come back already, by a claim that was answered before the settling was.
      if (held.get(claimed.id) === claimed) held.delete(claimed.id);
    } catch (thrown) {
      const failure = databaseFailure(thrown);
      log.error(
        { waiting: claimed.id, code: failure.code },
        `a run could not be settled: ${failure.message}`,
      );
    }
  };

  const leave = (lane: Lane | undefined) => {
    running -= 1;
    if (lane === undefined) return bell.ring();
    lane.running -= 1;
    lane.ended += 1;
    if (lane.running === lane.low) bell.ring();
  };

  /** A lane whose limit has no free token is not asked before there is one. */
  const hold = (lane: Lane | undefined, { tries, pipeline }: Claimed, effects: Effects) => {
    const again = effects.again?.[0];
    // A task that waits, for a launch to be resumed, says nothing about the others.
    if (lane === undefined || again === undefined || again.tries !== tries || tasks.has(pipeline)) return;
    // Later than that is no limit's doing, or one so slow that each of its events is better put back once.
    if (again.dueMs >= clock.now() + LONGEST_HOLD_MS) return;
    lane.limited += 1;
    if (again.dueMs > lane.blockedUntilMs) {
      lane.blockedUntilMs = again.dueMs;
      lane.hot = true;
      resumeAtMs = Math.min(resumeAtMs, again.dueMs);
    }
  };

  const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

  const turn = async () => {
    while (!stopping) {
      try {
        const nowMs = clock.now();
        if (nowMs < lastTurnMs - STRAGGLER_MS) {
          lanesAtMs = 0;
          pollAtMs = 0;
          lanes.forEach(restart);
        }
        lastTurnMs = nowMs;
        if (nowMs >= lanesAtMs) await refreshLanes(nowMs);
        if (claimLost && claiming === 0) {
          await releaseLost(database, heartbeat.node(), [...held.keys()]);
          claimLost = false;
        }
        if (outlived && held.size === 0) outlived = false;
        restMs = Number.POSITIVE_INFINITY;
        const asked = claiming < 2 && !claimLost && !outlived ? shares(nowMs) : [];
        if (asked.length > 0) void claimOnce(asked, nowMs);
        const untilPollMs = Math.max(5, Math.min(pollAtMs, lanesAtMs, resumeAtMs) - clock.now());
        await bell.sleep(Math.max(1, Math.min(untilPollMs, restMs)));
      } catch (thrown) {
        const failure = databaseFailure(thrown);
        log.error({ code: failure.code }, `the worker will try again: ${failure.message}`);
        await pause(500);
      }
    }
  };

  return Object.freeze<Worker>({
    node: heartbeat.node,
    wake: (laneId) => {
      const lane = laneId === undefined ? undefined : lanes.get(laneId);
      if (lane !== undefined) lane.hot = true;
      else lanesAtMs = 0;
      bell.ring();
    },
    start: async () => {
      await heartbeat.start();
      loop = turn();
    },
    stop: async () => {
      stopping = true;
      bell.ring();
      await loop;
      while (claiming > 0 || running > 0 || unsettled > 0) await pause(5);
      await settler.drain();
      heartbeat.stop();
      if (claimLost) await releaseLost(database, heartbeat.node(), [...held.keys()]);
      // What could not be settled is for another node to judge, once this one is silent.
      if (held.size === 0) await heartbeat.leave();
    },
  });
}
