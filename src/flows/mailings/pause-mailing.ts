/**
 * Pausing and resuming. A pause marks the launch; whatever is claimed of it after that is parked instead of run. A resume
 * makes the parked rows due again, page by page, in a task of its own: a million of them hold up nobody.
 */
import type { Ids } from '../../ids.ts';
import { type ClaimedRow, FIRST_ID, PIPELINE_CODES } from '../../storage/claim.ts';
import { readLaunches, setLaunchStates } from '../../storage/launches.ts';
import { type MailingRow, moveMailing } from '../../storage/mailings.ts';
import { lanesOfChannel, unparkPage } from '../../storage/stop-launch.ts';
import type { Directory } from '../directory/directory.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { Runtime } from '../runtime.ts';
import type { Effects } from '../settlement/effects.ts';
import { continueLater, insertTask, type MailingTask, SLICE_MS } from './task.ts';
import { wrongState } from './wrong-state.ts';

const PAGE_ROWS = 5_000;

export interface PauseMailing {
  readonly pause: (mailing: MailingRow) => Promise<void>;
  readonly resume: (mailing: MailingRow, ids: Ids) => Promise<void>;
  /** Makes the rows of a resumed launch due again. */
  readonly unpark: (row: ClaimedRow, task: MailingTask) => Promise<Effects>;
}

/** `wakeLanes` gets the lanes that have work. */
export function createPauseMailing(
  runtime: Runtime,
  directory: Directory,
  lanes: Lanes,
  wakeLanes: (laneIds: readonly number[]) => void,
): PauseMailing {
  const { database, clock } = runtime;
  return Object.freeze<PauseMailing>({
    pause: async (mailing) => {
      await database.transaction(async (tx) => {
        await setLaunchStates(tx, mailing.id, 'paused');
        if (!(await moveMailing(tx, mailing.id, ['sending'], 'paused', clock.now())))
          throw wrongState(mailing, 'paused', ['sending']);
      });
      directory.forget();
    },
    resume: async (mailing, ids) => {
      const nowMs = clock.now();
      const lane = await lanes.ownLane();
      await database.transaction(async (tx) => {
        const resumed = await setLaunchStates(tx, mailing.id, 'sending');
        if (!(await moveMailing(tx, mailing.id, ['paused'], 'sending', nowMs)))
          throw wrongState(mailing, 'resumed', ['paused']);
        for (const launchId of resumed) {
          await insertTask(tx, {
            ...{ id: ids.next(), accountId: mailing.account_id, laneId: lane.id, dueMs: nowMs },
            ...{ pipeline: PIPELINE_CODES.resume_launch, task: { launchId } },
          });
        }
      });
      directory.forget();
      wakeLanes([lane.id]);
    },
    unpark: async (row, task) => {
      const { launchId = '' } = task;
      const [launch] = await readLaunches(database, [launchId]);
      if (launch?.state !== 'sending') return { done: [row.id] };
      const endMs = clock.now() + SLICE_MS;
      const all = await lanesOfChannel(database, launch.channel_id, launch.account_id);
      for (const laneId of all.filter((each) => each >= (task.laneId ?? 0))) {
        let after: string | undefined = laneId === task.laneId ? (task.afterId ?? FIRST_ID) : FIRST_ID;
        while (after !== undefined) {
          const nowMs = clock.now();
          if (nowMs >= endMs) return continueLater(row, nowMs, { launchId, laneId, afterId: after });
          after = await unparkPage(database, launchId, laneId, after, PAGE_ROWS, nowMs);
          wakeLanes([laneId]);
        }
      }
      return { done: [row.id] };
    },
  });
}
