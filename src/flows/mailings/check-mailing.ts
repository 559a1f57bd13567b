/** Checks a mailing before it is kept: everything it names is looked up, and its values must fit. */
import type { MailingType } from '../../channel/document.ts';
import { compileFields } from '../../channel/values.ts';
import { Failure } from '../../errors.ts';
import { audienceCondition } from '../../storage/audience.ts';
import { readItem } from '../../storage/content.ts';
import { findEntity } from '../../storage/entities.ts';
import type { NewMailing } from '../../storage/mailings.ts';
import { inContentItem, notPublished } from '../directory/content-items.ts';
import type { Directory } from '../directory/directory.ts';
import { refused } from '../directory/find-channel.ts';
import type { KnownChannel } from '../directory/known-channel.ts';
import { refuseBoth } from '../directory/message-request.ts';
import { invalid, placed } from '../directory/stored-fields.ts';
import type { Runtime } from '../runtime.ts';
import { refuseUnknownFields } from './audience-reach.ts';
import { createScheduler } from './schedule.ts';

/** A mailing as a caller asks for it. */
export interface MailingRequest {
  readonly name: string;
  /** Left out: `regular`, where the channel takes it, else the first that it takes. */
  readonly type?: MailingType;
  readonly channel: string;
  readonly sender?: string;
  readonly resource: string;
  readonly template?: string | Readonly<Record<string, unknown>>;
  readonly contentItemId?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly audience?: Readonly<Record<string, unknown>>;
  readonly schedule?: { readonly startAt?: string; readonly stopAt?: string; readonly timeZone?: string };
  readonly class?: string;
  readonly category?: string;
}

/** Returns a function that makes of an account's request what is kept; it throws Failure with the member. */
export function createCheckMailing(
  runtime: Runtime,
  directory: Directory,
): (accountId: string, body: MailingRequest, id: string) => Promise<NewMailing> {
  const { database, clock } = runtime;
  const momentsOf = createScheduler();

  const valuesOf = async (accountId: string, body: MailingRequest, channel: KnownChannel) => {
    let given = body.template;
    if (typeof given === 'string') {
      const template = await findEntity(database, 'template', accountId, given, channel.document.id);
      if (template === undefined)
        throw refused('/template', `There is no template "${given}" in channel "${body.channel}".`);
      given = template.values;
    }
    const { values, problems } = compileFields(channel.document.fields.template ?? []).check(given, 'saved');
    if (problems.length > 0) throw invalid(placed(problems, '/template'));
    // Personal data in an indirect channel, and Liquid that cannot work, are refused when the mailing is saved.
    directory.content(channel, values);
    return values;
  };

  /** The published version must fit the channel; where there is none yet, the one that people work on. */
  const checkItem = async (accountId: string, itemId: string, channel: KnownChannel) => {
    const known = await readItem(database, accountId, itemId);
    if (known === undefined || known.item.status === 'archived') throw notPublished(itemId);
    const { published_version, version } = known.item;
    const use = { itemId, version: published_version ?? version };
    const compiled = await directory.items.version(channel, use);
    if (compiled instanceof Failure) throw inContentItem(compiled);
  };

  return async (accountId, body, id) => {
    const known = await directory.channel(body.channel);
    if (known === undefined || (known.row.account_id !== null && known.row.account_id !== accountId)) {
      throw refused('/channel', `There is no channel "${body.channel}".`);
    }
    const { channel } = known;
    const { document } = channel;
    const type = typeOf(body, channel);
    const [sender, resource] = await Promise.all([
      body.sender === undefined
        ? undefined
        : findEntity(database, 'sender', accountId, body.sender, document.id),
      findEntity(database, 'resource', accountId, body.resource),
    ]);
    const needsSender =
      (document.fields.sender ?? []).length > 0 &&
      (await directory.senderRules(accountId, document.id)) === undefined;
    if (body.sender === undefined ? needsSender : sender === undefined) {
      throw refused(
        '/sender',
        `Name a sender of channel "${document.sid}"; "${body.sender ?? ''}" is not one. Without a name, sender rules choose.`,
      );
    }
    if (resource === undefined) throw refused('/resource', `There is no resource "${body.resource}".`);
    const audience = audienceOf(body, type, channel);
    if ('where' in audience) await refuseUnknownFields(runtime, accountId, audienceCondition(audience, 1));
    refuseBoth(body.template, body.contentItemId);
    const values = body.contentItemId === undefined ? await valuesOf(accountId, body, channel) : {};
    if (body.contentItemId !== undefined) await checkItem(accountId, body.contentItemId, channel);
    const fields = compileFields(document.fields.mailing ?? []).check(body.fields ?? {}, 'saved');
    if (fields.problems.length > 0) throw invalid(placed(fields.problems, '/fields'));
    return {
      id,
      accountId,
      name: body.name,
      type,
      channelId: document.id,
      senderId: sender?.id ?? null,
      resourceId: resource.id,
      content: JSON.stringify(values),
      contentItemId: body.contentItemId ?? null,
      fields: JSON.stringify(fields.values),
      audience: JSON.stringify(audience),
      schedule: body.schedule === undefined ? null : JSON.stringify(momentsOf(body.schedule)),
      class: body.class ?? 'marketing',
      category: body.category ?? null,
      nowMs: clock.now(),
    };
  };
}

function typeOf(body: MailingRequest, { document, plans }: KnownChannel): MailingType {
  const { mailing_types: types, sid } = document;
  const type = body.type ?? (types.includes('regular') ? 'regular' : (types[0] ?? 'regular'));
  if (!types.includes(type)) {
    throw refused(
      '/type',
      `Channel "${sid}" takes ${types.length === 0 ? 'no mailings' : `mailings of type ${types.join(', ')}`}; "${type}" is not among its "mailing_types".`,
    );
  }
  if (type === 'placement' && plans.stop?.entry === undefined) {
    throw refused(
      '/type',
      `Channel "${sid}" has no Stop pipeline, so that nothing could withdraw what a placement mailing placed. Add "stop" to its pipelines.`,
    );
  }
  return type;
}

function audienceOf(body: MailingRequest, type: MailingType, channel: KnownChannel) {
  const needless = (why: string) => refused('/audience', `${why} Leave it out.`);
  if (channel.document.communication === 'indirect') {
    if (body.audience === undefined) return {};
    throw needless(`Channel "${body.channel}" is indirect: it reaches a resource, not an audience.`);
  }
  if (type === 'trigger') {
    if (body.audience === undefined) return {};
    throw needless('A trigger mailing has no audience: each trigger names the person.');
  }
  if (body.audience === undefined) {
    throw refused('/audience', 'Say whom the mailing goes to, for example { "all": true }.');
  }
  audienceCondition(body.audience, 1);
  return body.audience;
}
