/** Messages: send one or many, look at them, send failed ones again. */
import { asFailure, Failure } from '../../errors.ts';
import type { Directory } from '../../flows/directory/directory.ts';
import { MESSAGE_CLASSES, type MessageRequest } from '../../flows/directory/message-request.ts';
import type { Accept } from '../../flows/intake/accept-message.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { isUuid } from '../../ids.ts';
import { writeAudit } from '../../storage/audit.ts';
import {
  attemptsOfMessage,
  countStoppedRedrives,
  eventsOfMessage,
  listMessages,
  type MessageFilter,
  readMessage,
  redriveMessages,
} from '../../storage/messages.ts';
import { type MessageState, STATE_CODES } from '../../storage/states.ts';
import { compileSchema } from '../../validate.ts';
import { checkRequest, rejectUnstorable } from '../check-request.ts';
import { CSV_TYPE, csvAnswer, wantsCsv } from '../csv.ts';
import { exportMessages } from '../export-messages.ts';
import { pageOf, readPage } from '../page.ts';
import { problemOf } from '../problem.ts';
import { type Route, route } from '../route.ts';
import {
  anyObject,
  category,
  contentItemId,
  ifHas,
  objectSchema,
  pageQuery,
  pageSchema,
  profileOfMessage,
  sid,
  time,
  uuid,
} from '../schemas.ts';
import { CSV_COLUMNS, STATES, showMessage, shownMessage } from '../show-message.ts';

const MOST_MESSAGES = 1_000;
const MOST_REDRIVEN = 10_000;
/** The audit of a redrive names so many of its messages. */
const MOST_NAMED = 10;

const messageRequest = objectSchema(
  {
    channel: { ...sid, description: 'The sid of the channel.' },
    sender: {
      ...sid,
      description:
        'The sid of the sender; may be left out where there is exactly one, or where sender rules choose.',
    },
    resource: { ...sid, description: 'The sid of the resource; may be left out where there is exactly one.' },
    profile: profileOfMessage,
    template: {
      description: "Values of the channel's template fields, or the sid of a template.",
      anyOf: [anyObject, sid],
    },
    contentItemId,
    attributes: { ...anyObject, description: 'Values for {{attributes.…}} in the content.' },
    expiresAt: { ...time, description: 'After this the message is not sent any more.' },
    class: { enum: [...MESSAGE_CLASSES], description: 'Urgent messages have a lane of their own.' },
    category,
  },
  ['channel'],
  'With exactly one of `template` and `contentItemId`.',
);

const acceptance = objectSchema({ id: uuid, state: { enum: STATES } }, ['id', 'state']);

const filterQuery = {
  state: { enum: STATES, description: 'Only messages in this state.' },
  channel: { type: 'string', description: 'Only messages of this channel.' },
  mailing: { ...uuid, description: 'Only messages of this mailing.' },
  sender: { type: 'string', description: 'Only messages of this sender, by its sid.' },
  reason: { type: 'string', description: 'Only messages with exactly this reason.' },
};

