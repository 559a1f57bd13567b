/**
 * Door 1: messages. A request is checked against its channel, and the message and its waiting row are written before
 * anyone is answered. Requests that arrive together are looked up and written together.
 */

import { sealFields } from '../access/vault.ts';
import { fieldsOf } from '../channel/document.ts';
import { unfit } from '../channel/unfit.ts';
import { compileFields, type FieldCheck } from '../channel/values.ts';
import { asFailure, Failure, type Problem } from '../errors.ts';
import { isObject } from '../json.ts';
import { insertMessages, type NewMessage } from '../storage/accept.ts';
import { findEntity, firstEntities, type ResourceRow, type SenderRow } from '../storage/entities.ts';
import { type NewProfile, upsertProfiles } from '../storage/profiles.ts';
import { findSubscriptions, type NewSubscription, upsertSubscriptions } from '../storage/subscriptions.ts';
import { isoTime } from '../time.ts';
import type { Directory, KnownChannel } from './directory.ts';
import { createGatherer } from './gather.ts';
import type { Ground } from './ground.ts';
import type { Lanes } from './lanes.ts';

export const MESSAGE_CLASSES = ['transactional', 'marketing', 'urgent'] as const;
export type MessageClass = (typeof MESSAGE_CLASSES)[number];

/** A message as a caller asks for it. */
export interface MessageRequest {
  readonly channel: string;
  readonly sender?: string;
  readonly resource?: string;
  readonly profile?:
    | string
    | {
        readonly externalId: string;
        readonly fields?: Readonly<Record<string, unknown>>;
        readonly subscription?: { readonly fields?: Readonly<Record<string, unknown>> };
      };
  readonly template: string | Readonly<Record<string, unknown>>;
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** ISO 8601. */
  readonly expiresAt?: string;
  readonly class?: MessageClass;
}

export interface Acceptance {
  readonly id: string;
  readonly state: 'accepted';
}

export interface Accept {
  /** Accepts one message of an account under the given id; throws Failure where it cannot be accepted. */
  readonly message: (accountId: string, id: string, request: MessageRequest) => Promise<Acceptance>;
}

interface Asked {
  readonly accountId: string;
  readonly id: string;
  readonly request: MessageRequest;
}

/** A request whose channel, sender and resource are known and whose values fit. */
interface Prepared extends Asked {
  readonly channel: KnownChannel;
  readonly senderId: string | null;
  readonly resourceId: string;
  readonly laneId: number;
  readonly values: Readonly<Record<string, unknown>>;
  readonly subscriptionFields: Readonly<Record<string, unknown>> | undefined;
}

const MOST_TOGETHER = 1_000;
const FRESH_MS = 1_000;

interface Checks {
  /** Names of the secret subscription fields. */
  readonly secret: ReadonlySet<string>;
  readonly template: FieldCheck;
  readonly subscription: FieldCheck;
}

