/** Mailings: started, tested, paused, resumed, stopped; one file for each verb is in the folder beside this. */
import { Failure } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import { decodeValue } from '../../json.ts';
import { type ClaimedRow, PIPELINE_CODES } from '../../storage/claim.ts';
import { type MailingRow, moveMailing, readMailing } from '../../storage/mailings.ts';
import type { Directory } from '../directory/directory.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { Runtime } from '../runtime.ts';
import type { Effects } from '../settlement/effects.ts';
import { type PerformTask, steady, type Tasks } from '../settlement/tasks.ts';
import { type CountAudience, createCountAudience } from './audience-reach.ts';
import { createLaunchMailing } from './launch-mailing.ts';
import { createModerated, orDraft } from './moderate-mailing.ts';
import { createOpenLaunch } from './open-launch.ts';
import { createPauseMailing } from './pause-mailing.ts';
import { stopMsOf } from './schedule.ts';
import { createStopMailing } from './stop-mailing.ts';
import type { MailingTask } from './task.ts';
import { createMailingWatch, type MailingWatch } from './watch-mailings.ts';

export interface Mailings {
  readonly start: (mailing: MailingRow, ids: Ids) => Promise<void>;
  /** Sends to some profiles (direct) or to the resource (indirect) without changing the mailing. */
  readonly test: (mailing: MailingRow, profiles: readonly string[], ids: Ids) => Promise<string>;
  readonly countAudience: CountAudience;
  readonly pause: (mailing: MailingRow, ids: Ids) => Promise<void>;
  readonly resume: (mailing: MailingRow, ids: Ids) => Promise<void>;
  readonly stop: (mailing: MailingRow, ids: Ids) => Promise<void>;
  readonly watching: MailingWatch;
  /** The engine's own waiting rows: launches to open and to stop, mailings to start and stop, verdicts of moderations. */
  readonly tasks: Tasks;
}

/** `wakeLanes` gets the lanes that have work. */
export function createMailings(
  runtime: Runtime,
  directory: Directory,
  lanes: Lanes,
  wakeLanes: (laneIds: readonly number[]) => void,
): Mailings {
  const { database, clock, log } = runtime;
  const launching = createLaunchMailing(runtime, directory, lanes, wakeLanes);
  const pausing = createPauseMailing(runtime, directory, lanes, wakeLanes);
  const stopping = createStopMailing(runtime, directory, lanes, wakeLanes);
  const openLaunch = createOpenLaunch(runtime, directory, lanes, wakeLanes);
  const moderated = createModerated(runtime, launching);

  /** A state that changed in the meantime makes a task pointless, not failed. */
  const quietly = async (run: () => Promise<void>) => {
    try {
      await run();
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.code !== 'WRONG_STATE') throw thrown;
      log.warn({ code: thrown.code }, thrown.message);
    }
  };

  const startScheduled = async (mailing: MailingRow) => {
    const nowMs = clock.now();
    const stopMs = stopMsOf(mailing.schedule);
    if (stopMs !== undefined && stopMs <= nowMs) {
      const reason = 'Its stopAt had passed before it could start.';
      await moveMailing(database, mailing.id, ['scheduled'], 'stopped', nowMs, reason);
      return;
    }
    await orDraft(runtime, mailing, ['scheduled'], () =>
      launching.startNow(mailing, runtime.ids, ['scheduled']),
    );
  };

  /** A task of a mailing, which may be gone by now. */
  const ofMailing =
    (perform: (mailing: MailingRow, task: MailingTask) => Promise<void>) =>
    async (row: ClaimedRow, task: MailingTask): Promise<Effects> => {
      const mailing = await readMailing(database, task.mailingId ?? '');
      if (mailing !== undefined) await quietly(() => perform(mailing, task));
      return { done: [row.id] };
    };

  const tasks: Readonly<Record<number, (row: ClaimedRow, task: MailingTask) => Promise<Effects>>> = {
    [PIPELINE_CODES.open_launch]: openLaunch,
    [PIPELINE_CODES.resume_launch]: pausing.unpark,
    [PIPELINE_CODES.stop_launch]: stopping.stopLaunch,
    [PIPELINE_CODES.start_mailing]: ofMailing(startScheduled),
    [PIPELINE_CODES.stop_mailing]: ofMailing((mailing, { launchId = '' }) =>
      stopping.stopAt(mailing, launchId, runtime.ids),
    ),
    [PIPELINE_CODES.moderated]: async (row, task) => {
      await quietly(() => moderated(task));
      return { done: [row.id] };
    },
  };

  return Object.freeze<Mailings>({
    start: launching.start,
    test: launching.test,
    countAudience: createCountAudience(runtime, directory),
    pause: pausing.pause,
    resume: pausing.resume,
    stop: stopping.stop,
    watching: createMailingWatch(runtime),
    tasks: new Map(
      Object.entries(tasks).map(([code, perform]): [number, PerformTask] => [
        Number(code),
        steady(runtime, (row) => perform(row, decodeValue(row.payload ?? '{}') as MailingTask)),
      ]),
    ),
  });
}
