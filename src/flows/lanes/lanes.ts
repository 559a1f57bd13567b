/** Which lane an event waits in. The channel says what is isolated from what; urgent messages have a lane beside it. */
import type { ChannelDocument } from '../../channel/document.ts';
import { ensureLane, type LaneRow } from '../../storage/lanes.ts';
import type { Runtime } from '../runtime.ts';

export interface LanePlace {
  readonly document: Pick<ChannelDocument, 'id' | 'lane'>;
  readonly accountId: string | null;
  readonly senderId: string | null;
  readonly resourceId: string | null;
  readonly urgent: boolean;
  /** What comes in waits apart from what goes out. */
  readonly inbound: boolean;
}

export interface Lanes {
  readonly laneOf: (place: LanePlace) => Promise<LaneRow>;
  /** The lane of the engine's own work: opening launches, starting and stopping mailings. */
  readonly ownLane: () => Promise<LaneRow>;
  /** The lane of a content source, so that a slow one holds up no other. */
  readonly sourceLane: (accountId: string, sourceId: string) => Promise<LaneRow>;
}

/** Lanes are found by key and remembered; they are never removed. */
export function createLanes(runtime: Runtime): Lanes {
  const known = new Map<string, Promise<LaneRow>>();
  const lane = (key: string, accountId: string | null, channelId: number, senderId: string | null) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = ensureLane(runtime.database, {
      key,
      accountId,
      channelId,
      senderId,
      nowMs: runtime.clock.now(),
    });
    known.set(key, made);
    made.catch(() => known.delete(key));
    return made;
  };
  return Object.freeze<Lanes>({
    laneOf: ({ document, accountId, senderId, resourceId, urgent, inbound }) => {
      const by = document.lane;
      const account = by === 'channel' ? null : accountId;
      const sender = by === 'sender' ? senderId : null;
      const resource = by === 'resource' ? resourceId : null;
      const key = [
        document.id,
        account ?? '-',
        sender ?? '-',
        resource ?? '-',
        inbound ? 'in' : urgent ? 'urgent' : 'out',
      ].join('/');
      return lane(key, account, document.id, sender);
    },
    ownLane: () => lane('engine', null, 0, null),
    sourceLane: (accountId, sourceId) => lane(`source/${sourceId}`, accountId, 0, null),
  });
}