/** `woken` is told which lanes have something to do. */
export function createAccept(
  ground: Ground,
  directory: Directory,
  lanes: Lanes,
  woken: (laneIds: readonly number[]) => void,
): Accept {
  const { database, clock, ids } = ground;
  const checks = new Map<number, Checks>();
  const found = new Map<string, { at: number; value: Promise<unknown> }>();

  const checksOf = (channel: KnownChannel): Checks => {
    let made = checks.get(channel.versionId);
    if (made === undefined) {
      const { fields } = channel.document;
      made = {
        template: compileFields(fields.template ?? []),
        subscription: compileFields(fields.subscription ?? [], 'subscription'),
        secret: new Set(
          fieldsOf(fields.subscription).flatMap((field) => (field.secret === true ? [field.field] : [])),
        ),
      };
      checks.set(channel.versionId, made);
    }
    return made;
  };

  const remember = <T>(key: string, read: () => Promise<T>): Promise<T> => {
    const known = found.get(key);
    if (known !== undefined && clock.now() - known.at < FRESH_MS) return known.value as Promise<T>;
    const value = read();
    found.set(key, { at: clock.now(), value });
    value.catch(() => found.delete(key));
    return value;
  };

  const senderOf = (accountId: string, channelId: number, sid: string | undefined) =>
    remember<SenderRow | undefined>(`s/${accountId}/${channelId}/${sid ?? ''}`, async () =>
      sid === undefined
        ? onlyOne(await firstEntities(database, 'sender', accountId, channelId))
        : findEntity(database, 'sender', accountId, sid, channelId),
    );

  const resourceOf = (accountId: string, sid: string | undefined) =>
    remember<ResourceRow | undefined>(`r/${accountId}/${sid ?? ''}`, async () =>
      sid === undefined
        ? onlyOne(await firstEntities(database, 'resource', accountId))
        : findEntity(database, 'resource', accountId, sid),
    );

  const templateOf = (accountId: string, channelId: number, sid: string) =>
    remember(`t/${accountId}/${channelId}/${sid}`, () =>
      findEntity(database, 'template', accountId, sid, channelId),
    );

  const prepare = async (asked: Asked): Promise<Prepared> => {
    const { accountId, request } = asked;
    const known = await directory.channel(request.channel);
    if (known === undefined || (known.row.account_id !== null && known.row.account_id !== accountId)) {
      throw refused('/channel', `There is no channel "${request.channel}".`);
    }
    const { channel, row } = known;
    const { document } = channel;
    if (row.status !== 'active' && row.status !== 'paused') {
      throw refused(
        '/channel',
        `Channel "${request.channel}" is ${row.status}; only an active channel sends.`,
      );
    }
    if (channel.plans.message?.entry === undefined) {
      throw refused(
        '/channel',
        `Channel "${request.channel}" has no Message pipeline, so nothing can be sent through it.`,
      );
    }
    const [sender, resource] = await Promise.all([
      senderOf(accountId, document.id, request.sender),
      resourceOf(accountId, request.resource),
    ]);
    if (sender === undefined && (request.sender !== undefined || (document.fields.sender ?? []).length > 0)) {
      throw refused(
        '/sender',
        request.sender === undefined
          ? `Name the sender: channel "${document.sid}" needs one, and there is not exactly one to choose.`
          : `There is no sender "${request.sender}" in channel "${document.sid}".`,
      );
    }
    if (resource === undefined) {
      throw refused(
        '/resource',
        request.resource === undefined
          ? 'Name the resource: there is not exactly one to choose.'
          : `There is no resource "${request.resource}".`,
      );
    }
    const values = await valuesOf(asked, channel);
    const subscriptionFields = profileOf(asked, channel);
    const senderId = sender?.id ?? null;
    const lane = await lanes.laneOf({
      document,
      accountId,
      senderId,
      resourceId: resource.id,
      urgent: request.class === 'urgent',
      inbound: false,
    });
    return {
      ...asked,
      channel,
      senderId,
      resourceId: resource.id,
      laneId: lane.id,
      values,
      subscriptionFields,
    };
  };

  const valuesOf = async ({ accountId, request }: Asked, channel: KnownChannel) => {
    let given = request.template;
    if (typeof given === 'string') {
      const template = await templateOf(accountId, channel.document.id, given);
      if (template === undefined) {
        throw refused('/template', `There is no template "${given}" in channel "${channel.document.sid}".`);
      }
      given = template.values;
    }
    const { values, problems } = checksOf(channel).template.check(given, 'saved');
    if (problems.length > 0) throw invalid('/template', problems);
    // Personal data in an indirect channel is refused here, before anything is sent.
    directory.content(channel, values);
    return values;
  };

  /** The checked subscription fields of an inline profile; refuses what does not go with the kind of communication. */
  const profileOf = ({ request }: Asked, channel: KnownChannel) => {
    const { document } = channel;
    if (document.communication === 'indirect') {
      if (request.profile !== undefined) {
        throw new Failure(
          'PERSONAL_DATA_REFUSED',
          `Channel "${document.sid}" is indirect: its messages go to a resource, not to a person. Leave "profile" out.`,
          { problems: [{ pointer: '/profile', message: 'An indirect channel takes no profile.' }] },
        );
      }
      return undefined;
    }
    if (request.profile === undefined) {
      throw refused(
        '/profile',
        `Channel "${document.sid}" is direct: name the profile that the message goes to.`,
      );
    }
    const unsound = unfit(request.profile, '/profile');
    if (unsound !== undefined)
      throw refused(unsound.pointer ?? '/profile', `The profile ${unsound.message}.`);
    if (typeof request.profile === 'string' || request.profile.subscription === undefined) return undefined;
    const { values, problems } = checksOf(channel).subscription.check(
      request.profile.subscription.fields ?? {},
      'saved',
    );
    if (problems.length > 0) throw invalid('/profile/subscription/fields', problems);
    return values;
  };

  const findAddressees = async (
    prepared: readonly Prepared[],
  ): Promise<(Addressee | Failure | undefined)[]> => {
    const direct = prepared.filter((each) => each.request.profile !== undefined);
    if (direct.length === 0) return prepared.map(() => undefined);
    await writeInlineProfiles(direct);
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
  };

  const writeInlineProfiles = async (direct: readonly Prepared[]) => {
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
    const rows = await upsertProfiles(database, [...profiles.values()], nowMs);
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
        fields: JSON.stringify(
          sealFields(ground.vault, each.subscriptionFields, checksOf(each.channel).secret, isoTime(nowMs)),
        ),
        status: null,
      });
    }
    if (subscriptions.size > 0) await upsertSubscriptions(database, [...subscriptions.values()], nowMs);
  };

  const gatherer = createGatherer<Asked, Acceptance | Failure>(async (all) => {
    const startedMs = performance.now();
    const results: (Acceptance | Failure | undefined)[] = new Array(all.length).fill(undefined);
    const prepared: { place: number; each: Prepared }[] = [];
    await Promise.all(
      all.map(async (asked, place) => {
        try {
          prepared.push({ place, each: await prepare(asked) });
        } catch (thrown) {
          results[place] = asFailure(thrown);
        }
      }),
    );
    const addressees = await findAddressees(prepared.map(({ each }) => each));
    const messages: NewMessage[] = [];
    prepared.forEach(({ place, each }, index) => {
      const addressee = addressees[index];
      if (addressee instanceof Failure) {
        results[place] = addressee;
        return;
      }
      messages.push(messageOf(each, addressee));
      results[place] = { id: each.id, state: 'accepted' };
    });
    if (messages.length > 0) {
      await insertMessages(database, messages, clock.now());
      woken([...new Set(messages.map((message) => message.laneId))]);
    }
    ground.stages.add('accept', all.length, performance.now() - startedMs);
    return results as (Acceptance | Failure)[];
  }, MOST_TOGETHER);

  return Object.freeze<Accept>({
    message: async (accountId, id, request) => {
      const result = await gatherer.add({ accountId, id, request });
      if (result instanceof Failure) throw result;
      return result;
    },
  });
}

