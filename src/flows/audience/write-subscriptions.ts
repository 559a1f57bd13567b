/** Creates and updates subscriptions, many at once; one that is wrong costs no other. */
import { openFields, sealFields } from '../../access/vault.ts';
import { unstorable } from '../../channel/unstorable.ts';
import { Failure } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import type { Sql } from '../../storage/database.ts';
import { findEntity } from '../../storage/entities.ts';
import {
  findSubscriptionFields,
  type SubscriptionStatus,
  upsertSubscriptions,
} from '../../storage/subscriptions.ts';
import { isoTime } from '../../time.ts';
import type { Directory } from '../directory/directory.ts';
import { findChannel, refused } from '../directory/find-channel.ts';
import type { KnownChannel } from '../directory/known-channel.ts';
import { type FieldGroupChecks, invalid, placed } from '../directory/stored-fields.ts';
import type { Runtime } from '../runtime.ts';
import { valuesOfCells } from './import/cells.ts';
import type { Written } from './import/import-rows.ts';

/** A subscription as a caller gives it. */
export interface SubscriptionRequest {
  /** External id of the profile. */
  readonly profile: string;
  /** Sids. */
  readonly resource: string;
  readonly channel: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly status?: SubscriptionStatus;
}

/** A request whose resource and channel are known. */
interface Placed {
  readonly place: number;
  readonly request: SubscriptionRequest;
  readonly channel: KnownChannel;
  readonly resourceId: string;
}

export interface WriteSubscriptions {
  /**
   * What becomes of each, in the same order. Fields are merged into those that are there, and fit as a whole.
   * `cells`: the fields are texts of CSV, read in the types of the channel. `write` gives where to write.
   */
  readonly write: (
    accountId: string,
    requests: readonly SubscriptionRequest[],
    ids: Ids,
    options: { cells: boolean; within?: (write: (sql: Sql) => Promise<void>) => Promise<void> },
  ) => Promise<Written[]>;
}

export function createWriteSubscriptions(
  runtime: Runtime,
  directory: Directory,
  forms: FieldGroupChecks,
): WriteSubscriptions {
  const { database, clock } = runtime;

  const channelOf = async (accountId: string, sid: string): Promise<KnownChannel | Failure> => {
    try {
      const channel = await findChannel(directory, accountId, sid, '/channel');
      if (channel.document.communication === 'direct') return channel;
      return refused(
        '/channel',
        `Channel "${sid}" is indirect: it reaches resources, so nobody subscribes in it.`,
      );
    } catch (thrown) {
      if (thrown instanceof Failure && thrown.code === 'REQUEST_INVALID') return thrown;
      throw thrown;
    }
  };

  const place = async (
    accountId: string,
    requests: readonly SubscriptionRequest[],
    results: (Written | undefined)[],
  ): Promise<Placed[]> => {
    const channels = new Map<string, KnownChannel | Failure>();
    const resources = new Map<string, string | Failure>();
    const found: Placed[] = [];
    for (const [place, request] of requests.entries()) {
      const wrong = unstorable(request);
      const channel = channels.get(request.channel) ?? (await channelOf(accountId, request.channel));
      channels.set(request.channel, channel);
      let resource = resources.get(request.resource);
      if (resource === undefined) {
        const row = await findEntity(database, 'resource', accountId, request.resource);
        resource = row?.id ?? refused('/resource', `There is no resource "${request.resource}".`);
        resources.set(request.resource, resource);
      }
      if (wrong !== undefined) {
        results[place] = refused(
          wrong.pointer ?? '',
          `The value at ${wrong.pointer || '/'} ${wrong.message}.`,
        );
      } else if (channel instanceof Failure) results[place] = channel;
      else if (typeof resource !== 'string') results[place] = resource;
      else found.push({ place, request, channel, resourceId: resource });
    }
    return found;
  };

  return Object.freeze<WriteSubscriptions>({
    write: async (accountId, requests, ids, { cells, within = (write) => write(database) }) => {
      const results: (Written | undefined)[] = requests.map(() => undefined);
      const found = await place(accountId, requests, results);
      const asked = found.map(({ request, channel, resourceId }) => ({
        accountId,
        externalId: request.profile,
        resourceId,
        channelId: channel.document.id,
      }));
      const stored = new Map((await findSubscriptionFields(database, asked)).map((row) => [row.place, row]));
      const merged = new Map<string, Merged>();
      for (const [index, { place, request, channel, resourceId }] of found.entries()) {
        const row = stored.get(index);
        if (row === undefined) {
          results[place] = refused('/profile', `There is no profile "${request.profile}". Create it first.`);
          continue;
        }
        const { document } = channel;
        const key = `${row.profile_id}/${resourceId}/${document.id}`;
        const earlier = merged.get(key);
        const given = cells
          ? valuesOfCells(document.fields.subscription, request.fields ?? {})
          : request.fields;
        const form = forms(document, 'subscription');
        // A field that the channel no longer has must not stand in the way of the others.
        const before = Object.entries(
          earlier?.fields ?? openFields(runtime.vault, row.fields ?? {}).values,
        ).filter(([name]) => form.names.has(name));
        const { values, problems } = form.check({ ...Object.fromEntries(before), ...given }, 'saved');
        if (problems.length > 0) {
          results[place] = invalid(placed(problems, '/fields'));
          continue;
        }
        merged.set(key, {
          place: earlier?.place ?? place,
          fields: values,
          secret: form.secret,
          status: request.status ?? earlier?.status ?? null,
          id: earlier?.id ?? ids.next(),
          accountId,
          profileId: row.profile_id,
          resourceId,
          channelId: document.id,
        });
        results[place] = 'updated';
      }
      const setAt = isoTime(clock.now());
      const subscriptions = [...merged.values()].map(({ secret, ...each }) => ({
        ...each,
        fields: JSON.stringify(sealFields(runtime.vault, each.fields, secret, setAt)),
      }));
      const firsts = new Map(subscriptions.map((each) => [each.id, each.place]));
      if (subscriptions.length > 0) {
        await within(async (sql) => {
          for (const { id } of await upsertSubscriptions(sql, subscriptions, clock.now())) {
            const first = firsts.get(id);
            // It has our id: it was not there before, or this very write is repeated.
            if (first !== undefined) results[first] = 'created';
          }
        });
      }
      return results as Written[];
    },
  });
}

interface Merged {
  /** Of the first request for it. */
  readonly place: number;
  readonly id: string;
  readonly accountId: string;
  readonly profileId: string;
  readonly resourceId: string;
  readonly channelId: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly secret: ReadonlySet<string>;
  readonly status: SubscriptionStatus | null;
}
