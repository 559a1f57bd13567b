/**
 * Door 1: messages. A request is checked against its channel, and the message and its waiting row are written before
 * anyone is answered. Requests that arrive together are looked up and written together.
 */

import { asFailure, Failure } from '../../errors.ts';
import { isUuid } from '../../ids.ts';
import { insertMessages, type NewMessage } from '../../storage/accept.ts';
import type { LaunchRow } from '../../storage/launches.ts';
import { type MessageState, stateName } from '../../storage/states.ts';
import { insertTriggered, type NewTriggered } from '../../storage/triggers.ts';
import { createBatcher } from '../batcher.ts';
import { findPublished } from '../directory/content-items.ts';
import type { Directory } from '../directory/directory.ts';
import type { MessageRequest, PendingMessage, PreparedMessage } from '../directory/message-request.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { Runtime } from '../runtime.ts';
import { type Addressee, findAddressees } from '../senders/address-messages.ts';
import { createSenderChooser, type SenderChoice } from '../senders/choose-sender.ts';
import { createPrepare } from './prepare-message.ts';

export interface Acceptance {
  readonly id: string;
  /** `accepted`; of a repeated trigger the one of the message that it made before. */
  readonly state: MessageState;
}

/** What a trigger says of its message; the rest is that of the launch. */
export interface TriggerRequest {
  readonly profile?: Exclude<MessageRequest['profile'], undefined>;
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** Names it among repeats: a second one for the same person makes no message. */
  readonly dedupeKey?: string;
}

export interface Accept {
  /** Accepts one message of an account under the given id; throws Failure where it cannot be accepted. */
  readonly message: (accountId: string, id: string, request: MessageRequest) => Promise<Acceptance>;
  /** The same for a message of a launch of a trigger mailing. */
  readonly triggered: (id: string, launch: LaunchRow, request: TriggerRequest) => Promise<Acceptance>;
}

const MOST_TOGETHER = 1_000;
/** While some are written, the next are looked up. */
const AT_ONCE = 2;

/** `wakeLanes` gets the lanes that have work. */
export function createAccept(
  runtime: Runtime,
  directory: Directory,
  lanes: Lanes,
  wakeLanes: (laneIds: readonly number[]) => void,
): Accept {
  const { database, clock } = runtime;
  const prepare = createPrepare(runtime, directory, lanes);
  const chooser = createSenderChooser(runtime, lanes);

  let lastWrite: Promise<void> = Promise.resolve();
  /** One write after another: a lane is searched onwards, and a row that came to stand before the cursor would wait. */
  const write = (messages: readonly NewMessage[]) => {
    const written = lastWrite.then(() => insertMessages(database, messages, clock.now()));
    lastWrite = written.catch(() => undefined);
    return written;
  };

  const acceptAll = async (all: readonly PendingMessage[]): Promise<(Acceptance | Failure)[]> => {
    const startedMs = performance.now();
    const results: (Acceptance | Failure | undefined)[] = new Array(all.length).fill(undefined);
    const published = await findPublished(database, contentItemsOf(all));
    const prepared: { place: number; each: PreparedMessage }[] = [];
    await Promise.all(
      all.map(async (pending, place) => {
        try {
          prepared.push({ place, each: await prepare(pending, published) });
        } catch (thrown) {
          results[place] = asFailure(thrown);
        }
      }),
    );
    const addressees = await findAddressees(
      runtime,
      prepared.map(({ each }) => each),
    );
    const choices = prepared.some(({ each }) => each.rules !== undefined)
      ? await chooser.forMessages(
          prepared.map(({ each }) => each),
          addressees,
        )
      : undefined;
    const messages: NewMessage[] = [];
    const triggered: NewTriggered[] = [];
    const places = new Map<string, number>();
    prepared.forEach(({ place, each }, index) => {
      const addressee = addressees[index];
      const chosen = choices?.[index];
      if (addressee instanceof Failure) {
        results[place] = addressee;
        return;
      }
      if (chosen instanceof Failure) {
        results[place] = chosen;
        return;
      }
      const message = messageOf(each, addressee, chosen);
      if (each.trigger === undefined) messages.push(message);
      else {
        const { launch, dedupeKey } = each.trigger;
        triggered.push({ ...message, launchId: launch.id, dedupeKey });
        places.set(each.id, place);
      }
      results[place] = { id: each.id, state: 'accepted' };
    });
    if (messages.length > 0) await write(messages);
    const repeats = triggered.length > 0 ? await insertTriggered(database, triggered, clock.now()) : [];
    for (const repeat of repeats) {
      const state = repeat.state === null ? 'accepted' : stateName(repeat.state);
      results[places.get(repeat.id) ?? 0] = { id: repeat.message_id, state };
    }
    const written = [...messages, ...triggered];
    if (written.length > 0) wakeLanes([...new Set(written.map((message) => message.laneId))]);
    runtime.stages.add('accept', all.length, performance.now() - startedMs);
    return results as (Acceptance | Failure)[];
  };
  const gatherer = createBatcher(acceptAll, MOST_TOGETHER, AT_ONCE);
  // Apart from the others, so that each batch is written in one statement.
  const triggers = createBatcher(acceptAll, MOST_TOGETHER);

  return Object.freeze<Accept>({
    message: async (accountId, id, request) => {
      const result = await gatherer.add({ accountId, id, request });
      if (result instanceof Failure) throw result;
      return result;
    },
    triggered: async (id, launch, { profile, attributes, dedupeKey = null }) => {
      const request = {
        channel: '',
        ...(profile !== undefined && { profile }),
        ...(attributes !== undefined && { attributes }),
      };
      const trigger = { launch, dedupeKey };
      const result = await triggers.add({ accountId: launch.account_id, id, request, trigger });
      if (result instanceof Failure) throw result;
      return result;
    },
  });
}

/** The content items that requests name; a malformed id is none. */
function contentItemsOf(all: readonly PendingMessage[]): { accountId: string; itemId: string }[] {
  return all.flatMap(({ accountId, request: { contentItemId } }) =>
    contentItemId === undefined || !isUuid(contentItemId) ? [] : [{ accountId, itemId: contentItemId }],
  );
}

function messageOf(
  each: PreparedMessage,
  addressee: Addressee | undefined,
  chosen: SenderChoice | undefined,
): NewMessage {
  const { request, channel, content } = each;
  return {
    id: each.id,
    accountId: each.accountId,
    channelId: channel.document.id,
    channelVersionId: channel.versionId,
    laneId: chosen?.laneId ?? each.laneId,
    profileId: addressee?.profileId ?? null,
    subscriptionId: addressee?.subscriptionId ?? null,
    resourceId: each.resourceId,
    senderId: chosen === undefined ? each.senderId : chosen.senderId,
    routeId: chosen?.routeId ?? null,
    class: each.messageClass,
    content: JSON.stringify({
      ...('use' in content && { item: content.use.itemId, version: content.use.version }),
      ...('values' in content && { values: content.values }),
      ...(request.attributes !== undefined && { attributes: request.attributes }),
      ...(request.category !== undefined && { category: request.category }),
    }),
    expiresAtMs: request.expiresAt === undefined ? null : Date.parse(request.expiresAt),
  };
}
