/** `event`: registers an event of a message. */

import { Failure } from '../errors.ts';
import { isUuid } from '../ids.ts';
import { definePipe, type EmittedEvent } from './contract.ts';
import { EVENT_EXAMPLES } from './event-examples.ts';
import { CONTROL_EVENT_TYPES, EVENT_TYPES } from './event-types.ts';
import { any, integer, object, oneOf, string } from './params.ts';

/** Event types that need no declared event and so take no channel and action. */
const CONTROL: ReadonlySet<unknown> = new Set(['stop', 'moderate_pass', 'moderate_error']);

/** The longest id of a provider, in bytes; an index keeps it. */
const LONGEST_PROVIDER_ID = 1_000;

const DECLARED = ['channel_id', 'action_type'] as const;

export const event = definePipe({
  type: 'event',
  aliases: ['eventer'],
  summary: 'Registers an event of a message, as the channel declares it.',
  params: {
    sid: string("The event's string id in the channel; stands for the next three."),
    event_type: oneOf('The platform event.', [...EVENT_TYPES, ...CONTROL_EVENT_TYPES]),
    channel_id: integer('The numeric id of the channel.'),
    action_type: integer("The event's numeric id."),
    event: object('What is known of the event. Empty texts count as not given.', {
      send_message_id: string('The message. Default: the message this run belongs to.', { templates: true }),
      external_id: string(
        "The provider's own id, at most 1,000 bytes: on a send it is kept with the message, elsewhere it finds the message.",
        { templates: true },
      ),
      time: string(
        'When it happened: ISO 8601, RFC 2822, or epoch time. What cannot be read is now, with a note in the event. Default: now.',
        {
          templates: true,
        },
      ),
      code: string("The provider's code for it.", { templates: true }),
      message: string('A text: the reason of a bounce, the words of a reply.', { templates: true }),
      data: any('More about it, kept with the event.', { templates: true, typed: true }),
      dedupe_key: string('Events of a message with the same key are one event.', { templates: true }),
    }),
  },
  needs: ['emit'],
  adds: () => ({}),
  errors: ['PIPE_PARAMS', 'EVENT_UNDECLARED', 'EVENT_WITHOUT_MESSAGE', 'PROVIDER_ID_TOO_LONG'],
  examples: EVENT_EXAMPLES,
  check: (params) => {
    const has = (name: string) => Object.hasOwn(params, name);
    if (has('sid')) return [];
    if (!has('event_type')) {
      return [
        {
          pointer: '',
          message: 'Name the event: give "sid", or "event_type" with "channel_id" and "action_type".',
        },
      ];
    }
    const control = CONTROL.has(params.event_type);
    return DECLARED.filter((name) => has(name) === control).map((name) => ({
      pointer: control ? `/${name}` : '',
      message: control
        ? `An event of type "${String(params.event_type)}" takes no "${name}"; remove it.`
        : `"${name}" is missing; give it, or name the event by its "sid" instead.`,
    }));
  },
  run: (params, context) => {
    const { send_message_id, external_id, time, code, message, data, dedupe_key } = params.event ?? {};
    const sendMessageId = messageId(given(send_message_id), context.messageId);
    const externalId = providerId(given(external_id));
    if (sendMessageId === undefined && externalId === undefined) {
      throw new Failure(
        'EVENT_WITHOUT_MESSAGE',
        'This run belongs to no message, so the event must name one: give "send_message_id" or "external_id" in "event".',
      );
    }
    context.can.emit(
      present({
        sid: params.sid,
        eventType: params.event_type,
        channelId: params.channel_id,
        actionType: params.action_type,
        sendMessageId,
        externalId,
        time: given(time),
        code: given(code),
        message: given(message),
        data,
        dedupeKey: given(dedupe_key),
      }),
    );
    return undefined;
  },
});

/** The message that is named, or that of the run. Throws PIPE_PARAMS if the name has not the form of an id. */
function messageId(named: string | undefined, own: string | undefined): string | undefined {
  if (named === undefined) return own;
  const text: string = named;
  if (text === own || isUuid(text)) return text;
  throw new Failure(
    'PIPE_PARAMS',
    `"send_message_id" is ${JSON.stringify(named.slice(0, 80))}, which is not the id of a message. Give what the request sent as $origin.send_message_id, or name the message by "external_id".`,
  );
}

/** Throws PROVIDER_ID_TOO_LONG for an id that cannot be kept. */
function providerId(id: string | undefined): string | undefined {
  // No character has more than three bytes per unit of its length.
  if (id === undefined || id.length * 3 <= LONGEST_PROVIDER_ID) return id;
  const bytes = Buffer.byteLength(id);
  if (bytes <= LONGEST_PROVIDER_ID) return id;
  throw new Failure(
    'PROVIDER_ID_TOO_LONG',
    `The provider gave an id of ${bytes} bytes; at most ${LONGEST_PROVIDER_ID} are kept. Is "external_id" really the provider's id, and not the whole answer?`,
  );
}

function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

type Maybe<T> = { readonly [K in keyof T]: T[K] | undefined };

/** The members that have a value. */
function present(members: Maybe<Required<EmittedEvent>>): EmittedEvent {
  const event: Record<string, unknown> = {};
  for (const name of Object.keys(members) as (keyof EmittedEvent)[]) {
    if (members[name] !== undefined) event[name] = members[name];
  }
  return event;
}
