/**
 * Housekeeping, done by every node alike and by none in particular: what dead nodes held, launches that have ended,
 * early events whose message came, rows past their time, partitions to come.
 */

import { encodeValue } from '../../json.ts';
import { leaveNode, PIPELINE_CODES, release } from '../../storage/claim.ts';
import { databaseFailure } from '../../storage/database.ts';
import { saveSenders } from '../../storage/fallback.ts';
import { dropOldGuards } from '../../storage/guards.ts';
import { foldCounts } from '../../storage/launch-counts.ts';
import { finishLaunches } from '../../storage/launches.ts';
import { announceFailedRequests } from '../../storage/listener-requests.ts';
import { makePartitions } from '../../storage/migrate.ts';
import { dropOld } from '../../storage/retention.ts';
import { STATE_CODES } from '../../storage/states.ts';
import { type OrphanRow, takeOver } from '../../storage/take-over.ts';
import { findJoinable, unpark } from '../../storage/unmatched-events.ts';
import type { Directory } from '../directory/directory.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { logOperatorEvents } from '../log-operator-events.ts';
import { PACE_MS } from '../mailings/progress.ts';
import type { Runtime } from '../runtime.ts';
import { createMoveOpenLanes } from '../senders/move-open-lanes.ts';
import type { Effects } from '../settlement/effects.ts';
import { settleEffects } from '../settlement/settler.ts';

const MOST_JOINED = 1_000;
/** Events younger than this are looked up each time; older ones now and then. */
const YOUNG_MS = 300_000;

export interface Housekeeping {
  readonly start: () => void;
  readonly stop: () => Promise<void>;
  /** Takes over what nodes held that have been silent for so long. */
  readonly takeOverAfter: (silentMs: number) => Promise<number>;
  /** Joins parked events with messages that are known by now. */
  readonly joinParked: (sinceMs: number) => Promise<number>;
  readonly finish: () => Promise<number>;
  /** Emits operator events for requests of providers that failed since the last call. */
  readonly announceFailed: () => Promise<void>;
  /** Deletes contacts that no cap counts any more, and suppressions whose time is over. */
  readonly dropOldGuards: () => Promise<void>;
  /** Moves on what waits in open lanes. */
  readonly moveOpenLanes: () => Promise<number>;
}

export interface HousekeepingOptions {
  readonly leaseMs: number;
  readonly retentionDays: number;
}

