/** Puts addresses on the suppression list, many at once; one that is wrong costs no other. */
import { addressField } from '../../channel/address.ts';
import { unstorable } from '../../channel/unstorable.ts';
import { Failure } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import type { Sql } from '../../storage/database.ts';
import { findEntity } from '../../storage/entities.ts';
import {
  type NewSuppression,
  type SuppressionScope,
  type SuppressionSource,
  writeSuppressions,
} from '../../storage/suppressions.ts';
import type { Directory } from '../directory/directory.ts';
import { findChannel, refused } from '../directory/find-channel.ts';
import type { Runtime } from '../runtime.ts';
import { readAddressKeys } from '../settlement/address-keys.ts';

/** A suppression as a caller gives it. */
export interface SuppressionRequest {
  readonly address: string;
  /** Sids; without a channel it is for every one. */
  readonly channel?: string;
  readonly resource?: string;
  readonly scope?: SuppressionScope;
  readonly reason?: string;
  /** ISO 8601. */
  readonly expiresAt?: string;
}

export interface WrittenSuppression {
  readonly id: string;
  /** It was not there before. */
  readonly created: boolean;
}

export interface WriteSuppressions {
  /** What becomes of each, in the same order. `within` gives where to write. */
  readonly write: (
    accountId: string,
    source: SuppressionSource,
    requests: readonly SuppressionRequest[],
    ids: Ids,
    within?: (write: (sql: Sql) => Promise<void>) => Promise<void>,
  ) => Promise<(WrittenSuppression | Failure)[]>;
}

/** Where and whom a request names; the same for many requests, and looked up once. */
interface Target {
  readonly channelId: number | null;
  readonly secret: boolean;
  readonly resourceId: string | null;
}

export function createWriteSuppressions(runtime: Runtime, directory: Directory): WriteSuppressions {
  const { database, clock } = runtime;

  const targetOf = async (accountId: string, request: SuppressionRequest): Promise<Target> => {
    const { channel: channelSid, resource: resourceSid, scope } = request;
    const channel =
      channelSid === undefined
        ? undefined
        : (await findChannel(directory, accountId, channelSid, '/channel')).document;
    const field = channel && addressField(channel);
    if (channel !== undefined && field === undefined) {
      throw refused('/channel', `Channel "${channelSid}" is indirect: it reaches no address of a person.`);
    }
    if (scope === 'list' && resourceSid === undefined) {
      throw refused('/resource', 'Scope "list" needs a resource: the list that the address is off.');
    }
    if (scope === 'global' && resourceSid !== undefined) {
      throw refused(
        '/resource',
        'Scope "global" is for whatever is sent; leave the resource out, or use "list".',
      );
    }
    const resource =
      resourceSid === undefined ? undefined : await findEntity(database, 'resource', accountId, resourceSid);
    if (resourceSid !== undefined && resource === undefined)
      throw refused('/resource', `There is no resource "${resourceSid}".`);
    return {
      channelId: channel?.id ?? null,
      secret: field?.secret === true,
      resourceId: resource?.id ?? null,
    };
  };

  return Object.freeze<WriteSuppressions>({
    write: async (accountId, source, requests, ids, within = (write) => write(database)) => {
      const keys = await readAddressKeys(runtime);
      const nowMs = clock.now();
      const targets = new Map<string, Target | Failure>();
      const unique = new Map<string, NewSuppression>();
      const places: (string | Failure)[] = [];
      for (const request of requests) {
        const named = JSON.stringify([request.channel, request.resource, request.scope]);
        const target = targets.get(named) ?? (await settled(targetOf(accountId, request)));
        targets.set(named, target);
        const wrong = refusal(request, nowMs);
        const address = keys.of(request.address);
        if (target instanceof Failure || wrong !== undefined || address === undefined) {
          places.push(wrong ?? (target instanceof Failure ? target : refused('/address', NO_ADDRESS)));
          continue;
        }
        const key = target.secret ? address.hash : address.plain;
        const same = JSON.stringify([key, target.channelId, target.resourceId]);
        // One that stands twice is written once, as it stands last.
        unique.set(same, {
          id: unique.get(same)?.id ?? ids.next(),
          key,
          address: target.secret ? null : address.address,
          channelId: target.channelId,
          resourceId: target.resourceId,
          reason: request.reason ?? source,
          expiresAtMs: request.expiresAt === undefined ? null : Date.parse(request.expiresAt),
        });
        places.push(same);
      }
      const ours = new Map<string, string>();
      if (unique.size > 0) {
        await within(async (sql) => {
          const rows = await writeSuppressions(sql, accountId, source, [...unique.values()], nowMs);
          for (const row of rows)
            ours.set(JSON.stringify([row.key, row.channel_id, row.resource_id]), row.id);
        });
      }
      return places.map((place) => {
        if (place instanceof Failure) return place;
        const id = ours.get(place) ?? '';
        return { id, created: unique.get(place)?.id === id };
      });
    },
  });
}

const NO_ADDRESS = 'The address is empty; give an email address, a phone number, a device token or the like.';

function refusal(request: SuppressionRequest, nowMs: number): Failure | undefined {
  const wrong = unstorable(request);
  if (wrong !== undefined)
    return refused(wrong.pointer ?? '', `The value at ${wrong.pointer || '/'} ${wrong.message}.`);
  const { expiresAt } = request;
  return expiresAt !== undefined && !(Date.parse(expiresAt) > nowMs)
    ? refused('/expiresAt', 'expiresAt is over already; leave the address out, or give a later time.')
    : undefined;
}

async function settled<T>(promise: Promise<T>): Promise<T | Failure> {
  try {
    return await promise;
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === 'REQUEST_INVALID') return thrown;
    throw thrown;
  }
}
