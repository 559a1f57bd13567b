/** Which sender follows for a message: the first one left that can send now, or else the first, to wait with. */
import type { FallbackRow } from '../../storage/fallback.ts';
import { restingLanes } from '../../storage/sender-choice.ts';
import type { Directory } from '../directory/directory.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { Runtime } from '../runtime.ts';

export interface NextSender {
  readonly senderId: string;
  readonly laneId: number;
  /** Its lane takes nothing now. */
  readonly resting: boolean;
}

/** The next senders of messages, in their order; undefined where none is left. */
export async function nextSenders(
  runtime: Runtime,
  directory: Directory,
  lanes: Lanes,
  rows: readonly FallbackRow[],
): Promise<(NextSender | undefined)[]> {
  const offered = await Promise.all(
    rows.map(async ({ account_id: accountId, resource_id: resourceId, ...row }) => {
      const { document } = await directory.version(row.channel_version_id);
      const urgent = row.class === 'urgent';
      return Promise.all(
        (row.next ?? []).map(async (senderId) => {
          const lane = await lanes.laneOf({
            ...{ document, accountId, senderId, resourceId, urgent },
            inbound: false,
          });
          return { senderId, laneId: lane.id };
        }),
      );
    }),
  );
  const laneIds = new Set(offered.flatMap((each) => each.map((one) => one.laneId)));
  const resting = laneIds.size === 0 ? new Set<number>() : await restingLanes(runtime.database, [...laneIds]);
  return offered.map((each) => {
    const [first] = each;
    const awake = each.find((one) => !resting.has(one.laneId));
    if (awake !== undefined) return { ...awake, resting: false };
    return first === undefined ? undefined : { ...first, resting: true };
  });
}