/** `node` gives the number under which this process settles. */
export function createHousekeeping(
  runtime: Runtime,
  directory: Directory,
  lanes: Lanes,
  node: () => number,
  wakeLanes: (laneIds: readonly number[]) => void,
  options: HousekeepingOptions,
): Housekeeping {
  const { database, clock, ids, log } = runtime;

  /** A run that its node did not settle may run again only if nothing it may have sent does harm when repeated. */
  const mayRepeat = async (row: OrphanRow): Promise<boolean> => {
    if (row.message_id === null || row.pipeline >= PIPELINE_CODES.open_launch) return true;
    if (row.pipeline === PIPELINE_CODES.listener) return true;
    const channel = await directory.version(row.channel_version_id);
    if (channel.document.unknown === 'retry') return true;
    const name =
      row.pipeline === PIPELINE_CODES.schedule
        ? 'schedule'
        : row.pipeline === PIPELINE_CODES.stop
          ? 'stop'
          : row.pipeline === PIPELINE_CODES.moderate
            ? 'moderate'
            : 'message';
    const plan = channel.plans[name];
    const at = row.pipe === null ? plan?.entry : plan?.pipes.get(row.pipe);
    return at === undefined || !at.unsafe;
  };

  const takeOverAfter = async (silentMs: number): Promise<number> => {
    const { heir, orphans, emitted } = await takeOver(database, node(), silentMs, clock.now());
    logOperatorEvents(log, emitted);
    if (heir === undefined) return 0;
    const again: string[] = [];
    const doubted: string[] = [];
    const unknown: Effects[] = [];
    for (const row of orphans) {
      if (await mayRepeat(row)) {
        again.push(row.id);
        if (row.message_id !== null) doubted.push(row.message_id);
      } else unknown.push(unknownParts(row));
    }
    await saveSenders(database, doubted);
    await release(database, heir, again);
    for (let start = 0; start < unknown.length; start += MOST_JOINED) {
      await settleEffects(runtime, heir, unknown.slice(start, start + MOST_JOINED));
    }
    await leaveNode(database, heir);
    if (orphans.length === 0) return 0;
    log.warn({ again: again.length, unknown: unknown.length }, 'took over what a dead node held');
    wakeLanes([]);
    return orphans.length;
  };

  const unknownParts = (row: OrphanRow): Effects => {
    const messageId = row.message_id ?? row.id;
    const attempt = row.attempt ?? 1;
    return {
      done: [row.id],
      messages: [
        {
          source: row.id,
          id: messageId,
          launchId: row.launch_id,
          attempt,
          state: STATE_CODES.unknown,
          reason: 'ENGINE_DIED',
          externalId: null,
        },
      ],
      exhausted: [{ source: row.id, messageId, state: 'unknown', reason: 'ENGINE_DIED' }],
      attempts: [
        {
          source: row.id,
          id: ids.next(),
          accountId: row.account_id ?? '',
          messageId,
          number: attempt,
          outcome: 'unknown',
          trail: JSON.stringify([
            {
              pipe: row.pipe,
              error: {
                code: 'SEND_UNKNOWN',
                message:
                  'The engine died while this message was being sent. The provider may have taken it; repeating is not declared safe for this channel, so it was not repeated.',
              },
            },
          ]),
        },
      ],
    };
  };

  const joinParked = async (sinceMs: number): Promise<number> => {
    const parked = await findJoinable(database, sinceMs, MOST_JOINED);
    if (parked.length === 0) return 0;
    const lane = await lanes.ownLane();
    const rows = parked.map((row) => {
      const unmatched = {
        ...row.event,
        id: row.id,
        channelId: row.channel_id,
        accountId: row.account_id,
        senderId: row.sender_id,
        externalId: row.external_id,
        messageId: row.message_id,
      };
      return { id: row.id, payload: encodeValue({ recorded: { unmatched: [unmatched] } }) };
    });
    await unpark(database, lane.id, rows, clock.now());
    wakeLanes([lane.id]);
    return rows.length;
  };

  const finish = async (): Promise<number> => {
    const { ended, emitted } = await finishLaunches(database, clock.now());
    logOperatorEvents(log, emitted);
    for (const launch of ended)
      log.info({ launch: launch.id, mailing: launch.mailing_id }, 'a launch has ended');
    if (ended.length > 0) directory.forget();
    return ended.length;
  };

  const announceFailed = async () => {
    logOperatorEvents(log, await announceFailedRequests(database, clock.now()));
  };

  const dropGuards = () => dropOldGuards(database, clock.now());
  const moveOpenLanes = createMoveOpenLanes(runtime, directory, lanes, wakeLanes);

  const jobs: { everyMs: number; run: () => Promise<unknown> }[] = [
    { everyMs: Math.floor(options.leaseMs / 4), run: () => takeOverAfter(options.leaseMs) },
    { everyMs: 1_000, run: () => joinParked(clock.now() - YOUNG_MS) },
    { everyMs: 300_000, run: () => joinParked(0) },
    { everyMs: 1_000, run: finish },
    { everyMs: 5_000, run: announceFailed },
    { everyMs: 1_000, run: () => foldCounts(database, clock.now() - PACE_MS) },
    { everyMs: 1_000, run: moveOpenLanes },
    { everyMs: 3_600_000, run: () => makePartitions(database, clock.now()) },
    { everyMs: 60_000, run: () => dropOld(database, clock.now(), options.retentionDays) },
    { everyMs: 60_000, run: dropGuards },
  ];
  const timers = new Set<NodeJS.Timeout>();
  const running = new Set<Promise<void>>();
  let stopping = false;

  const schedule = (job: { everyMs: number; run: () => Promise<unknown> }, delayMs: number) => {
    if (stopping) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      const startedMs = performance.now();
      const done = job
        .run()
        .then(
          () => {},
          (thrown: unknown) =>
            log.error(
              { code: databaseFailure(thrown).code },
              `housekeeping: ${databaseFailure(thrown).message}`,
            ),
        )
        // A job that takes long is done less often, so that it never takes more than a small part of the time.
        .finally(() => {
          running.delete(done);
          schedule(job, Math.max(job.everyMs, (performance.now() - startedMs) * 20));
        });
      running.add(done);
    }, delayMs);
    timers.add(timer);
  };

  return Object.freeze<Housekeeping>({
    start: () => {
      for (const job of jobs) schedule(job, Math.min(job.everyMs, 1_000));
    },
    stop: async () => {
      stopping = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.all(running);
    },
    takeOverAfter,
    joinParked,
    finish,
    dropOldGuards: dropGuards,
    announceFailed,
    moveOpenLanes,
  });
}
