/** Finds the people that messages go to; profiles that come with their messages are written first. */

import { sealFields } from '../../access/vault.ts';
import type { Failure } from '../../errors.ts';
import { isObject } from '../../json.ts';
import { type NewProfile, upsertProfiles } from '../../storage/profiles.ts';
import { findSubscriptions, type NewSubscription, upsertSubscriptions } from '../../storage/subscriptions.ts';
import { isoTime } from '../../time.ts';
import { refused } from '../directory/find-channel.ts';
import type { MessageRequest, PreparedMessage } from '../directory/message-request.ts';
import type { Runtime } from '../runtime.ts';

export interface Addressee {
  readonly profileId: string;
  readonly subscriptionId: string;
}

/** The addressees of prepared messages, in their order; undefined if a message goes to no person. */
export async function findAddressees(
  runtime: Runtime,
  prepared: readonly PreparedMessage[],
): Promise<(Addressee | Failure | undefined)[]> {
  const { database } = runtime;
  const direct = prepared.filter((each) => each.request.profile !== undefined);
  if (direct.length === 0) return prepared.map(() => undefined);
  await writeInlineProfiles(runtime, direct);
  const rows = await findSubscriptions(
    database,
    direct.map((each) => ({
      accountId: each.accountId,
      externalId: externalIdOf(each.request) ?? '',
      resourceId: each.resourceId,
      channelId: each.channel.document.id,
    })),
  );
  const byPlace = new Map(rows.map((row) => [row.place, row]));
  const places = new Map(direct.map((each, place) => [each, place]));
  return prepared.map((each) => {
    const place = places.get(each);
    if (place === undefined) return undefined;
    const row = byPlace.get(place);
    const name = externalIdOf(each.request);
    if (row === undefined) return refused('/profile', `There is no profile "${name}".`);
    if (row.subscription_id === null) {
      return refused(
        '/profile',
        `Profile "${name}" has no subscription to this resource in channel "${each.channel.document.sid}".`,
      );
    }
    return { profileId: row.profile_id, subscriptionId: row.subscription_id };
  });
}

/** In the order of their keys, so that two processes that write the same people wait for each other instead of blocking. */
function inOrder<T>(rows: ReadonlyMap<string, T>): T[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

async function writeInlineProfiles(runtime: Runtime, direct: readonly PreparedMessage[]): Promise<void> {
  const { database, clock, ids, vault } = runtime;
  const nowMs = clock.now();
  const profiles = new Map<string, NewProfile>();
  for (const { accountId, request } of direct) {
    if (!isObject(request.profile)) continue;
    const { externalId, fields = {} } = request.profile;
    profiles.set(`${accountId}/${externalId}`, {
      id: ids.next(),
      accountId,
      externalId,
      fields: JSON.stringify(fields),
    });
  }
  if (profiles.size === 0) return;
  const rows = await upsertProfiles(database, inOrder(profiles), nowMs);
  const profileIds = new Map(rows.map((row) => [`${row.account_id}/${row.external_id}`, row.id]));
  const subscriptions = new Map<string, NewSubscription>();
  for (const each of direct) {
    if (each.subscriptionFields === undefined) continue;
    const profileId = profileIds.get(`${each.accountId}/${externalIdOf(each.request)}`);
    if (profileId === undefined) continue;
    const channelId = each.channel.document.id;
    subscriptions.set(`${profileId}/${each.resourceId}/${channelId}`, {
      id: ids.next(),
      accountId: each.accountId,
      profileId,
      resourceId: each.resourceId,
      channelId,
      fields: JSON.stringify(sealFields(vault, each.subscriptionFields, each.secret, isoTime(nowMs))),
      status: null,
    });
  }
  if (subscriptions.size > 0) await upsertSubscriptions(database, inOrder(subscriptions), nowMs);
}

function externalIdOf(request: MessageRequest): string | undefined {
  return isObject(request.profile) ? request.profile.externalId : request.profile;
}
