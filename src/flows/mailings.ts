/** Mailings: started, paused, resumed, stopped, moderated; each start is a launch, opened page by page. */
import type { ChannelDocument } from '../channel/document.ts';
import { Failure } from '../errors.ts';
import type { Ids } from '../ids.ts';
import { decodeValue, encodeValue } from '../json.ts';
import { insertWaiting } from '../storage/accept.ts';
import { audienceCondition } from '../storage/audience.ts';
import { type ClaimedRow, PIPELINE_CODES } from '../storage/claim.ts';
import { readPublished } from '../storage/content.ts';
import type { Sql } from '../storage/database.ts';
import {
  insertLaunch,
  type LaunchRow,
  launchesOfMailing,
  launchOfMessage,
  openDirectPage,
  openIndirect,
  readLaunches,
  setLaunchStates,
  stopMessages,
  unparkLaunch,
  withdrawMessages,
} from '../storage/launches.ts';
import { type MailingRow, moveMailing, readMailing } from '../storage/mailings.ts';
import { writeOperatorEvent } from '../storage/operator-events.ts';
import { createSenderChooser } from './choose-sender.ts';
import { inContentItem, notPublished } from './content-items.ts';
import type { Directory, KnownChannel } from './directory.ts';
import { putBack } from './end-message.ts';
import type { Ground } from './ground.ts';
import type { Lanes } from './lanes.ts';
import { logTold } from './operator-events/log-told.ts';
import type { OperatorEventName } from './operator-events/types.ts';
import type { Parts } from './parts.ts';
import { type PerformTask, steady, type Tasks } from './tasks.ts';

const PAGE_ROWS = 5_000;
/** The audience's bound values begin after those of the page statement. */
const FIRST_CONDITION_VALUE = 4;

export interface Mailings {
  readonly start: (mailing: MailingRow, ids: Ids) => Promise<void>;
  /** Sends to some profiles (direct) or to the resource (indirect) without changing the mailing. */
  readonly test: (mailing: MailingRow, profiles: readonly string[], ids: Ids) => Promise<string>;
  readonly pause: (mailing: MailingRow) => Promise<void>;
  readonly resume: (mailing: MailingRow) => Promise<void>;
  readonly stop: (mailing: MailingRow) => Promise<void>;
  /** The engine's own waiting rows: launches to open, mailings to start and stop, verdicts of moderations. */
  readonly tasks: Tasks;
}

type Task = {
  readonly mailingId?: string;
  readonly launchId?: string;
  readonly messageId?: string;
  readonly passed?: boolean;
  readonly text?: string | null;
};

