/** Starting mailings: now, or at their time; each start is a launch, in which all that it sends is fixed. */
import { Failure } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import { PIPELINE_CODES } from '../../storage/claim.ts';
import { readPublished } from '../../storage/content.ts';
import { insertLaunch, readLaunches } from '../../storage/launches.ts';
import { type MailingRow, moveMailing } from '../../storage/mailings.ts';
import { inContentItem, notPublished } from '../directory/content-items.ts';
import type { Directory } from '../directory/directory.ts';
import type { KnownChannel } from '../directory/known-channel.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { logOperatorEvents } from '../log-operator-events.ts';
import type { Runtime } from '../runtime.ts';
import { refuseUnreachable } from './audience-reach.ts';
import { emitMailingEvent } from './emit-mailing-event.ts';
import { startMsOf, stopMsOf } from './schedule.ts';
import { insertTask, type MailingTask } from './task.ts';
import { wrongState } from './wrong-state.ts';

export interface LaunchMailing {
  /** Starts now, or puts the mailing before its startAt. */
  readonly start: (mailing: MailingRow, ids: Ids) => Promise<void>;
  /** Starts now a mailing that is in one of some states: the moderation of a moderated channel, or the real launch. */
  readonly startNow: (mailing: MailingRow, ids: Ids, from: readonly string[]) => Promise<void>;
  /** Opens the real launch of a mailing that was moderated, with the version of the content that was. */
  readonly startModerated: (mailing: MailingRow, ids: Ids, contentVersion: number | null) => Promise<void>;
  /** Sends to some profiles (direct) or to the resource (indirect) without changing the mailing; throws REQUEST_INVALID for people it would not reach. */
  readonly test: (mailing: MailingRow, profiles: readonly string[], ids: Ids) => Promise<string>;
}

interface NewStart {
  readonly kind: 'real' | 'test' | 'moderation';
  readonly from: readonly string[];
  /** The state of the mailing after it; null: as it was. */
  readonly to: string | null;
  /** JSON text; null: the mailing's own. */
  readonly audience?: string | null;
  /** The version of the content item that was moderated. */
  readonly contentVersion?: number | null;
}

const STARTABLE = ['draft', 'finished', 'stopped'];
const ALL_STATES = ['draft', 'scheduled', 'moderating', 'sending', 'paused', 'stopped', 'finished'];

