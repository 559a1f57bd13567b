/** The schema of a channel document (channel format, section 3), with its inner parts given from outside. */
import type { JsonObject } from '../../json.ts';
import { EVENT_TYPES } from '../../pipes/event-types.ts';
import { FIELD_GROUPS, PIPELINE_NAMES } from '../document.ts';
import { listenerSchema } from './listener.ts';
import { amount, choice, dictionary, flag, list, record, text, whole } from './words.ts';

export const SID = '^[a-z][a-z0-9_]{1,62}$';
const SID_RULE = 'a lower-case letter, then letters, digits and _, 2 to 63 characters in all';

export const CHANNEL_TYPES = [
  'email',
  'push',
  'sms',
  'in_app',
  'web',
  'webhook',
  'whatsapp',
  'direct_mail',
  'messenger',
  'social',
  'crm',
  'other',
] as const;

const PIPELINE_NAME = '^[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*$';

/** Greatest id, as the database keeps it. */
export const MAX_ID = 2_147_483_647;

/** The schemas of parts that are checked one by one. */
export interface InnerParts {
  readonly event: JsonObject;
  readonly row: JsonObject;
  readonly pipeline: JsonObject;
  readonly entity: JsonObject;
}

export const eventSchema = (): JsonObject =>
  record(
    'An event of a message, in the words of this channel.',
    {
      sid: text(`The string id: ${SID_RULE}. Never changes.`, { pattern: SID }),
      id: whole('The numeric id, from 100,000 in custom channels; assigned where left out. Never changes.', {
        minimum: 1,
        maximum: MAX_ID,
      }),
      name: text('What reports call it.', { minLength: 1 }),
      color: text('The colour of its line in every report, as #rrggbb.', { pattern: '^#[0-9a-fA-F]{6}$' }),
      type: choice('The platform event it reflects.', EVENT_TYPES),
    },
    ['sid', 'name', 'color', 'type'],
  );

export const operationSchema = (parts: Pick<InnerParts, 'row' | 'pipeline'>): JsonObject =>
  record(
    'Something that is done with the external objects while the user waits.',
    {
      sid: text(`The string id: ${SID_RULE}.`, { pattern: SID }),
      name: text('What forms call it.', { minLength: 1 }),
      input: list('The form of its input.', parts.row),
      pipeline: pipelineRef('What it runs: pipes, or the name of a pipeline file.', parts.pipeline),
    },
    ['sid', 'name', 'pipeline'],
  );

export const entitySchema = (parts: {
  readonly row: JsonObject;
  readonly operation: JsonObject;
}): JsonObject =>
  record(
    'External objects from which users pick: a list at the provider, an approved template.',
    {
      sid: text(`The string id: ${SID_RULE}.`, { pattern: SID }),
      name: text('What forms call it.', { minLength: 1 }),
      fields: list('The fields of a record.', parts.row, { minItems: 1 }),
      primary: text('The field whose value is stored.'),
      preview: text('The field whose text is shown. Default: the primary one.'),
      operations: list('What can be done with the records.', parts.operation, { minItems: 1 }),
    },
    ['sid', 'name', 'fields', 'primary', 'operations'],
  );

function pipelineRef(description: string, pipeline: JsonObject): JsonObject {
  return {
    description,
    anyOf: [
      {
        type: 'string',
        pattern: PIPELINE_NAME,
        description: 'the name of a pipeline file, as "acme_sms/message"',
      },
      { type: 'array', description: 'an array of pipes', ...pipeline },
    ],
  };
}

const limitsSchema = (): JsonObject =>
  record(
    'At most so many requests in a time, for all requests of the channel; an event over it waits.',
    {
      requests: whole('So many requests.', { minimum: 1 }),
      per: amount('In so many seconds.', { minimum: 0.001 }),
      scope: choice('What they are counted for.', ['channel', 'sender', 'resource', 'account'], {
        default: 'channel',
      }),
      burst: whole('The most that leave at one instant. Default: a tenth of `requests`.', { minimum: 1 }),
    },
    ['requests', 'per'],
  );