/** `woken` is told which lanes have something to do. */
export function createMailings(
  ground: Ground,
  directory: Directory,
  lanes: Lanes,
  woken: (laneIds: readonly number[]) => void,
): Mailings {
  const { database, clock, log } = ground;

  /** Tells operators of a mailing, in the transaction of what happened to it. */
  const tell = (tx: Sql, type: OperatorEventName, mailing: MailingRow, more: object) => {
    const { id, name, channel, sender } = mailing;
    const data = { mailing: id, name, channel, sender, ...more };
    return writeOperatorEvent(tx, { accountId: mailing.account_id, type, data }, clock.now());
  };
  const chooser = createSenderChooser(ground, lanes);

  const later = async (
    sql: Sql,
    ids: Ids,
    mailing: MailingRow,
    pipeline: number,
    dueMs: number,
    task: Task,
  ) => {
    const lane = await lanes.ownLane();
    await insertWaiting(sql, {
      id: ids.next(),
      accountId: mailing.account_id,
      laneId: lane.id,
      dueMs,
      pipeline,
      messageId: null,
      channelVersionId: 0,
      payload: encodeValue(task),
    });
    return lane.id;
  };

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

  const launch = async (
    mailing: MailingRow,
    ids: Ids,
    kind: 'real' | 'test' | 'moderation',
    from: readonly string[],
    to: string | null,
    audience: string | null,
    fixedVersion: number | null = null,
  ): Promise<string> => {
    const known = await directory.channel(mailing.channel);
    if (known === undefined || known.row.status !== 'active') {
      throw new Failure(
        'WRONG_STATE',
        `Channel "${mailing.channel}" is ${known?.row.status ?? 'gone'}; only an active channel sends. Set it active first.`,
      );
    }
    const launchId = ids.next();
    // The same id: a repeat of this very start, whose answer was lost.
    const [there] = await readLaunches(database, [launchId]);
    if (there?.mailing_id === mailing.id) return launchId;
    const contentVersion = await contentVersionOf(mailing, known.channel, fixedVersion);
    const lane = await lanes.ownLane();
    const taskIds = [ids.next(), ids.next()];
    const nowMs = clock.now();
    const stopAt = kind === 'real' ? mailing.schedule?.stopAt : undefined;
    const told = await database.transaction(async (tx) => {
      const row = await insertLaunch(
        tx,
        {
          id: launchId,
          mailingId: mailing.id,
          kind,
          channelVersionId: known.channel.versionId,
          nowMs,
          audience,
          contentVersion,
        },
        from,
        to,
      );
      if (row === undefined) return undefined;
      const waiting = (id: string, pipeline: number, dueMs: number, task: Task) =>
        insertWaiting(tx, {
          id,
          accountId: mailing.account_id,
          laneId: lane.id,
          // Never before now: lanes are searched from the present on.
          dueMs: Math.max(dueMs, nowMs),
          pipeline,
          messageId: null,
          channelVersionId: known.channel.versionId,
          payload: encodeValue(task),
        });
      await waiting(taskIds[0] ?? '', PIPELINE_CODES.open_launch, nowMs, { launchId });
      if (stopAt !== undefined) {
        await waiting(taskIds[1] ?? '', PIPELINE_CODES.stop_mailing, Date.parse(stopAt), {
          mailingId: mailing.id,
          launchId,
        });
      }
      return kind === 'real' ? tell(tx, 'mailing.started', mailing, { launch: launchId }) : [];
    });
    if (told === undefined) throw wrongState(mailing, 'started', from);
    logTold(log, told);
    woken([lane.id]);
    return launchId;
  };

  const startNow = (mailing: MailingRow, ids: Ids, from: readonly string[], moderated: boolean) =>
    moderated
      ? launch(mailing, ids, 'moderation', from, 'moderating', null)
      : launch(mailing, ids, 'real', from, 'sending', null);

  const needsModeration = async (mailing: MailingRow) =>
    (await directory.channel(mailing.channel))?.channel.document.moderate === true;

  const startable = ['draft', 'finished', 'stopped'];

  const stop = async (mailing: MailingRow, from: readonly string[], by: 'request' | 'schedule') => {
    const nowMs = clock.now();
    const known = await directory.channel(mailing.channel);
    const withdraws = known?.channel.plans.stop?.entry !== undefined;
    const { told, lanesToWake } = await database.transaction(async (tx) => {
      const stopped = await setLaunchStates(tx, mailing.id, 'stopped');
      if (!(await moveMailing(tx, mailing.id, from, 'stopped', nowMs)))
        throw wrongState(mailing, 'stopped', from);
      await stopMessages(tx, stopped, nowMs);
      // What was placed stands in launches that have long ended, too.
      const all = withdraws ? await launchesOfMailing(tx, mailing.id) : [];
      const launchIds = all.map((each) => each.id);
      return {
        lanesToWake: await withdrawMessages(tx, launchIds, nowMs),
        told: await tell(tx, 'mailing.stopped', mailing, { by }),
      };
    });
    logTold(log, told);
    directory.forget();
    if (lanesToWake.length > 0) woken(lanesToWake);
  };

  /** Where a channel needs a sender and its rules are gone, no rule fits: its messages fail and say why. */
  const rulesOf = async ({ document, accountId }: { document: ChannelDocument; accountId: string }) => {
    const rules = await directory.senderRules(accountId, document.id);
    if (rules !== undefined || (document.fields.sender ?? []).length === 0) return rules;
    return { rules: [], routes: [], senders: null, updated_at: new Date(clock.now()) };
  };

  const openPage = async (row: ClaimedRow, launchRow: LaunchRow): Promise<Parts> => {
    if (launchRow.state === 'paused') return putBack(row, clock.now() + 1_000);
    if (launchRow.state !== 'sending' || !launchRow.opening) return { done: [row.id] };
    const channel = await directory.version(launchRow.channel_version_id);
    const { document } = channel;
    const place = {
      document,
      accountId: launchRow.account_id,
      resourceId: launchRow.resource_id,
      urgent: launchRow.class === 'urgent',
    };
    const lane = await lanes.laneOf({ ...place, senderId: launchRow.sender_id, inbound: false });
    const indirect = document.communication === 'indirect';
    const condition = indirect
      ? { text: '', values: [] }
      : audienceCondition(launchRow.audience, FIRST_CONDITION_VALUE);
    const rules = launchRow.sender_id === null ? await rulesOf(place) : undefined;
    const choice =
      rules === undefined
        ? undefined
        : await chooser.forLaunch(rules, place, FIRST_CONDITION_VALUE + condition.values.length);
    const nowMs = clock.now();
    const page = indirect
      ? await openIndirect(
          database,
          launchRow.id,
          lane.id,
          launchRow.kind === 'moderation' ? 'moderate' : 'message',
          nowMs,
          choice,
        )
      : await openDirectPage(database, launchRow.id, lane.id, PAGE_ROWS, nowMs, condition, choice);
    if (page.opened > 0) woken(page.lanes ?? [lane.id]);
    return page.more ? putBack(row, nowMs) : { done: [row.id] };
  };

  const moderated = async (task: Task, ids: Ids) => {
    const launchId = await launchOfMessage(database, task.messageId ?? '');
    const [launchRow] = launchId === undefined ? [] : await readLaunches(database, [launchId]);
    const mailing = launchRow === undefined ? undefined : await readMailing(database, launchRow.mailing_id);
    if (mailing === undefined || launchRow === undefined) return;
    const launches = await launchesOfMailing(database, mailing.id);
    const newest = launches.findLast((each) => each.kind === 'moderation');
    // A verdict on what was started before says nothing about what is moderated now.
    if (newest?.id !== launchRow.id) return;
    if (task.passed === true) {
      const { content_version: version } = launchRow;
      await orDraft(mailing, ['moderating'], () =>
        launch(mailing, ids, 'real', ['moderating'], 'sending', null, version),
      );
    } else await reject(mailing, launchRow.id, task.text ?? 'moderation refused it');
  };

  const reject = async (mailing: MailingRow, launchId: string, reason: string) => {
    const told = await database.transaction(async (tx) => {
      const moved = await moveMailing(tx, mailing.id, ['moderating'], 'draft', clock.now(), reason);
      return moved ? tell(tx, 'mailing.rejected', mailing, { launch: launchId, reason }) : [];
    });
    logTold(log, told);
  };

  /** A state that changed meanwhile makes a task pointless, not failed. */
  const quietly = async (run: () => Promise<unknown>) => {
    try {
      await run();
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.code !== 'WRONG_STATE') throw thrown;
      log.warn({ code: thrown.code }, thrown.message);
    }
  };

  /** A mailing whose content may not go out when its time has come is a draft again, and says why. */
  const orDraft = async (mailing: MailingRow, from: readonly string[], start: () => Promise<unknown>) => {
    try {
      await start();
    } catch (thrown) {
      if (!(thrown instanceof Failure) || mailing.content_item_id === null || thrown.code === 'WRONG_STATE') {
        throw thrown;
      }
      await moveMailing(database, mailing.id, from, 'draft', clock.now(), thrown.message);
    }
  };

  const tasks: Readonly<Record<number, (row: ClaimedRow, task: Task) => Promise<Parts>>> = {
    [PIPELINE_CODES.open_launch]: async (row, task) => {
      const [launchRow] = await readLaunches(database, [task.launchId ?? '']);
      return launchRow === undefined ? { done: [row.id] } : openPage(row, launchRow);
    },
    [PIPELINE_CODES.start_mailing]: async (row, task) => {
      const mailing = await readMailing(database, task.mailingId ?? '');
      if (mailing !== undefined) {
        await quietly(() =>
          orDraft(mailing, ['scheduled'], async () =>
            startNow(mailing, ground.ids, ['scheduled'], await needsModeration(mailing)),
          ),
        );
      }
      return { done: [row.id] };
    },
    [PIPELINE_CODES.stop_mailing]: async (row, task) => {
      const mailing = await readMailing(database, task.mailingId ?? '');
      if (mailing !== undefined) {
        await quietly(() => stop(mailing, ['sending', 'paused', 'finished'], 'schedule'));
      }
      return { done: [row.id] };
    },
    [PIPELINE_CODES.moderated]: async (row, task) => {
      await quietly(() => moderated(task, ground.ids));
      return { done: [row.id] };
    },
  };

  return Object.freeze<Mailings>({
    start: async (mailing, ids) => {
      const startAt = mailing.schedule?.startAt;
      const nowMs = clock.now();
      if (startAt !== undefined && Date.parse(startAt) > nowMs) {
        const moved = await database.transaction(async (tx) => {
          if (!(await moveMailing(tx, mailing.id, startable, 'scheduled', nowMs))) return false;
          await later(tx, ids, mailing, PIPELINE_CODES.start_mailing, Date.parse(startAt), {
            mailingId: mailing.id,
          });
          return true;
        });
        if (!moved) throw wrongState(mailing, 'started', startable);
        return;
      }
      await startNow(mailing, ids, startable, await needsModeration(mailing));
    },
    test: (mailing, profiles, ids) =>
      launch(
        mailing,
        ids,
        'test',
        ALL_STATES,
        null,
        profiles.length === 0 ? null : JSON.stringify({ profiles }),
      ),
    pause: async (mailing) => {
      await database.transaction(async (tx) => {
        await setLaunchStates(tx, mailing.id, 'paused');
        if (!(await moveMailing(tx, mailing.id, ['sending'], 'paused', clock.now())))
          throw wrongState(mailing, 'paused', ['sending']);
      });
      directory.forget();
    },
    resume: async (mailing) => {
      const nowMs = clock.now();
      await database.transaction(async (tx) => {
        const resumed = await setLaunchStates(tx, mailing.id, 'sending');
        if (!(await moveMailing(tx, mailing.id, ['paused'], 'sending', nowMs)))
          throw wrongState(mailing, 'resumed', ['paused']);
        for (const launchId of resumed) await unparkLaunch(tx, launchId, nowMs);
      });
      directory.forget();
      woken([]);
    },
    stop: (mailing) => stop(mailing, ['scheduled', 'moderating', 'sending', 'paused', 'finished'], 'request'),
    tasks: new Map(
      Object.entries(tasks).map(([code, perform]): [number, PerformTask] => [
        Number(code),
        steady(ground, (row) => perform(row, decodeValue(row.payload ?? '{}') as Task)),
      ]),
    ),
  });
}

const ALL_STATES = ['draft', 'scheduled', 'moderating', 'sending', 'paused', 'stopped', 'finished'];

function wrongState(mailing: MailingRow, verb: string, from: readonly string[]): Failure {
  return new Failure(
    'WRONG_STATE',
    `A mailing can be ${verb} when it is ${from.join(' or ')}; "${mailing.name}" is ${mailing.state}.`,
  );
}
