/** Checks a message against its channel: everything it names is looked up, and its values must fit. */
import { fieldsOf } from '../channel/document.ts';
import { compileFields, type FieldCheck } from '../channel/values.ts';
import { Failure } from '../errors.ts';
import type { PublishedRow } from '../storage/content.ts';
import { findEntity, firstEntities, type ResourceRow, type SenderRow } from '../storage/entities.ts';
import type { LaunchRow } from '../storage/launches.ts';
import type { SenderRulesRow } from '../storage/sender-rules.ts';
import { type ContentUse, inContentItem, notPublished, publishedKey } from './content-items.ts';
import type { Directory, KnownChannel } from './directory.ts';
import { refused } from './find-channel.ts';
import type { Ground } from './ground.ts';
import type { Lanes } from './lanes.ts';
import { laneOfLaunch } from './mailings/open-launch.ts';
import { invalid, placed } from './stored-fields.ts';

export const MESSAGE_CLASSES = ['transactional', 'marketing', 'urgent'] as const;
export type MessageClass = (typeof MESSAGE_CLASSES)[number];

function classOf(kept: string): MessageClass {
  return MESSAGE_CLASSES.find((each) => each === kept) ?? 'marketing';
}

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
  /** Either values of the template fields or the sid of a template, or a content item. */
  readonly template?: string | Readonly<Record<string, unknown>>;
  readonly contentItemId?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** ISO 8601. */
  readonly expiresAt?: string;
  readonly class?: MessageClass;
  /** What frequency caps count it as; its class where it is left out. */
  readonly category?: string;
}

/** A request of an account, and the id that its message gets. */
export interface Asked {
  readonly accountId: string;
  readonly id: string;
  readonly request: MessageRequest;
  /** The launch of a trigger mailing that it belongs to: only profile and attributes are its own then. */
  readonly trigger?: { readonly launch: LaunchRow; readonly dedupeKey: string | null };
}

/** A request whose channel, sender and resource are known and whose values fit. */
export interface Prepared extends Asked {
  readonly channel: KnownChannel;
  readonly messageClass: MessageClass;
  /** The rules that choose sender and lane, where the request names no sender and there are any. */
  readonly rules: SenderRulesRow | undefined;
  readonly senderId: string | null;
  readonly resourceId: string;
  readonly laneId: number;
  /** Checked values of the template fields, or the version of a content item; neither: those of its launch. */
  readonly content:
    | { readonly values: Readonly<Record<string, unknown>> }
    | { readonly use: ContentUse }
    | { readonly ofLaunch: true };
  /** Checked subscription fields of an inline profile. */
  readonly subscriptionFields: Readonly<Record<string, unknown>> | undefined;
  /** Names of the secret ones among them. */
  readonly secret: ReadonlySet<string>;
}

/** How old what was looked up may be. */
const FRESH_MS = 1_000;

interface Checks {
  /** Names of the secret subscription fields. */
  readonly secret: ReadonlySet<string>;
  readonly template: FieldCheck;
  readonly subscription: FieldCheck;
}

