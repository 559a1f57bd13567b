import type { ChannelDocument } from '../../channel/document.ts';
import type { LaunchRow } from '../../storage/launches.ts';
import type { Lanes } from './lanes.ts';

/** The lane in which the messages of a launch go out. */
export async function laneOfLaunch(
  lanes: Lanes,
  document: ChannelDocument,
  launch: LaunchRow,
): Promise<number> {
  const lane = await lanes.laneOf({
    document,
    accountId: launch.account_id,
    senderId: launch.sender_id,
    resourceId: launch.resource_id,
    urgent: launch.class === 'urgent',
    inbound: false,
  });
  return lane.id;
}
