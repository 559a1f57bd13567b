/** Verdicts of moderations: what passed is launched, what did not comes back as a draft that says why. */
import { Failure } from '../../errors.ts';
import { launchesOfMailing, launchOfMessage, readLaunches } from '../../storage/launches.ts';
import { type MailingRow, moveMailing, readMailing } from '../../storage/mailings.ts';
import { logOperatorEvents } from '../log-operator-events.ts';
import type { Runtime } from '../runtime.ts';
import { emitMailingEvent } from './emit-mailing-event.ts';
import type { LaunchMailing } from './launch-mailing.ts';
import type { MailingTask } from './task.ts';

/** A mailing whose content may not go out when its time has come is a draft again, and says why. */
export async function orDraft(
  runtime: Runtime,
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
    await moveMailing(runtime.database, mailing.id, from, 'draft', runtime.clock.now(), thrown.message);
  }
}

/** Returns the task that follows a verdict. */
export function createModerated(
  runtime: Runtime,
  launching: LaunchMailing,
): (task: MailingTask) => Promise<void> {
  const { database, clock, ids, log } = runtime;

  const reject = async (mailing: MailingRow, launchId: string, reason: string) => {
    const nowMs = clock.now();
    const emitted = await database.transaction(async (tx) => {
      const moved = await moveMailing(tx, mailing.id, ['moderating'], 'draft', nowMs, reason);
      return moved
        ? emitMailingEvent(tx, 'mailing.rejected', mailing, { launch: launchId, reason }, nowMs)
        : [];
    });
    logOperatorEvents(log, emitted);
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
    await orDraft(runtime, mailing, ['moderating'], () =>
      launching.startModerated(mailing, ids, launch.content_version),
    );
  };
}
