/** Verdicts of moderations: what passed is launched, what did not comes back as a draft that says why. */
import { Failure } from '../../errors.ts';
import { launchesOfMailing, launchOfMessage, readLaunches } from '../../storage/launches.ts';
import { type MailingRow, moveMailing, readMailing } from '../../storage/mailings.ts';
import type { Ground } from '../ground.ts';
import { logTold } from '../operator-events/log-told.ts';
import type { LaunchMailing } from './launch-mailing.ts';
import type { MailingTask } from './task.ts';
import { tellMailing } from './tell-mailing.ts';

/** A mailing whose content may not go out when its time has come is a draft again, and says why. */
export async function orDraft(
  ground: Ground,
  mailing: MailingRow,
  from: readonly string[],
  start: () => Promise<void>,
): Promise<void> {
  try {
    await start();
  } catch (thrown) {
    if (!(thrown instanceof Failure) || mailing.content_item_id === null || thrown.code === 'WRONG_STATE') {
      throw thrown;
    }
    await moveMailing(ground.database, mailing.id, from, 'draft', ground.clock.now(), thrown.message);
  }
}

/** Gives the task that follows a verdict. */
export function createModerated(
  ground: Ground,
  launching: LaunchMailing,
): (task: MailingTask) => Promise<void> {
  const { database, clock, ids, log } = ground;

  const reject = async (mailing: MailingRow, launchId: string, reason: string) => {
    const nowMs = clock.now();
    const told = await database.transaction(async (tx) => {
      const moved = await moveMailing(tx, mailing.id, ['moderating'], 'draft', nowMs, reason);
      return moved ? tellMailing(tx, 'mailing.rejected', mailing, { launch: launchId, reason }, nowMs) : [];
    });
    logTold(log, told);
  };

  return async (task) => {
    const launchId = await launchOfMessage(database, task.messageId ?? '');
    const [launch] = launchId === undefined ? [] : await readLaunches(database, [launchId]);
    const mailing = launch === undefined ? undefined : await readMailing(database, launch.mailing_id);
    if (mailing === undefined || launch === undefined) return;
    const launches = await launchesOfMailing(database, mailing.id);
    const newest = launches.findLast((each) => each.kind === 'moderation');
    // A verdict on what was started before says nothing about what is moderated now.
    if (newest?.id !== launch.id) return;
    if (task.passed !== true) return reject(mailing, launch.id, task.text ?? 'moderation refused it');
    await orDraft(ground, mailing, ['moderating'], () =>
      launching.startModerated(mailing, ids, launch.content_version),
    );
  };
}
