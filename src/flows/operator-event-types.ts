/** The operator events: what there is to tell, and what is told with it. docs/reference/operator-events.md is written from this table. */
import type { JsonObject } from '../json.ts';

export interface OperatorEventType {
  /** A sentence; it is the text of the line in the log. */
  readonly summary: string;
  readonly level: 'info' | 'warn' | 'error';
  /** JSON Schema of `data`. */
  readonly data: JsonObject;
}

const text = (description: string): JsonObject => ({ type: 'string', description });
const textOrNull = (description: string): JsonObject => ({ type: ['string', 'null'], description });
const time = (description: string): JsonObject => ({ type: 'string', format: 'date-time', description });

/** An object that always has all of these members. */
function shape(properties: JsonObject): JsonObject {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

const lane = {
  lane: text('The key of the lane.'),
  laneId: { type: 'integer', description: 'Its id, for `POST /lanes/{id}/reset`.' },
  channel: textOrNull('The sid of its channel.'),
  sender: textOrNull('The sid of its sender; null where several share the lane.'),
} as const;

const mailing = {
  mailing: text('The id of the mailing.'),
  name: text('Its name.'),
  channel: text('The sid of its channel.'),
  sender: textOrNull('The sid of its sender.'),
} as const;

const launch = { launch: text('The id of the launch.') } as const;

/** The table of types. A type, once shipped, never changes its meaning. */
export const OPERATOR_EVENTS = {
  'lane.opened': {
    summary: 'a lane was opened: its provider fails; what waits is kept',
    level: 'error',
    data: shape({
      ...lane,
      probeAt: time('When one message is let through to see whether the provider is back.'),
      code: textOrNull('The code of the last failure.'),
      status: { type: ['integer', 'null'], description: 'The status that the provider answered, if it did.' },
      reason: textOrNull('The last failure as a sentence; secrets are masked.'),
      request: textOrNull('The last request that failed; secrets are masked.'),
      excerpt: textOrNull('The beginning of what the provider answered; secrets are masked.'),
    }),
  },
  'lane.closed': {
    summary: 'a lane was closed: its provider is asked again',
    level: 'info',
    data: shape({
      ...lane,
      openedAt: { ...textOrNull('Since when it was open.'), format: 'date-time' },
      by: { enum: ['probe', 'reset'], description: 'What closed it: a message that went well, or a person.' },
    }),
  },
  'lane.paused': {
    summary: 'a lane was paused: what waits in it is held until it is resumed',
    level: 'info',
    data: shape(lane),
  },
  'listener.failed': {
    summary: 'requests of a provider failed; they are kept and can be run again',
    level: 'error',
    data: shape({
      channel: text('The sid of the channel.'),
      reason: text('The code of the failure.'),
      count: { type: 'integer', description: 'How many failed since the last event of this kind.' },
    }),
  },
  'lane.resumed': { summary: 'a lane was resumed', level: 'info', data: shape(lane) },
  'mailing.started': {
    summary: 'a mailing was started',
    level: 'info',
    data: shape({ ...mailing, ...launch }),
  },
  'mailing.finished': {
    summary: 'a mailing has finished: all its messages reached their end',
    level: 'info',
    data: shape({
      ...mailing,
      ...launch,
      startedAt: time('When the launch began.'),
      counts: {
        type: 'object',
        additionalProperties: { type: 'integer' },
        description: 'Messages of the launch by state.',
      },
    }),
  },
  'mailing.stopped': {
    summary: 'a mailing was stopped: what was not sent yet is not sent',
    level: 'info',
    data: shape({
      ...mailing,
      by: { enum: ['request', 'schedule'], description: 'What stopped it: a person, or its `stopAt`.' },
    }),
  },
  'mailing.rejected': {
    summary: 'a mailing was refused by the moderation and is a draft again',
    level: 'warn',
    data: shape({ ...mailing, ...launch, reason: text('Why; secrets are masked.') }),
  },
  'message.exhausted': {
    summary: 'messages were given up after all their tries, or may have been sent without an answer',
    level: 'warn',
    data: shape({
      channel: text('The sid of their channel.'),
      sender: textOrNull('The sid of their sender.'),
      state: text('`unknown`, or the state in which they ended.'),
      reason: text('The code of the failure, with the status where there was one.'),
      count: {
        type: 'integer',
        description:
          'How many were settled together; messages that end at other times are told of separately.',
      },
      messages: { type: 'array', items: { type: 'string' }, description: 'Ids of up to ten of them.' },
    }),
  },
  'channel.changed': {
    summary: 'a channel was changed',
    level: 'info',
    data: shape({
      channel: text('Its sid.'),
      change: { enum: ['create', 'update', 'status', 'delete'] },
      version: { type: ['integer', 'null'], description: 'The new version, where there is one.' },
      status: textOrNull('The new status, where it changed.'),
    }),
  },
  'node.lost': {
    summary: 'a process died or was silent for too long; what it held was taken over',
    level: 'warn',
    data: shape({
      node: { type: 'integer', description: 'Its number.' },
      name: text('Its host and process id.'),
      silentSince: time('Its last heartbeat.'),
      claims: { type: 'integer', description: 'How many runs it had under way.' },
    }),
  },
  'webhook.disabled': {
    summary: 'a webhook was disabled, because its receiver does not take events any more',
    level: 'error',
    data: shape({
      webhook: text('Its id.'),
      host: text('The host of its address.'),
      reason: text('Why it was disabled.'),
    }),
  },
  'webhook.test': {
    summary: 'a test event was asked for; only the webhook that it tests gets it',
    level: 'info',
    data: shape({ webhook: text('The id of the webhook.') }),
  },
  'source.paused': {
    summary: 'a content source was paused, because it cannot be read',
    level: 'error',
    data: shape({ source: text('Its name.'), reason: text('Why; secrets are masked.') }),
  },
} as const satisfies Readonly<Record<string, OperatorEventType>>;

export type OperatorEventName = keyof typeof OPERATOR_EVENTS;

/** The types that a webhook can ask for. */
export const SUBSCRIBABLE: readonly OperatorEventName[] = Object.freeze(
  (Object.keys(OPERATOR_EVENTS) as OperatorEventName[]).filter((type) => type !== 'webhook.test'),
);