/** Routes of messages. `wakeLanes` gets the lanes that have work. */
export function messageRoutes(
  runtime: Runtime,
  directory: Directory,
  accept: Accept,
  wakeLanes: (laneIds: readonly number[]) => void,
): Route[] {
  const { database, clock } = runtime;

  const filterOf = async (query: Readonly<Record<string, unknown>>): Promise<MessageFilter> => {
    const { state, channel, mailing, sender, reason } = query as Record<string, string | undefined>;
    const known = channel === undefined ? undefined : (await directory.channels()).get(channel);
    return {
      // A message that is being sent is kept as accepted or queued until its run is settled.
      states: state === undefined ? undefined : [STATE_CODES[state as MessageState]],
      channelId: channel === undefined ? undefined : (known?.id ?? -1),
      mailingId: mailing,
      sender,
      reason,
    };
  };

  const oneMessage = compileSchema(messageRequest);

  return [
    route<MessageRequest | { messages: readonly MessageRequest[] }>({
      method: 'POST',
      path: '/messages',
      action: 'messages.write',
      tag: 'messages',
      summary: 'Send one message, or up to 1,000 in one call.',
      partsApart: true,
      body: {
        description: 'A message, or `messages`.',
        ...ifHas(
          'messages',
          objectSchema({
            messages: { type: 'array', items: anyObject, minItems: 1, maxItems: MOST_MESSAGES },
          }),
          messageRequest,
        ),
      },
      answers: {
        202: {
          description: 'Accepted: committed, and on its way.',
          schema: {
            anyOf: [acceptance, objectSchema({ results: { type: 'array', items: anyObject } }, ['results'])],
          },
        },
      },
      run: async ({ caller, body, ids }) => {
        if (!('messages' in body)) {
          rejectUnstorable(body);
          return { status: 202, body: await accept.message(caller.accountId, ids.next(), body) };
        }
        // Ids in the order of the list, so that a repeat with the same Idempotency-Key gives each the same one.
        const named = body.messages.map((message) => ({ id: ids.next(), message }));
        const results = await Promise.all(
          named.map(async ({ id, message }) => {
            try {
              checkRequest(oneMessage, message);
              rejectUnstorable(message);
              return await accept.message(caller.accountId, id, message);
            } catch (thrown) {
              const failure = asFailure(thrown);
              // What is our fault refuses no message: it may even be written. The whole call fails and may be repeated.
              if (failure.blame === 'us') throw thrown;
              return { problem: problemOf(failure) };
            }
          }),
        );
        return { status: 202, body: { results } };
      },
    }),
    route({
      method: 'GET',
      path: '/messages',
      action: 'read',
      tag: 'messages',
      summary: 'Find messages by state, channel, mailing, sender and reason.',
      query: { ...pageQuery, ...filterQuery },
      answers: {
        200: {
          description:
            'A page of messages, newest first; with "Accept: text/csv" all of them, one line each.',
          schema: pageSchema(shownMessage),
          also: [CSV_TYPE],
        },
      },
      run: async ({ caller, query, accept }) => {
        const page = readPage(query);
        const filter = await filterOf(query);
        if (wantsCsv(accept)) {
          const rows = exportMessages(database, caller.accountId, filter, page.before, showMessage);
          return csvAnswer('messages', CSV_COLUMNS, rows);
        }
        const { rows, total } = await listMessages(database, caller.accountId, filter, page);
        return { status: 200, body: pageOf(rows, total, page.limit, showMessage) };
      },
    }),
    route({
      method: 'GET',
      path: '/messages/{id}',
      action: 'read',
      tag: 'messages',
      summary: 'One message with its events, its attempts, and each attempt pipe by pipe.',
      answers: { 200: { description: 'The message.', schema: anyObject } },
      run: async ({ caller, params }) => {
        const id = params.id ?? '';
        const row = isUuid(id) ? await readMessage(database, caller.accountId, id) : undefined;
        if (row === undefined) throw new Failure('NOT_FOUND', 'There is no message with this id.');
        const [events, attempts, channel] = await Promise.all([
          eventsOfMessage(database, caller.accountId, id),
          attemptsOfMessage(database, caller.accountId, id),
          directory.version(row.channel_version_id),
        ]);
        return {
          status: 200,
          body: {
            ...showMessage(row),
            rule: row.rule,
            events: events.map((event) => {
              const declared = event.event_id === null ? undefined : channel.events.get(event.event_id);
              return {
                sid: declared?.sid ?? event.type,
                name: declared?.name ?? event.type,
                type: event.type,
                color: declared?.color,
                time: event.time,
                attempt: event.attempt,
                externalId: event.external_id,
                code: event.code,
                message: event.text,
                data: event.value,
              };
            }),
            attempts: attempts.map(({ number, sender, outcome, trail }) => ({
              number,
              // Not kept where the engine died; the sender only changes with the number.
              sender: sender ?? (number === row.attempt ? row.sender : null),
              outcome,
              trail,
            })),
          },
        };
      },
    }),
    route<{ ids?: readonly string[] } & { readonly [name in keyof typeof filterQuery]?: string }>({
      method: 'POST',
      path: '/messages/redrive',
      action: 'messages.write',
      tag: 'messages',
      summary: 'Send failed messages again, each as a new attempt on its own id.',
      body: {
        ...objectSchema({ ids: { type: 'array', items: uuid, maxItems: MOST_REDRIVEN }, ...filterQuery }),
        minProperties: 1,
      },
      answers: {
        202: {
          description:
            'How many were put on their way again, and how many were not because their mailing is stopped.',
          schema: objectSchema({ redriven: { type: 'integer' }, stopped: { type: 'integer' } }),
        },
      },
      run: async ({ caller, body, ids }) => {
        const { ids: chosen, ...filter } = body;
        const found = { ...(await filterOf(filter)), ids: chosen };
        const nowMs = clock.now();
        const stopped = await countStoppedRedrives(database, caller.accountId, found);
        const rows = await database.transaction(async (tx) => {
          const redriven = await redriveMessages(tx, caller.accountId, found, MOST_REDRIVEN, nowMs);
          if (redriven.length === 0 && stopped > 0) {
            throw new Failure(
              'WRONG_STATE',
              `All ${stopped} messages belong to mailings that are stopped, so that a new attempt would stop at once. Start the mailing again instead.`,
            );
          }
          await writeAudit(tx, {
            id: ids.next(),
            accountId: caller.accountId,
            tokenId: caller.tokenId,
            action: 'messages.redrive',
            subject: JSON.stringify(filter),
            after: { redriven: redriven.length, messages: redriven.slice(0, MOST_NAMED).map(({ id }) => id) },
            nowMs,
          });
          return redriven;
        });
        wakeLanes([...new Set(rows.map((row) => row.lane_id))]);
        return { status: 202, body: { redriven: rows.length, ...(stopped > 0 && { stopped }) } };
      },
    }),
  ];
}
