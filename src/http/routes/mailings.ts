/** Mailings: create, start, trigger, test, pause, resume, stop, and see how they go. */
import { asFailure, Failure } from '../../errors.ts';
import type { Directory } from '../../flows/directory/directory.ts';
import { refused } from '../../flows/directory/find-channel.ts';
import type { Accept, TriggerRequest } from '../../flows/intake/accept-message.ts';
import { createCheckMailing, type MailingRequest } from '../../flows/mailings/check-mailing.ts';
import type { Mailings } from '../../flows/mailings/mailings.ts';
import { type MailingProgress, progressOf } from '../../flows/mailings/progress.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { isUuid } from '../../ids.ts';
import { launchesOfMailing, triggeredLaunch } from '../../storage/launches.ts';
import { insertMailing, listMailings, type MailingRow, readMailing } from '../../storage/mailings.ts';
import { compileSchema } from '../../validate.ts';
import { checkRequest } from '../check-request.ts';
import { EVENT_STREAM_TYPE, eventStream } from '../event-stream.ts';
import { mailingRequest, triggerRequest } from '../mailing-schemas.ts';
import { pageOf, readPage } from '../page.ts';
import { problemOf } from '../problem.ts';
import { type ApiAnswer, type ApiRequest, type Route, route } from '../route.ts';
import { anyObject, ifHas, objectSchema, pageQuery, pageSchema } from '../schemas.ts';

const MOST_TRIGGERS = 1_000;

/** Routes of mailings. */
export function mailingRoutes(
  runtime: Runtime,
  directory: Directory,
  mailings: Mailings,
  accept: Accept,
): Route[] {
  const { database } = runtime;
  const check = createCheckMailing(runtime, directory);
  const oneTrigger = compileSchema(triggerRequest);

  const find = async (request: {
    caller: ApiRequest['caller'];
    params: ApiRequest['params'];
  }): Promise<MailingRow> => {
    const id = request.params.id ?? '';
    const row = isUuid(id) ? await readMailing(database, id, request.caller.accountId) : undefined;
    if (row === undefined) throw new Failure('NOT_FOUND', 'There is no mailing with this id.');
    return row;
  };

  /** The launch that takes the mailing's triggers now. */
  const launchOf = async (row: MailingRow) => {
    if (row.type !== 'trigger') {
      throw new Failure(
        'WRONG_STATE',
        `"${row.name}" is a ${row.type} mailing; only trigger mailings take triggers.`,
      );
    }
    const launch = await triggeredLaunch(database, row.id);
    if (launch !== undefined) return launch;
    throw new Failure(
      'WRONG_STATE',
      `A mailing takes triggers once it is started and until it is stopped; "${row.name}" is ${row.state}.`,
    );
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
        else await mailings[verb](row, request.ids);
        return { status: 200, body: await show(await find(request)) };
      },
    });

  const show = async (row: MailingRow) => {
    const [launches, progress] = await Promise.all([
      launchesOfMailing(database, row.id),
      progressOf(runtime, row.id),
    ]);
    return {
      ...shown(row),
      ...(progress !== undefined && shownProgress(progress)),
      launches: launches.map((launch) => ({
        id: launch.id,
        number: launch.number,
        kind: launch.kind,
        state: launch.state,
        opened: launch.opened,
        opening: launch.opening,
        expected: launch.expected,
        withdrawing: launch.withdrawing,
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
        const id = ids.next();
        await insertMailing(database, await check(caller.accountId, body, id));
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
    route<TriggerRequest | { readonly messages: readonly TriggerRequest[] }>({
      method: 'POST',
      path: '/mailings/{id}/trigger',
      action: 'messages.write',
      tag: 'mailings',
      summary: 'Send the message of a started trigger mailing to one person, or up to 1,000 in one call.',
      body: {
        description: 'A trigger, or `messages`.',
        ...ifHas(
          'messages',
          objectSchema({
            messages: { type: 'array', items: anyObject, minItems: 1, maxItems: MOST_TRIGGERS },
          }),
          triggerRequest,
        ),
      },
      answers: { 202: { description: 'Accepted: committed, and on its way.', schema: anyObject } },
      run: async (request) => {
        const { body, ids } = request;
        const launch = await launchOf(await find(request));
        if (!('messages' in body)) {
          return { status: 202, body: await accept.triggered(ids.next(), launch, body) };
        }
        // Ids in the order of the list, so that a repeat with the same Idempotency-Key gives each the same one.
        const named = body.messages.map((trigger) => ({ id: ids.next(), trigger }));
        const results = await Promise.all(
          named.map(async ({ id, trigger }) => {
            try {
              checkRequest(oneTrigger, trigger);
              return await accept.triggered(id, launch, trigger);
            } catch (thrown) {
              return { problem: problemOf(asFailure(thrown)) };
            }
          }),
        );
        return { status: 202, body: { results } };
      },
    }),
    route({
      method: 'GET',
      path: '/mailings/{id}/progress',
      action: 'read',
      tag: 'mailings',
      summary:
        'How a mailing goes, as server-sent events: at once, then each second in which something changes.',
      answers: {
        200: {
          description:
            'Events `progress` with state, counts and pace; the last one is `end`, when nothing goes on any more.',
          also: [EVENT_STREAM_TYPE],
        },
      },
      run: async (request) => {
        const { id } = await find(request);
        return eventStream((sink) =>
          mailings.watching.watch(id, (event) => {
            if (event.type !== 'closed') sink.send(event.type, { id, ...shownProgress(event.progress) });
            if (event.type !== 'progress') sink.end();
          }),
        );
      },
    }),
    route({
      method: 'POST',
      path: '/mailings/{id}/audience',
      action: 'read',
      tag: 'mailings',
      summary: 'Count whom the mailing would reach now, and who is left out for which reason; sends nothing.',
      answers: {
        200: {
          description:
            'People of the audience, messages that a start would send, and those left out by reason, in the words of message reasons and NOT_SUBSCRIBED.',
          schema: objectSchema({
            people: { type: 'integer' },
            reached: { type: 'integer' },
            excluded: {
              type: 'array',
              items: objectSchema({ reason: { type: 'string' }, people: { type: 'integer' } }),
            },
          }),
        },
      },
      run: async (request) => ({
        status: 200,
        body: { ...(await mailings.countAudience(await find(request))) },
      }),
    }),
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
        const known = await directory.channel(row.channel);
        const direct = known?.channel.document.communication === 'direct';
        if (direct && profiles.length === 0) {
          throw refused('/profiles', 'Name the profiles that get the test, by their external ids.');
        }
        return { status: 202, body: { launch: await mailings.test(row, profiles, request.ids) } };
      },
    }),
  ];
}

function shownProgress({ ended: _ended, ...progress }: MailingProgress) {
  return progress;
}

function shown(row: MailingRow) {
  return {
    id: row.id,
    name: row.name,
    type: row.type,
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
