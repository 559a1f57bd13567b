/** Finds the messages of events that name them by an id of the provider. */
import { isUuid } from '../../ids.ts';
import type {
  ParkedEvent,
  SettledEvent,
  SettledExternalId,
  SettledMessage,
  SettledSubscription,
  SettledWait,
} from '../../storage/settlement.ts';
import { reasonOfState, STATE_CODES, STATE_OF_EVENT, SUBSCRIPTION_OF_EVENT } from '../../storage/states.ts';
import { findMessages } from '../../storage/unmatched-events.ts';
import type { Runtime } from '../runtime.ts';
import type { UnmatchedEvent } from './effects.ts';
import { moderatedWait } from './moderated.ts';
import type { SuppressWish } from './suppress-by-event.ts';

/** Joins unmatched events with their messages; those without one are parked. */
export async function matchEvents(
  runtime: Runtime,
  unmatched: readonly UnmatchedEvent[],
  into: {
    messages: SettledMessage[];
    events: SettledEvent[];
    parked: ParkedEvent[];
    subscriptions: SettledSubscription[];
    externalIds: SettledExternalId[];
    waits: SettledWait[];
    suppress: SuppressWish[];
  },
): Promise<void> {
  const questions = unmatched.map((event) => ({
    channelId: event.channelId,
    externalId: event.externalId,
    messageId: isUuid(event.messageId) ? event.messageId : null,
    accountId: event.accountId,
    senderId: event.senderId,
  }));
  const found = new Map((await findMessages(runtime.database, questions)).map((row) => [row.place, row]));
  unmatched.forEach((event, place) => {
    const message = found.get(place);
    const {
      accountId,
      senderId,
      messageId,
      eventId,
      type,
      timeMs,
      code,
      text,
      value,
      dedupeKey,
      suppress,
      ...named
    } = event;
    if (message === undefined) {
      into.parked.push({
        ...named,
        accountId,
        senderId,
        messageId: isUuid(messageId) ? messageId : null,
        event: JSON.stringify({ eventId, type, timeMs, code, text, value, dedupeKey, suppress }),
      });
      return;
    }
    into.events.push({
      ...named,
      accountId: message.account_id,
      messageId: message.message_id,
      launchId: message.launch_id,
      attempt: message.attempt,
      eventId,
      type,
      timeMs,
      code,
      text,
      value,
      dedupeKey,
    });
    const state = STATE_OF_EVENT[type];
    const sentId = type === 'send' ? event.externalId : null;
    if (state !== undefined) {
      into.messages.push({
        source: event.source,
        id: message.message_id,
        launchId: message.launch_id,
        attempt: message.attempt,
        state: STATE_CODES[state],
        reason: reasonOfState(state, code ?? type),
        externalId: sentId,
      });
    }
    if (sentId !== null) {
      into.externalIds.push({
        source: event.source,
        channelId: event.channelId,
        externalId: sentId,
        messageId: message.message_id,
        attempt: message.attempt,
      });
    }
    if (type === 'moderate_pass' || type === 'moderate_error') {
      const moderated = {
        source: event.source,
        accountId: message.account_id,
        laneId: message.lane_id,
        messageId: message.message_id,
        channelVersionId: message.channel_version_id,
        nowMs: runtime.clock.now(),
      };
      into.waits.push(moderatedWait(moderated, runtime.ids, type === 'moderate_pass', text ?? code));
    }
    if (suppress !== undefined) {
      into.suppress.push({ source: event.source, messageId: message.message_id, by: suppress });
    }
    const subscription = SUBSCRIPTION_OF_EVENT[type];
    if (subscription !== undefined) {
      into.subscriptions.push({
        source: event.source,
        messageId: message.message_id,
        status: subscription,
        reason: code ?? type,
      });
    }
  });
}
