/** Finds the messages of events that name them by an id of the provider. */
import { isUuid } from '../../ids.ts';
import type { ParkedEvent, SettledMessage } from '../../storage/settlement.ts';
import { findMessages } from '../../storage/unmatched-events.ts';
import type { Runtime } from '../runtime.ts';
import type { UnmatchedEvent } from './effects.ts';
import { addEventEffects, type EventLists, settledMessage } from './event-effects.ts';

/** Joins unmatched events with their messages; those without one are parked. */
export async function matchEvents(
  { database, ids, clock }: Pick<Runtime, 'database' | 'ids' | 'clock'>,
  unmatched: readonly UnmatchedEvent[],
  into: EventLists & { messages: SettledMessage[]; parked: ParkedEvent[] },
): Promise<void> {
  const questions = unmatched.map((event) => ({
    channelId: event.channelId,
    externalId: event.externalId,
    messageId: isUuid(event.messageId) ? event.messageId : null,
    accountId: event.accountId,
    senderId: event.senderId,
  }));
  const found = new Map((await findMessages(database, questions)).map((row) => [row.place, row]));
  const nowMs = clock.now();
  unmatched.forEach((unmatchedEvent, place) => {
    const { source, accountId, senderId, messageId, ...event } = unmatchedEvent;
    const known = found.get(place);
    if (known === undefined) {
      const { id, channelId, externalId, ...more } = event;
      const named = isUuid(messageId) ? messageId : null;
      into.parked.push({
        source,
        id,
        channelId,
        accountId,
        senderId,
        externalId,
        messageId: named,
        event: JSON.stringify(more),
      });
      return;
    }
    const message = {
      source,
      messageId: known.message_id,
      accountId: known.account_id,
      launchId: known.launch_id,
      attempt: known.attempt,
      laneId: known.lane_id,
      channelVersionId: known.channel_version_id,
      foundBy: messageId === null ? event.externalId : null,
    };
    const { state, reason, ...change } = addEventEffects(into, message, event, ids, nowMs);
    if (state === undefined && change.externalId === null) return;
    // The lowest state raises nothing.
    into.messages.push(settledMessage(message, state ?? 'accepted', reason, change));
  });
}