/** Gives a function that prepares one request, for which content items are `published`; it throws Failure where the message cannot be accepted. */
export function createPrepare(
  ground: Ground,
  directory: Directory,
  lanes: Lanes,
): (asked: Asked, published: ReadonlyMap<string, PublishedRow>) => Promise<Prepared> {
  const { database, clock } = ground;
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
    if (known !== undefined && Math.abs(clock.now() - known.at) < FRESH_MS) return known.value as Promise<T>;
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

  /** All that a launch fixed is as it was then; what it sends was checked when it started. */
  const prepareTriggered = async (asked: Asked, launch: LaunchRow): Promise<Prepared> => {
    const channel = await directory.version(launch.channel_version_id);
    const { document } = channel;
    const rules =
      launch.sender_id === null ? await directory.senderRules(asked.accountId, document.id) : undefined;
    if (launch.sender_id === null && rules === undefined && (document.fields.sender ?? []).length > 0) {
      throw refused(
        '/sender',
        `The mailing names no sender, and channel "${document.sid}" has no sender rules any more.`,
      );
    }
    return {
      ...asked,
      channel,
      rules,
      senderId: launch.sender_id,
      resourceId: launch.resource_id,
      laneId: await laneOfLaunch(lanes, channel.document, launch),
      messageClass: classOf(launch.class),
      content: { ofLaunch: true },
      subscriptionFields: profileOf(asked, channel),
      secret: checksOf(channel).secret,
    };
  };

  const prepare = async (asked: Asked, published: ReadonlyMap<string, PublishedRow>): Promise<Prepared> => {
    if (asked.trigger !== undefined) return prepareTriggered(asked, asked.trigger.launch);
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
    const [rules, sender, resource] = await Promise.all([
      request.sender === undefined ? directory.senderRules(accountId, document.id) : undefined,
      senderOf(accountId, document.id, request.sender),
      resourceOf(accountId, request.resource),
    ]);
    if (
      rules === undefined &&
      sender === undefined &&
      (request.sender !== undefined || (document.fields.sender ?? []).length > 0)
    ) {
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
    const content = await contentOf(asked, channel, published);
    const subscriptionFields = profileOf(asked, channel);
    const messageClass = request.class ?? 'transactional';
    if (rules !== undefined) {
      // Who sends, and so the lane, is chosen when the addressee is known.
      const known = { ...asked, channel, messageClass, rules, senderId: null, laneId: 0 };
      return {
        ...known,
        resourceId: resource.id,
        content,
        subscriptionFields,
        secret: checksOf(channel).secret,
      };
    }
    const senderId = sender?.id ?? null;
    const lane = await lanes.laneOf({
      document,
      accountId,
      senderId,
      resourceId: resource.id,
      urgent: messageClass === 'urgent',
      inbound: false,
    });
    return {
      ...asked,
      channel,
      messageClass,
      rules: undefined,
      senderId,
      resourceId: resource.id,
      laneId: lane.id,
      content,
      subscriptionFields,
      secret: checksOf(channel).secret,
    };
  };

  const contentOf = async (
    asked: Asked,
    channel: KnownChannel,
    published: ReadonlyMap<string, PublishedRow>,
  ): Promise<Prepared['content']> => {
    const { template, contentItemId } = asked.request;
    refuseBoth(template, contentItemId);
    if (contentItemId === undefined) return { values: await valuesOf(asked, channel) };
    const row = published.get(publishedKey(asked.accountId, contentItemId));
    if (row === undefined) throw notPublished(contentItemId);
    const use = { itemId: row.item_id, version: row.version };
    const compiled = await directory.items.version(channel, use);
    if (compiled instanceof Failure) throw inContentItem(compiled);
    return { use };
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
    if (problems.length > 0) throw invalid(placed(problems, '/template'));
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
    if (typeof request.profile === 'string' || request.profile.subscription === undefined) return undefined;
    const { values, problems } = checksOf(channel).subscription.check(
      request.profile.subscription.fields ?? {},
      'saved',
    );
    if (problems.length > 0) throw invalid(placed(problems, '/profile/subscription/fields'));
    return values;
  };

  return prepare;
}

/** Throws REQUEST_INVALID unless exactly one of the two ways to name content is used. */
export function refuseBoth(template: unknown, contentItemId: string | undefined): void {
  if (template !== undefined && contentItemId !== undefined) {
    throw refused('/contentItemId', 'Give either "template" or "contentItemId", not both.');
  }
  if (template === undefined && contentItemId === undefined) {
    throw refused('/template', 'Give the content: either "template" or "contentItemId".');
  }
}

function onlyOne<T>(rows: readonly T[]): T | undefined {
  return rows.length === 1 ? rows[0] : undefined;
}