const PIPELINE_TEXTS = {
  message: 'Runs once per message.',
  schedule: 'Runs when an event handed over by a scheduled pipe is due.',
  listener: "Runs on each request to the channel's address.",
  moderate: 'Runs on a moderation launch of an indirect mailing.',
  stop: 'Runs per placed message when a placement mailing is stopped.',
} as const;

const GROUP_TEXTS = {
  template: 'The content of a message: $template.',
  resource: 'What people subscribe to: $resource.',
  mailing: 'Settings of one mailing: $campaign.',
  sender: 'Credentials and settings at the provider: $sender.',
  subscription: 'The address of a person: $subscription.',
  account: 'Settings of an account: $account.',
} as const;

/** The channel document. */
export const channelSchema = (parts: InnerParts): JsonObject =>
  record(
    'A way to reach people through an external service.',
    {
      $schema: text('Where editors find the schema of this file.'),
      sid: text(`The string id: ${SID_RULE}. Never changes.`, { pattern: SID }),
      id: whole('The numeric id: custom channels from 10,000; assigned where left out. Never changes.', {
        minimum: 1,
        maximum: MAX_ID,
      }),
      name: text('What people call the channel.', { minLength: 1, maxLength: 255 }),
      description: text('What it is for.', { maxLength: 2000 }),
      type: choice('A label.', CHANNEL_TYPES),
      communication: choice(
        'direct: one message per subscribed profile. indirect: one content per resource and launch, without personal data.',
        ['direct', 'indirect'],
      ),
      mailing_types: list(
        'The mailings it can be used for. Default: regular.',
        {
          enum: ['regular', 'trigger', 'placement'],
        },
        { minItems: 1, uniqueItems: true, default: ['regular'] },
      ),
      moderate: flag('indirect: a mailing passes the Moderate pipeline before it starts.', {
        default: false,
      }),
      icon: text('The name of its icon.'),
      events: list('What can happen to a message, in the words of this channel.', parts.event),
      fields: record(
        'The forms, group by group: lists of rows.',
        Object.fromEntries(FIELD_GROUPS.map((group) => [group, list(GROUP_TEXTS[group], parts.row)])),
      ),
      module: text('built-in channels: the code module that controls it.', { minLength: 1 }),
      pipelines: record(
        'What it does: pipes, or the name of a pipeline file such as "acme_sms/message".',
        Object.fromEntries(
          PIPELINE_NAMES.map((name) => [name, pipelineRef(PIPELINE_TEXTS[name], parts.pipeline)]),
        ),
      ),
      entities: list('External objects from which users pick.', parts.entity),
      listener: listenerSchema(),
      delivery: record('How content leaves.', {
        mode: choice(
          'pipeline: pushed through the pipelines. api: asked for in real time. file: written in batches. manual: a queue for people.',
          ['pipeline', 'api', 'file', 'manual'],
          { default: 'pipeline' },
        ),
      }),
      limits: limitsSchema(),
      lane: choice(
        'What is isolated from what: a lane has its own concurrency, limit and breaker.',
        ['sender', 'account', 'resource', 'channel'],
        { default: 'sender' },
      ),
      unknown: choice(
        'What becomes of a message of which it is not known whether the provider took it.',
        ['hold', 'retry', 'fail'],
        { default: 'hold' },
      ),
      address: text(
        'The subscription field that is the address, by which suppressions know a person. Default: the first required one.',
        { minLength: 1 },
      ),
      suppress: dictionary(
        'Events that put the address on the suppression list, by sid or platform type. Default: hbounce globally, complain for the list. Empty: none.',
        record(
          'What the event does.',
          {
            scope: choice(
              'global: nothing is sent to the address in this channel any more. list: nothing of the resource.',
              ['global', 'list'],
            ),
            days: whole('For so many days. Default: for good.', { minimum: 1, maximum: 36_500 }),
          },
          ['scope'],
        ),
      ),
      content: dictionary(
        'Which content types it takes: { "<content type>": { "<template field>": "<content key>" } }.',
        dictionary('Template field ← content key.', { type: 'string', minLength: 1 }),
      ),
    },
    ['sid', 'name', 'type', 'communication'],
  );