interface Addressee {
  readonly profileId: string;
  readonly subscriptionId: string;
}

function messageOf(each: Prepared, addressee: Addressee | undefined): NewMessage {
  const { request, channel, values } = each;
  return {
    id: each.id,
    accountId: each.accountId,
    channelId: channel.document.id,
    channelVersionId: channel.versionId,
    laneId: each.laneId,
    profileId: addressee?.profileId ?? null,
    subscriptionId: addressee?.subscriptionId ?? null,
    resourceId: each.resourceId,
    senderId: each.senderId,
    class: request.class ?? 'transactional',
    content: JSON.stringify({
      values,
      ...(request.attributes !== undefined && { attributes: request.attributes }),
    }),
    expiresAtMs: request.expiresAt === undefined ? null : Date.parse(request.expiresAt),
  };
}

function externalIdOf(request: MessageRequest): string | undefined {
  return isObject(request.profile) ? request.profile.externalId : request.profile;
}

function onlyOne<T>(rows: readonly T[]): T | undefined {
  return rows.length === 1 ? rows[0] : undefined;
}

function refused(pointer: string, message: string): Failure {
  return new Failure('REQUEST_INVALID', message, { problems: [{ pointer, message }] });
}

function invalid(prefix: string, problems: readonly Problem[]): Failure {
  const placed = problems.map((problem) => ({ ...problem, pointer: `${prefix}${problem.pointer}` }));
  return new Failure('VALUES_INVALID', `The values do not fit the channel: ${placed[0]?.message}`, {
    problems: placed,
  });
}
