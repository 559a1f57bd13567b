/** Checks a message against its channel: everything it names is looked up, and its values must fit. */
import { fieldsOf } from '../../channel/document.ts';
import { compileFields, type FieldCheck } from '../../channel/values.ts';
import { Failure } from '../../errors.ts';
import type { PublishedRow } from '../../storage/content.ts';
import { findEntity, firstEntities, type ResourceRow, type SenderRow } from '../../storage/entities.ts';
import type { LaunchRow } from '../../storage/launches.ts';
import { inContentItem, notPublished, publishedKey } from '../directory/content-items.ts';
import type { Directory } from '../directory/directory.ts';
import { refused } from '../directory/find-channel.ts';
import type { KnownChannel } from '../directory/known-channel.ts';
import {
  MESSAGE_CLASSES,
  type MessageClass,
  type PendingMessage,
  type PreparedMessage,
  refuseBoth,
} from '../directory/message-request.ts';
import { invalid, placed } from '../directory/stored-fields.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { laneOfLaunch } from '../lanes/launch-lane.ts';
import type { Runtime } from '../runtime.ts';

function classOf(kept: string): MessageClass {
  return MESSAGE_CLASSES.find((each) => each === kept) ?? 'marketing';
}

/** How old what was looked up may be. */
const FRESH_MS = 1_000;

interface Checks {
  /** Names of the secret subscription fields. */
  readonly secret: ReadonlySet<string>;
  readonly template: FieldCheck;
  readonly subscription: FieldCheck;
}

/** Returns a function that prepares one request, for which content items are `published`; it throws Failure where the message cannot be accepted. */
export function createPrepare(
  runtime: Runtime,
  directory: Directory,
  lanes: Lanes,
): (pending: PendingMessage, published: ReadonlyMap<string, PublishedRow>) => Promise<PreparedMessage> {
  const { database, clock } = runtime;
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
  const prepareTriggered = async (pending: PendingMessage, launch: LaunchRow): Promise<PreparedMessage> => {
    const channel = await directory.version(launch.channel_version_id);
    const { document } = channel;
    const rules =
      launch.sender_id === null ? await directory.senderRules(pending.accountId, document.id) : undefined;
    if (launch.sender_id === null && rules === undefined && (document.fields.sender ?? []).length > 0) {
      throw refused(
        '/sender',
        `The mailing names no sender, and channel "${document.sid}" has no sender rules any more.`,
      );
    }
    return {
      ...pending,
      channel,
      rules,
      senderId: launch.sender_id,
      resourceId: launch.resource_id,
      laneId: await laneOfLaunch(lanes, channel.document, launch),
      messageClass: classOf(launch.class),
      content: { ofLaunch: true },
      subscriptionFields: profileOf(pending, channel),
      secret: checksOf(channel).secret,
    };
  };

  const prepare = async (
    pending: PendingMessage,
    published: ReadonlyMap<string, PublishedRow>,
  ): Promise<PreparedMessage> => {
    if (pending.trigger !== undefined) return prepareTriggered(pending, pending.trigger.launch);
    const { accountId, request } = pending;
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
    const content = await contentOf(pending, channel, published);
    const subscriptionFields = profileOf(pending, channel);
    const messageClass = request.class ?? 'transactional';
    if (rules !== undefined) {
      // Who sends, and so the lane, is chosen when the addressee is known.
      const known = { ...pending, channel, messageClass, rules, senderId: null, laneId: 0 };
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
      ...pending,
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
    pending: PendingMessage,
    channel: KnownChannel,
    published: ReadonlyMap<string, PublishedRow>,
  ): Promise<PreparedMessage['content']> => {
    const { template, contentItemId } = pending.request;
    refuseBoth(template, contentItemId);
    if (contentItemId === undefined) return { values: await valuesOf(pending, channel) };
    const row = published.get(publishedKey(pending.accountId, contentItemId));
    if (row === undefined) throw notPublished(contentItemId);
    const use = { itemId: row.item_id, version: row.version };
    const compiled = await directory.items.version(channel, use);
    if (compiled instanceof Failure) throw inContentItem(compiled);
    return { use };
  };

  const valuesOf = async ({ accountId, request }: PendingMessage, channel: KnownChannel) => {
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
  const profileOf = ({ request }: PendingMessage, channel: KnownChannel) => {
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

function onlyOne<T>(rows: readonly T[]): T | undefined {
  return rows.length === 1 ? rows[0] : undefined;
}
