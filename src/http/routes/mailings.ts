/** Mailings: create, start, test, pause, resume, stop, and see how they go. */
import { compileFields } from '../../channel/values.ts';
import { Failure } from '../../errors.ts';
import { inContentItem, notPublished } from '../../flows/content-items.ts';
import type { Directory, KnownChannel } from '../../flows/directory.ts';
import { refused } from '../../flows/find-channel.ts';
import type { Ground } from '../../flows/ground.ts';
import type { Mailings } from '../../flows/mailings.ts';
import { MESSAGE_CLASSES, refuseBoth } from '../../flows/prepare-message.ts';
import { invalid, placed } from '../../flows/stored-fields.ts';
import { isUuid } from '../../ids.ts';
import { audienceCondition } from '../../storage/audience.ts';
import { readItem } from '../../storage/content.ts';
import { findEntity } from '../../storage/entities.ts';
import { countByState, launchesOfMailing } from '../../storage/launches.ts';
import { insertMailing, listMailings, type MailingRow, readMailing } from '../../storage/mailings.ts';
import { stateName } from '../../storage/states.ts';
import { pageOf, readPage } from '../page.ts';
import { type ApiAnswer, type ApiRequest, type Route, route } from '../route.ts';
import {
  anyObject,
  category,
  contentItemId,
  objectSchema,
  pageQuery,
  pageSchema,
  sid,
  text,
  time,
} from '../schemas.ts';

interface MailingRequest {
  readonly name: string;
  readonly channel: string;
  readonly sender?: string;
  readonly resource: string;
  readonly template?: string | Readonly<Record<string, unknown>>;
  readonly contentItemId?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly audience?: Readonly<Record<string, unknown>>;
  readonly schedule?: { readonly startAt?: string; readonly stopAt?: string };
  readonly class?: string;
  readonly category?: string;
}

const mailingRequest = objectSchema(
  {
    name: text('For people.', { minLength: 1, maxLength: 255 }),
    channel: sid,
    sender: { ...sid, description: 'May be left out where sender rules choose.' },
    resource: sid,
    template: {
      description: "Values of the channel's template fields, or the sid of a template.",
      anyOf: [anyObject, sid],
    },
    contentItemId,
    fields: { ...anyObject, description: "Values of the channel's mailing fields." },
    audience: {
      ...anyObject,
      description:
        '{ "all": true }, { "profiles": [external ids] } or { "where": filter }. Direct channels only.',
    },
    schedule: objectSchema({ startAt: time, stopAt: time }),
    class: { enum: [...MESSAGE_CLASSES] },
    category,
  },
  ['name', 'channel', 'resource'],
  'With exactly one of `template` and `contentItemId`.',
);