/** `wakeLanes` gets the lanes that have work. */
export function createLaunchMailing(
  runtime: Runtime,
  directory: Directory,
  lanes: Lanes,
  wakeLanes: (laneIds: readonly number[]) => void,
): LaunchMailing {
  const { database, clock, log } = runtime;

  /**
   * The version of the mailing's content item that a launch sends: the published one, or `fixed` where it was moderated.
   * Throws CONTENT_NOT_PUBLISHED, and what refuses the item in the channel.
   */
  const contentVersionOf = async (
    mailing: MailingRow,
    channel: KnownChannel,
    fixed: number | null,
  ): Promise<number | null> => {
    const itemId = mailing.content_item_id;
    if (itemId === null) return null;
    const [published] = await readPublished(database, [{ accountId: mailing.account_id, itemId }]);
    if (published === undefined) throw notPublished(itemId);
    const version = fixed ?? published.version;
    const compiled = await directory.items.version(channel, { itemId, version });
    if (compiled instanceof Failure) throw inContentItem(compiled);
    return version;
  };

  /** The current version of the mailing's channel. Throws WRONG_STATE if it does not send. */
  const sendingChannel = async (mailing: MailingRow): Promise<KnownChannel> => {
    const known = await directory.channel(mailing.channel);
    if (known !== undefined && known.row.status === 'active') return known.channel;
    throw new Failure(
      'WRONG_STATE',
      `Channel "${mailing.channel}" is ${known?.row.status ?? 'gone'}; only an active channel sends. Set it active first.`,
    );
  };

  const launch = async (mailing: MailingRow, ids: Ids, start: NewStart): Promise<string> => {
    const { kind, from, to, audience = null } = start;
    const channel = await sendingChannel(mailing);
    const launchId = ids.next();
    // The same id: a repeat of this very start, whose answer was lost.
    const [there] = await readLaunches(database, [launchId]);
    if (there?.mailing_id === mailing.id) return launchId;
    const contentVersion = await contentVersionOf(mailing, channel, start.contentVersion ?? null);
    const lane = await lanes.ownLane();
    const taskIds = [ids.next(), ids.next()];
    const nowMs = clock.now();
    const stopMs = kind === 'real' ? stopMsOf(mailing.schedule) : undefined;
    if (kind !== 'test') refusePastStop(mailing, nowMs);
    const { versionId: channelVersionId } = channel;
    const emitted = await database.transaction(async (tx) => {
      const fixed = {
        id: launchId,
        mailingId: mailing.id,
        kind,
        channelVersionId,
        nowMs,
        audience,
        contentVersion,
      };
      if ((await insertLaunch(tx, fixed, from, to)) === undefined) return undefined;
      const later = (id: string, pipeline: number, dueMs: number, task: MailingTask) =>
        insertTask(tx, {
          ...{ id, accountId: mailing.account_id, laneId: lane.id, pipeline, channelVersionId, task },
          // Never before now: lanes are searched from the present on.
          dueMs: Math.max(dueMs, nowMs),
        });
      // A trigger mailing has no audience of its own; its launch opens nothing.
      if (kind !== 'real' || mailing.type !== 'trigger')
        await later(taskIds[0] ?? '', PIPELINE_CODES.open_launch, nowMs, { launchId });
      if (stopMs !== undefined) {
        const task = { mailingId: mailing.id, launchId };
        await later(taskIds[1] ?? '', PIPELINE_CODES.stop_mailing, stopMs, task);
      }
      return kind === 'real'
        ? emitMailingEvent(tx, 'mailing.started', mailing, { launch: launchId }, nowMs)
        : [];
    });
    if (emitted === undefined) throw wrongState(mailing, 'started', from);
    logOperatorEvents(log, emitted);
    wakeLanes([lane.id]);
    return launchId;
  };

  const startNow = async (mailing: MailingRow, ids: Ids, from: readonly string[]) => {
    const channel = await sendingChannel(mailing);
    const moderated = channel.document.moderate === true;
    await launch(
      mailing,
      ids,
      moderated ? { kind: 'moderation', from, to: 'moderating' } : { kind: 'real', from, to: 'sending' },
    );
  };

  return Object.freeze<LaunchMailing>({
    start: async (mailing, ids) => {
      const startMs = startMsOf(mailing.schedule);
      const nowMs = clock.now();
      if (startMs === undefined || startMs <= nowMs) return startNow(mailing, ids, STARTABLE);
      const lane = await lanes.ownLane();
      const moved = await database.transaction(async (tx) => {
        if (!(await moveMailing(tx, mailing.id, STARTABLE, 'scheduled', nowMs))) return false;
        await insertTask(tx, {
          ...{ id: ids.next(), accountId: mailing.account_id, laneId: lane.id, dueMs: startMs },
          ...{ pipeline: PIPELINE_CODES.start_mailing, task: { mailingId: mailing.id } },
        });
        return true;
      });
      if (!moved) throw wrongState(mailing, 'started', STARTABLE);
    },
    startNow,
    startModerated: async (mailing, ids, contentVersion) => {
      await launch(mailing, ids, { kind: 'real', from: ['moderating'], to: 'sending', contentVersion });
    },
    test: async (mailing, profiles, ids) => {
      if (profiles.length > 0) await refuseUnreachable(runtime, mailing, profiles);
      return launch(mailing, ids, {
        ...{ kind: 'test', from: ALL_STATES, to: null },
        audience: profiles.length === 0 ? null : JSON.stringify({ profiles }),
      });
    },
  });
}

function refusePastStop(mailing: MailingRow, nowMs: number): void {
  const stopMs = stopMsOf(mailing.schedule);
  if (stopMs === undefined || stopMs > nowMs) return;
  throw new Failure(
    'WRONG_STATE',
    `The time at which "${mailing.name}" stops (${mailing.schedule?.stopAt}) has passed, so that it cannot be started any more. Make a new mailing with a later stopAt.`,
  );
}
