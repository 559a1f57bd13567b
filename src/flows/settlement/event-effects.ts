/**
 * What an event does to its message, its subscription and its address. The same for an event of the message's own run
 * and for one that a provider reports.
 */
import type { Ids } from '../../ids.ts';
import type {
  SettledEvent,
  SettledExternalId,
  SettledMessage,
  SettledSubscription,
  SettledWait,
} from '../../storage/settlement.ts';
import {
  type MessageState,
  reasonOfState,
  STATE_CODES,
  STATE_OF_EVENT,
  SUBSCRIPTION_OF_EVENT,
} from '../../storage/states.ts';
import type { EventDetails } from './effects.ts';
import { moderatedWait } from './moderated.ts';
import type { SuppressWish } from './suppress-by-event.ts';

/** The message of an event, and the waiting row that the event comes from. */
export interface EventMessage {
  readonly source: string;
  readonly messageId: string;
  readonly accountId: string;
  readonly launchId: string | null;
  readonly attempt: number;
  readonly laneId: number;
  readonly channelVersionId: number;
  /** The external id by which it was found; an event brings nothing new with it. */
  readonly foundBy?: string | null;
}

/** Lists that events add to; each is made with its first row, because most events fill one. */
export interface EventLists {
  events?: SettledEvent[];
  externalIds?: SettledExternalId[];
  subscriptions?: SettledSubscription[];
  suppress?: SuppressWish[];
  waits?: SettledWait[];
}

/** What events bring their message to. */
export interface MessageChange {
  readonly state: MessageState | undefined;
  /** Of the state. */
  readonly reason: string | null;
  readonly externalId: string | null;
  /** The external id counts only if the message has none: only a send replaces one. */
  readonly fills: boolean;
}

/** Adds what an event does, and returns what it brings its message to. */
export function addEventEffects(
  into: EventLists,
  message: EventMessage,
  event: EventDetails,
  ids: Ids,
  nowMs: number,
): MessageChange {
  const { source, messageId, attempt } = message;
  const { suppress, id, ...more } = event;
  const { type, code, text, channelId } = event;
  const externalId = event.externalId === message.foundBy ? null : event.externalId;
  into.events ??= [];
  into.events.push({
    source,
    id,
    accountId: message.accountId,
    messageId,
    launchId: message.launchId,
    attempt,
    ...more,
  });
  if (externalId !== null) {
    into.externalIds ??= [];
    into.externalIds.push({ source, channelId, externalId, messageId, attempt });
  }
  if (type === 'moderate_pass' || type === 'moderate_error') {
    const { accountId, laneId, channelVersionId } = message;
    const moderated = { source, accountId, laneId, messageId, channelVersionId, nowMs };
    into.waits ??= [];
    into.waits.push(moderatedWait(moderated, ids, type === 'moderate_pass', text ?? code));
  }
  if (suppress !== undefined) {
    into.suppress ??= [];
    into.suppress.push({ source, messageId, by: suppress });
  }
  const status = SUBSCRIPTION_OF_EVENT[type];
  if (status !== undefined) {
    into.subscriptions ??= [];
    into.subscriptions.push({ source, messageId, status, reason: code ?? type });
  }
  const state = STATE_OF_EVENT[type];
  return {
    state,
    reason: state === undefined ? null : reasonOfState(state, code ?? type),
    externalId,
    fills: type !== 'send',
  };
}

/** The row of a message that is brought to a state. */
export function settledMessage(
  { source, messageId, launchId, attempt }: EventMessage,
  state: MessageState,
  reason: string | null,
  { externalId, fills }: Pick<MessageChange, 'externalId' | 'fills'>,
): SettledMessage {
  return {
    source,
    id: messageId,
    launchId,
    attempt,
    state: STATE_CODES[state],
    reason,
    externalId,
    ...(fills && externalId !== null && { fills }),
  };
}

/** What two events bring their message to: the higher state, and the id of a send before that of any other. */
export function bothChanges(first: MessageChange | undefined, second: MessageChange): MessageChange {
  if (first === undefined) return second;
  const named = second.externalId !== null && (first.externalId === null || !second.fills);
  const raised =
    second.state !== undefined &&
    (first.state === undefined || STATE_CODES[second.state] > STATE_CODES[first.state]);
  const { state, reason } = raised ? second : first;
  const { externalId, fills } = named ? second : first;
  return { state, reason, externalId, fills };
}