/** Routes of mailings. */
export function mailingRoutes(ground: Ground, directory: Directory, mailings: Mailings): Route[] {
  const { database, clock } = ground;

  const find = async (request: {
    caller: ApiRequest['caller'];
    params: ApiRequest['params'];
  }): Promise<MailingRow> => {
    const id = request.params.id ?? '';
    const row = isUuid(id) ? await readMailing(database, id, request.caller.accountId) : undefined;
    if (row === undefined) throw new Failure('NOT_FOUND', 'There is no mailing with this id.');
    return row;
  };

  /** Everything a mailing names is looked up, and its values are checked, before it is kept. */
  const check = async (accountId: string, body: MailingRequest) => {
    const known = await directory.channel(body.channel);
    if (known === undefined || (known.row.account_id !== null && known.row.account_id !== accountId)) {
      throw refused('/channel', `There is no channel "${body.channel}".`);
    }
    const { channel } = known;
    const { document } = channel;
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
    const audience = audienceOf(body, channel);
    refuseBoth(body.template, body.contentItemId);
    const values = body.contentItemId === undefined ? await valuesOf(accountId, body, channel) : {};
    if (body.contentItemId !== undefined) await checkItem(accountId, body.contentItemId, channel);
    const fields = compileFields(document.fields.mailing ?? []).check(body.fields ?? {}, 'saved');
    if (fields.problems.length > 0) throw invalid(placed(fields.problems, '/fields'));
    for (const name of ['startAt', 'stopAt'] as const) {
      const at = body.schedule?.[name];
      if (at !== undefined && Number.isNaN(Date.parse(at)))
        throw refused(`/schedule/${name}`, `${name} is not a time.`);
    }
    return {
      channel,
      senderId: sender?.id ?? null,
      resourceId: resource.id,
      audience,
      values,
      fields: fields.values,
    };
  };

  const audienceOf = (body: MailingRequest, channel: KnownChannel) => {
    if (channel.document.communication === 'indirect') {
      if (body.audience !== undefined) {
        throw refused(
          '/audience',
          `Channel "${body.channel}" is indirect: it reaches a resource, not an audience. Leave it out.`,
        );
      }
      return {};
    }
    if (body.audience === undefined) {
      throw refused('/audience', 'Say whom the mailing goes to, for example { "all": true }.');
    }
    audienceCondition(body.audience, 1);
    return body.audience;
  };

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

  const act = (verb: 'start' | 'pause' | 'resume' | 'stop', summary: string): Route =>
    route({
      method: 'POST',
      path: `/mailings/{id}/${verb}`,
      action: 'mailings.write',
      tag: 'mailings',
      summary,
      answers: { 200: { description: 'The mailing.', schema: anyObject } },
      run: async (request): Promise<ApiAnswer> => {
        const row = await find(request);
        if (verb === 'start') await mailings.start(row, request.ids);
        else await mailings[verb](row);
        return { status: 200, body: await show(await find(request)) };
      },
    });

  const show = async (row: MailingRow) => {
    const launches = await launchesOfMailing(database, row.id);
    const real = launches.filter((launch) => launch.kind === 'real');
    const counts = await countByState(
      database,
      real.map((launch) => launch.id),
    );
    const current = real.at(-1);
    const total = counts.reduce((sum, each) => sum + each.count, 0);
    const open = counts.filter((each) => each.state < 35).reduce((sum, each) => sum + each.count, 0);
    const endMs = current?.finished_at?.getTime() ?? clock.now();
    const seconds =
      current === undefined ? 0 : Math.max(0.001, (endMs - current.started_at.getTime()) / 1_000);
    const perSecond = current === undefined ? 0 : (total - open) / seconds;
    return {
      ...shown(row),
      messages: total,
      counts: Object.fromEntries(counts.map((each) => [stateName(each.state), each.count])),
      pace: {
        perSecond: Math.round(perSecond * 10) / 10,
        remaining: open,
        remainingSeconds: open === 0 || perSecond === 0 ? null : Math.round(open / perSecond),
      },
      launches: launches.map((launch) => ({
        id: launch.id,
        number: launch.number,
        kind: launch.kind,
        state: launch.state,
        opened: launch.opened,
        opening: launch.opening,
        contentVersion: launch.content_version,
        startedAt: launch.started_at,
        finishedAt: launch.finished_at,
      })),
    };
  };

  return [
    route<MailingRequest>({
      method: 'POST',
      path: '/mailings',
      action: 'mailings.write',
      tag: 'mailings',
      summary: 'Create a mailing; nothing is sent before it is started.',
      body: mailingRequest,
      answers: { 201: { description: 'The mailing, as a draft.', schema: anyObject } },
      run: async ({ caller, body, ids }) => {
        const checked = await check(caller.accountId, body);
        const id = ids.next();
        await insertMailing(database, {
          id,
          accountId: caller.accountId,
          name: body.name,
          channelId: checked.channel.document.id,
          senderId: checked.senderId,
          resourceId: checked.resourceId,
          content: JSON.stringify(checked.values),
          contentItemId: body.contentItemId ?? null,
          fields: JSON.stringify(checked.fields),
          audience: JSON.stringify(checked.audience),
          schedule: body.schedule === undefined ? null : JSON.stringify(body.schedule),
          class: body.class ?? 'marketing',
          category: body.category ?? null,
          nowMs: clock.now(),
        });
        const row = await readMailing(database, id, caller.accountId);
        if (row === undefined) throw new Failure('CONFLICT', 'This mailing exists already.');
        return { status: 201, body: await show(row) };
      },
    }),
    route({
      method: 'GET',
      path: '/mailings',
      action: 'read',
      tag: 'mailings',
      summary: 'Mailings, newest first.',
      query: pageQuery,
      answers: { 200: { description: 'A page of mailings.', schema: pageSchema(anyObject) } },
      run: async ({ caller, query }) => {
        const page = readPage(query);
        const { rows, total } = await listMailings(database, caller.accountId, page);
        return { status: 200, body: pageOf(rows, total, page.limit, shown) };
      },
    }),
    route({
      method: 'GET',
      path: '/mailings/{id}',
      action: 'read',
      tag: 'mailings',
      summary: 'One mailing with its launches, counts by message state, and pace.',
      answers: { 200: { description: 'The mailing.', schema: anyObject } },
      run: async (request) => ({ status: 200, body: await show(await find(request)) }),
    }),
    act('start', 'Start a mailing now, or at its startAt. Each start is a launch of its own.'),
    act('pause', 'Pause: nothing more is sent until it is resumed.'),
    act('resume', 'Go on where a paused mailing stopped.'),
    act('stop', 'Stop for good: what was not sent yet is stopped; placed messages are withdrawn.'),
    route<{ profiles?: readonly string[] }>({
      method: 'POST',
      path: '/mailings/{id}/test',
      action: 'mailings.write',
      tag: 'mailings',
      summary: 'Send to some profiles (direct) or to the resource (indirect) without starting the mailing.',
      body: objectSchema({ profiles: { type: 'array', items: { type: 'string' }, maxItems: 100 } }),
      answers: {
        202: { description: 'The launch of the test.', schema: objectSchema({ launch: { type: 'string' } }) },
      },
      run: async (request) => {
        const row = await find(request);
        const profiles = request.body.profiles ?? [];
        const direct = Object.keys(row.audience).length > 0;
        if (direct && profiles.length === 0) {
          throw refused('/profiles', 'Name the profiles that get the test, by their external ids.');
        }
        return { status: 202, body: { launch: await mailings.test(row, profiles, request.ids) } };
      },
    }),
  ];
}

function shown(row: MailingRow) {
  return {
    id: row.id,
    name: row.name,
    channel: row.channel,
    sender: row.sender,
    resource: row.resource,
    template: row.content_item_id === null ? row.content : null,
    contentItemId: row.content_item_id,
    fields: row.fields,
    audience: row.audience,
    schedule: row.schedule,
    class: row.class,
    category: row.category,
    state: row.state,
    reason: row.state_reason,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
