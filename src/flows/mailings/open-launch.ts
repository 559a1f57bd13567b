/** Opening launches: page by page, each page one statement, so that any process goes on where another one died. */

import type { ChannelDocument } from '../../channel/document.ts';
import { audienceCondition } from '../../storage/audience.ts';
import type { ClaimedRow } from '../../storage/claim.ts';
import { type LaunchRow, readLaunches } from '../../storage/launches.ts';
import {
  countAudience,
  FIRST_COUNT_VALUE,
  FIRST_INDIRECT_VALUE,
  FIRST_PAGE_VALUE,
  openDirectPage,
  openIndirect,
} from '../../storage/open-launch.ts';
import type { Directory } from '../directory/directory.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { laneOfLaunch } from '../lanes/launch-lane.ts';
import type { Runtime } from '../runtime.ts';
import { createSenderChooser } from '../senders/choose-sender.ts';
import type { Effects } from '../settlement/effects.ts';
import { continueLater, type MailingTask, SLICE_MS } from './task.ts';

const PAGE_ROWS = 5_000;
/** A paused launch is looked at again after so long. */
const PAUSED_MS = 1_000;

/** Returns the task that opens a launch. `wakeLanes` gets the lanes that have work. */
export function createOpenLaunch(
  runtime: Runtime,
  directory: Directory,
  lanes: Lanes,
  wakeLanes: (laneIds: readonly number[]) => void,
): (row: ClaimedRow, task: MailingTask) => Promise<Effects> {
  const { database, clock } = runtime;

  const chooser = createSenderChooser(runtime, lanes);

  /** How the launch finds its senders, where it names none; bound values are numbered from `first` on. */
  const choiceOf = async (launch: LaunchRow, document: ChannelDocument, first: number) => {
    if (launch.sender_id !== null) return undefined;
    const { account_id: accountId, resource_id: resourceId } = launch;
    const known = await directory.senderRules(accountId, document.id);
    if (known === undefined && (document.fields.sender ?? []).length === 0) return undefined;
    // Where a channel needs a sender and its rules are gone, no rule fits: its messages fail and say why.
    const rules = known ?? { rules: [], routes: [], senders: null, updated_at: new Date(clock.now()) };
    const place = { document, accountId, resourceId, urgent: launch.class === 'urgent' };
    return chooser.forLaunch(rules, place, first);
  };

  const openPages = async (
    launch: LaunchRow,
    document: ChannelDocument,
    laneId: number,
  ): Promise<boolean> => {
    const condition = audienceCondition(launch.audience, FIRST_PAGE_VALUE);
    const endMs = clock.now() + SLICE_MS;
    let { opened_to: openedTo, expected } = launch;
    for (;;) {
      // Asked for each page, because senders come to rest in the meantime.
      const choice = await choiceOf(launch, document, FIRST_PAGE_VALUE + condition.values.length);
      const nowMs = clock.now();
      const page = await openDirectPage(
        database,
        launch,
        openedTo,
        laneId,
        PAGE_ROWS,
        nowMs,
        condition,
        choice,
      );
      if (page.opened > 0) wakeLanes(page.lanes ?? [laneId]);
      if (!page.more) return false;
      // Nothing was looked at: the launch was paused, stopped, or is another's.
      if (page.openedTo === openedTo) return true;
      if (expected === null) {
        const counted = audienceCondition(launch.audience, FIRST_COUNT_VALUE);
        expected = await countAudience(database, launch, page.openedTo, counted);
      }
      openedTo = page.openedTo;
      if (clock.now() >= endMs) return true;
    }
  };

  return async (row, task) => {
    const { launchId = '' } = task;
    const [launch] = await readLaunches(database, [launchId]);
    if (launch?.state === 'paused') return continueLater(row, clock.now() + PAUSED_MS, task);
    if (launch?.state !== 'sending' || !launch.opening) return { done: [row.id] };
    const { document } = await directory.version(launch.channel_version_id);
    const laneId = await laneOfLaunch(lanes, document, launch);
    if (document.communication === 'direct') {
      return (await openPages(launch, document, laneId))
        ? continueLater(row, clock.now(), task)
        : { done: [row.id] };
    }
    const pipeline = launch.kind === 'moderation' ? 'moderate' : 'message';
    const choice = await choiceOf(launch, document, FIRST_INDIRECT_VALUE);
    const page = await openIndirect(database, launch.id, laneId, pipeline, clock.now(), choice);
    if (page.opened > 0) wakeLanes(page.lanes ?? [laneId]);
    return page.more ? continueLater(row, clock.now(), task) : { done: [row.id] };
  };
}
