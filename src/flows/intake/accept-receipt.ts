/**
 * Door 2 without HTTP: an event that a code module was told over its own connection. It is committed before the provider
 * is answered, waits as a row like every provider's request, and is joined with its message when it is settled.
 */
import { encodeValue } from '../../json.ts';
import type { EmittedEvent } from '../../pipes/contract.ts';
import { insertRequests, type NewRequest } from '../../storage/accept.ts';
import { createBatcher } from '../batcher.ts';
import type { Directory } from '../directory/directory.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { eventTimeMs } from '../run/event-time.ts';
import type { Runtime } from '../runtime.ts';
import type { UnmatchedEvent } from '../settlement/effects.ts';
import { suppressBy } from '../settlement/suppress-by-event.ts';

export interface ReceiptIn {
  /** The sid of the built-in channel. */
  readonly channel: string;
  readonly accountId: string;
  /** Whose connection it came over: the provider's ids are unique only there. */
  readonly senderId: string;
  readonly event: EmittedEvent;
  /** A repeat with the same key changes nothing. */
  readonly dedupeKey: string;
}

/** Resolves when the receipt is committed. Throws what the database throws, and EVENT_UNDECLARED. */
export type AcceptReceipt = (receipt: ReceiptIn) => Promise<void>;

const MOST_TOGETHER = 500;

/** `wakeLanes` gets the lanes that have work. */
export function createAcceptReceipt(
  runtime: Runtime,
  directory: Directory,
  lanes: Lanes,
  wakeLanes: (laneIds: readonly number[]) => void,
): AcceptReceipt {
  const { database, clock, ids } = runtime;
  const gatherer = createBatcher<NewRequest>(async (requests) => {
    await insertRequests(database, requests, clock.now());
    wakeLanes([...new Set(requests.map((request) => request.laneId))]);
    return undefined;
  }, MOST_TOGETHER);

  return async ({ channel: sid, accountId, senderId, event, dedupeKey }) => {
    const known = await directory.channel(sid);
    if (known === undefined) return;
    const { channel } = known;
    const { document, versionId } = channel;
    const place = { document, accountId, senderId, resourceId: null, urgent: false, inbound: true };
    const lane = await lanes.laneOf(place);
    const declared = channel.declare(event);
    const id = ids.next();
    const named = { eventId: declared.eventId ?? null, type: declared.type };
    const suppress = suppressBy(document, named);
    const unmatched: UnmatchedEvent = {
      source: id,
      id: ids.next(),
      channelId: document.id,
      accountId,
      senderId,
      externalId: event.externalId ?? null,
      messageId: null,
      ...named,
      timeMs: eventTimeMs(event.time, clock.now()),
      code: event.code ?? null,
      text: event.message ?? null,
      value: null,
      dedupeKey: null,
      ...(suppress !== undefined && { suppress }),
    };
    await gatherer.add({
      id,
      accountId,
      laneId: lane.id,
      channelId: document.id,
      channelVersionId: versionId,
      // There is no pipe to run: what came is already the event.
      pipe: 0,
      senderId,
      payload: encodeValue({ recorded: { unmatched: [unmatched] } }),
      dedupeKey,
    });
  };
}
