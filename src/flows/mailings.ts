/** Mailings: started, paused, resumed, stopped, moderated; each start is a launch, opened page by page. */
import type { ChannelDocument } from '../channel/document.ts';
import { asFailure, Failure } from '../errors.ts';
import type { Ids } from '../ids.ts';
import { decodeValue, encodeValue } from '../json.ts';
import { insertWaiting } from '../storage/accept.ts';
import { audienceCondition } from '../storage/audience.ts';
import { type ClaimedRow, PIPELINE_CODES } from '../storage/claim.ts';
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
import { createSenderChooser } from './choose-sender.ts';
import type { Directory } from './directory.ts';
import { putBack } from './end-message.ts';
import type { Ground } from './ground.ts';
import type { Lanes } from './lanes.ts';
import type { Parts } from './parts.ts';

const PAGE_ROWS = 5_000;
/** A task that failed is tried again after so long. */
const TASK_PAUSE_MS = 5_000;
/** The audience's bound values begin after those of the page statement. */
const FIRST_CONDITION_VALUE = 4;

export interface Mailings {
  readonly start: (mailing: MailingRow, ids: Ids) => Promise<void>;
  /** Sends to some profiles (direct) or to the resource (indirect) without changing the mailing. */
  readonly test: (mailing: MailingRow, profiles: readonly string[], ids: Ids) => Promise<string>;
  readonly pause: (mailing: MailingRow) => Promise<void>;
  readonly resume: (mailing: MailingRow) => Promise<void>;
  readonly stop: (mailing: MailingRow) => Promise<void>;
  /** Performs the engine's own waiting rows. Never throws; what fails is tried again. */
  readonly task: (row: ClaimedRow) => Promise<Parts>;
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
  const { database, clock } = ground;
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

  const launch = async (
    mailing: MailingRow,
    ids: Ids,
    kind: 'real' | 'test' | 'moderation',
    from: readonly string[],
    to: string | null,
    audience: string | null,
  ): Promise<string> => {
    const known = await directory.channel(mailing.channel);
    if (known === undefined || known.row.status !== 'active') {
      throw new Failure(
        'WRONG_STATE',
        `Channel "${mailing.channel}" is ${known?.row.status ?? 'gone'}; only an active channel sends. Set it active first.`,
      );
    }
    const lane = await lanes.ownLane();
    const launchId = ids.next();
    const taskIds = [ids.next(), ids.next()];
    const nowMs = clock.now();
    const stopAt = kind === 'real' ? mailing.schedule?.stopAt : undefined;
    const started = await database.transaction(async (tx) => {
      const row = await insertLaunch(
        tx,
        {
          id: launchId,
          mailingId: mailing.id,
          kind,
          channelVersionId: known.channel.versionId,
          nowMs,
          audience,
        },
        from,
        to,
      );
      if (row === undefined) return false;
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
      return true;
    });
    if (!started) throw wrongState(mailing, 'started', from);
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

  const stop = async (mailing: MailingRow, from: readonly string[]) => {
    const nowMs = clock.now();
    const known = await directory.channel(mailing.channel);
    const withdraws = known?.channel.plans.stop?.entry !== undefined;
    const lanesToWake = await database.transaction(async (tx) => {
      const stopped = await setLaunchStates(tx, mailing.id, 'stopped');
      if (!(await moveMailing(tx, mailing.id, from, 'stopped', nowMs)))
        throw wrongState(mailing, 'stopped', from);
      await stopMessages(tx, stopped, nowMs);
      // What was placed stands in launches that have long ended, too.
      const all = withdraws ? await launchesOfMailing(tx, mailing.id) : [];
      return withdrawMessages(
        tx,
        all.map((each) => each.id),
        nowMs,
      );
    });
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
    if (task.passed === true) await launch(mailing, ids, 'real', ['moderating'], 'sending', null);
    else
      await moveMailing(
        database,
        mailing.id,
        ['moderating'],
        'draft',
        clock.now(),
        task.text ?? 'moderation refused it',
      );
  };

  /** A state that changed meanwhile makes a task pointless, not failed. */
  const quietly = async (run: () => Promise<unknown>) => {
    try {
      await run();
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.code !== 'WRONG_STATE') throw thrown;
      ground.log.warn({ code: thrown.code }, thrown.message);
    }
  };

  const performTask = async (row: ClaimedRow): Promise<Parts> => {
    const task = decodeValue(row.payload ?? '{}') as Task;
    switch (row.pipeline) {
      case PIPELINE_CODES.open_launch: {
        const [launchRow] = await readLaunches(database, [task.launchId ?? '']);
        return launchRow === undefined ? { done: [row.id] } : openPage(row, launchRow);
      }
      case PIPELINE_CODES.start_mailing: {
        const mailing = await readMailing(database, task.mailingId ?? '');
        if (mailing !== undefined) {
          await quietly(async () =>
            startNow(mailing, ground.ids, ['scheduled'], await needsModeration(mailing)),
          );
        }
        return { done: [row.id] };
      }
      case PIPELINE_CODES.stop_mailing: {
        const mailing = await readMailing(database, task.mailingId ?? '');
        if (mailing !== undefined) await quietly(() => stop(mailing, ['sending', 'paused', 'finished']));
        return { done: [row.id] };
      }
      case PIPELINE_CODES.moderated:
        await quietly(() => moderated(task, ground.ids));
        return { done: [row.id] };
      default:
        return { done: [row.id] };
    }
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
    stop: (mailing) => stop(mailing, ['scheduled', 'moderating', 'sending', 'paused', 'finished']),
    task: async (row) => {
      try {
        return await performTask(row);
      } catch (thrown) {
        const failure = asFailure(thrown);
        ground.log.error({ waiting: row.id, code: failure.code, cause: thrown }, failure.message);
        return putBack(row, clock.now() + TASK_PAUSE_MS);
      }
    },
  });
}

const ALL_STATES = ['draft', 'scheduled', 'moderating', 'sending', 'paused', 'stopped', 'finished'];

function wrongState(mailing: MailingRow, verb: string, from: readonly string[]): Failure {
  return new Failure(
    'WRONG_STATE',
    `A mailing can be ${verb} when it is ${from.join(' or ')}; "${mailing.name}" is ${mailing.state}.`,
  );
}
