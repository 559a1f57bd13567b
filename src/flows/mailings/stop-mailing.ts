/**
 * Stopping mailings. The call marks the launches, and from then on nothing new is sent; the rest is a task for each
 * launch, page by page: first what waits is stopped, then, of a placement mailing, what was placed goes through the Stop
 * pipeline, together with what is on its way. What runs at the stop may still come back to be tried again; the task
 * stays until all of it has ended.
 */
import type { Ids } from '../../ids.ts';
import { type ClaimedRow, FIRST_ID, PIPELINE_CODES } from '../../storage/claim.ts';
import { type LaunchRow, launchesOfMailing, readLaunches, stopLaunches } from '../../storage/launches.ts';
import { type MailingRow, moveMailing } from '../../storage/mailings.ts';
import { lanesOfChannel, openMessages, stopWaiting, withdrawPage } from '../../storage/stop-launch.ts';
import type { Directory } from '../directory/directory.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { logOperatorEvents } from '../log-operator-events.ts';
import type { Runtime } from '../runtime.ts';
import type { Effects } from '../settlement/effects.ts';
import { emitMailingEvent } from './emit-mailing-event.ts';
import { continueLater, insertTask, type MailingTask, SLICE_MS } from './task.ts';
import { wrongState } from './wrong-state.ts';

const PAGE_ROWS = 5_000;
/** What ran at the stop is looked for again after so long. */
const REST_MS = 2_000;
/** What ran while a walk began may be due again so long before that, by the clock of another process. */
const MARGIN_MS = 2_000;
const BY_HAND = ['scheduled', 'moderating', 'sending', 'paused', 'finished'];

export interface StopMailing {
  readonly stop: (mailing: MailingRow, ids: Ids) => Promise<void>;
  /** Stops a mailing whose launch has come to its stopAt; WRONG_STATE if there is nothing to stop. */
  readonly stopAt: (mailing: MailingRow, launchId: string, ids: Ids) => Promise<void>;
  /** Stops what waits of a stopped launch, and withdraws what was placed. */
  readonly stopLaunch: (row: ClaimedRow, task: MailingTask) => Promise<Effects>;
}

/** `wakeLanes` gets the lanes that have work. */
export function createStopMailing(
  runtime: Runtime,
  directory: Directory,
  lanes: Lanes,
  wakeLanes: (laneIds: readonly number[]) => void,
): StopMailing {
  const { database, clock, log } = runtime;

  const stop = async (mailing: MailingRow, ids: Ids, from: readonly string[], by: 'request' | 'schedule') => {
    const nowMs = clock.now();
    const lane = await lanes.ownLane();
    const emitted = await database.transaction(async (tx) => {
      const stopped = await stopLaunches(tx, mailing.id, mailing.type === 'placement');
      if (!(await moveMailing(tx, mailing.id, from, 'stopped', nowMs)))
        throw wrongState(mailing, 'stopped', from);
      for (const launchId of stopped) {
        await insertTask(tx, {
          ...{ id: ids.next(), accountId: mailing.account_id, laneId: lane.id, dueMs: nowMs },
          ...{ pipeline: PIPELINE_CODES.stop_launch, task: { launchId } },
        });
      }
      return emitMailingEvent(tx, 'mailing.stopped', mailing, { by }, nowMs);
    });
    logOperatorEvents(log, emitted);
    directory.forget();
    wakeLanes([lane.id]);
  };

  /** Stops what waits from a place on, in all lanes of the channel; gives where to go on, and whether all is done. */
  const sweep = async (
    launch: LaunchRow,
    task: MailingTask,
    endMs: number,
  ): Promise<{ readonly whole: boolean; readonly task: MailingTask }> => {
    const { id: launchId } = launch;
    const { sweptMs, begunMs = clock.now() } = task;
    const all = await lanesOfChannel(database, launch.channel_id, launch.account_id);
    // What came back from a run since the last walk began is due after that, and stands there still where its lane rests.
    const first = { dueMs: Math.max(0, (sweptMs ?? 0) - MARGIN_MS), afterId: FIRST_ID };
    for (const laneId of all.filter((each) => each >= (task.laneId ?? 0))) {
      const here = laneId === task.laneId;
      let after: typeof first | undefined = here
        ? { dueMs: task.dueMs ?? first.dueMs, afterId: task.afterId ?? FIRST_ID }
        : first;
      while (after !== undefined) {
        const nowMs = clock.now();
        if (nowMs >= endMs) return { whole: false, task: { ...task, begunMs, laneId, ...after } };
        after = await stopWaiting(database, launchId, laneId, after, sweptMs === undefined, PAGE_ROWS, nowMs);
      }
    }
    return { whole: true, task: { launchId, sweptMs: begunMs } };
  };

  /** Withdraws what was placed; true when all of it was looked at. */
  const withdraw = async (launch: LaunchRow, endMs: number): Promise<boolean> => {
    let { withdrawn_to: withdrawnTo } = launch;
    for (;;) {
      const nowMs = clock.now();
      if (nowMs >= endMs) return false;
      const page = await withdrawPage(database, launch.id, withdrawnTo, PAGE_ROWS, nowMs);
      if (page.lanes.length > 0) wakeLanes(page.lanes);
      if (!page.more) return true;
      withdrawnTo = page.withdrawnTo;
    }
  };

  return Object.freeze<StopMailing>({
    stop: (mailing, ids) => stop(mailing, ids, BY_HAND, 'request'),
    stopAt: async (mailing, launchId, ids) => {
      const launches = await launchesOfMailing(database, mailing.id);
      // A later start has a time of its own.
      if (launches.findLast((each) => each.kind === 'real')?.id !== launchId) return;
      const placed = mailing.type === 'placement';
      await stop(mailing, ids, ['sending', 'paused', ...(placed ? ['finished'] : [])], 'schedule');
    },
    stopLaunch: async (row, task) => {
      const { launchId = '' } = task;
      const endMs = clock.now() + SLICE_MS;
      const [launch] = await readLaunches(database, [launchId]);
      if (launch?.state !== 'stopped') return { done: [row.id] };
      const swept = await sweep(launch, task, endMs);
      if (!swept.whole) return continueLater(row, clock.now(), swept.task);
      if (launch.withdrawing && !(await withdraw(launch, endMs)))
        return continueLater(row, clock.now(), swept.task);
      if ((await openMessages(database, launchId)) === 0) return { done: [row.id] };
      return continueLater(row, clock.now() + REST_MS, swept.task);
    },
  });
}
