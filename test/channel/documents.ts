/** Channel documents for the tests: one direct, one indirect, both without a finding. */
import { type Checked, type CheckOptions, checkChannel } from '../../src/channel/check.ts';
import type { ChannelKind } from '../../src/channel/document.ts';

/** A direct channel with all pipelines it can have. */
export function direct() {
  return {
    $schema: '../../docs/schemas/channel.schema.json',
    sid: 'acme_sms',
    id: 10001,
    name: 'Acme SMS',
    description: 'Texts through the HTTP API of Acme.',
    type: 'sms',
    communication: 'direct',
    mailing_types: ['regular', 'trigger'],
    events: [
      { sid: 'accepted', id: 100001, name: 'Accepted', color: '#607d8b', type: 'send' },
      { sid: 'delivered', id: 100002, name: 'Delivered', color: '#2e7d32', type: 'deliv' },
      { sid: 'refused', id: 100003, name: 'Refused', color: '#c62828', type: 'undeliv' },
    ],
    fields: {
      sender: [
        { type: 'header', text: 'Access' },
        [
          { field: 'token', type: 'string', name: 'API token', required: true, secret: true },
          { field: 'base_url', type: 'url', name: 'Address', default: 'https://api.acme.example' },
        ],
        { field: 'signing', type: 'string', name: 'Signing secret', secret: true },
      ],
      subscription: [
        { field: 'phone', type: 'string', name: 'Phone', required: true, pattern: '^\\+\\d{7,15}$' },
      ],
      template: [
        { field: 'text', type: 'text', name: 'Text', required: true, max_length: 1600 },
        {
          field: 'class',
          type: 'enum',
          name: 'Class',
          default: 'promo',
          options: [
            { value: 'promo', label: 'Promotion' },
            { value: 'info', label: 'Information' },
          ],
        },
      ],
    },
    pipelines: {
      message: [
        {
          id: 1,
          type: 'pack',
          params: {
            template: { to: '$subscription.phone', text: '$template.text', class: '$template.class' },
          },
          outs: { success: 2 },
        },
        {
          id: 2,
          type: 'http_request',
          params: {
            method: 'POST',
            url: '$sender.base_url/sms',
            content_type: 'json',
            auth_type: 'bearer',
            auth_token: '$sender.token',
          },
          outs: { success: 3, error: 5 },
        },
        { id: 3, type: 'unpack', outs: { success: 4 } },
        {
          id: 4,
          type: 'event',
          params: { sid: 'accepted', event: { external_id: '$in.data.id' } },
          outs: { success: 6 },
        },
        {
          id: 5,
          type: 'event',
          params: { sid: 'refused', event: { code: '$error.code', message: '$error.message' } },
        },
        {
          id: 6,
          type: 'scheduled',
          params: { pipe_id: 1, delay: 300, template: { id: '$in.data.id', tries: 1 } },
        },
      ],
      schedule: [
        {
          id: 1,
          type: 'http_request',
          params: { url: '$sender.base_url/sms/$in.id', auth_type: 'bearer', auth_token: '$sender.token' },
          outs: { success: 2 },
        },
        { id: 2, type: 'unpack', outs: { success: 3 } },
        {
          id: 3,
          type: 'selector',
          params: {
            outs: [
              { query: "$in.data.state = 'delivered'", out: 4 },
              { when: "$in.data.state = 'pending'", out: 5 },
            ],
          },
        },
        {
          id: 4,
          type: 'event',
          params: {
            event_type: 'deliv',
            channel_id: 10001,
            action_type: 100002,
            event: { send_message_id: '$message.id' },
          },
        },
        {
          id: 5,
          type: 'scheduled',
          params: { pipe_id: 1, delay: 600, template: { id: '$in.id', tries: '$#origin.tries' } },
        },
      ],
      listener: [
        { id: 1, type: 'unpack', outs: { success: 2 } },
        { id: 2, type: 'split', params: { items: '$in.data.reports', as: 'report', each: 3 } },
        {
          id: 3,
          type: 'event',
          params: { sid: 'delivered', event: { external_id: '$in.report.id', time: '${in.report.at?}' } },
        },
      ],
    },
    listener: {
      response: { status: 200, body: { got: '${in.data.batch?}' } },
      responses: [{ when: "$method = 'GET'", body: '${in.form.challenge?}' }],
      verify: { type: 'hmac', header: 'x-signature', secrets: ['$sender.signing'] },
      dedupe: '$in.data.batch',
    },
    limits: { requests: 50, per: 1, scope: 'sender' },
    content: { sms_text: { text: 'body' } },
  };
}

/** An indirect, moderated channel with an entity. */
export function indirect() {
  return {
    sid: 'acme_wall',
    id: 10002,
    name: 'Acme wall',
    type: 'social',
    communication: 'indirect',
    mailing_types: ['regular', 'placement'],
    moderate: true,
    lane: 'resource',
    events: [{ sid: 'posted', id: 100001, name: 'Posted', color: '#1565c0', type: 'send' }],
    fields: {
      sender: [{ field: 'token', type: 'string', name: 'Token', required: true, secret: true }],
      resource: [{ field: 'page', type: 'string', name: 'Page', required: true }],
      mailing: [{ field: 'category', type: 'entity', entity: 'category' }],
      template: [
        { field: 'text', type: 'text', name: 'Text', required: true, default: 'News of {{ resource.page }}' },
      ],
    },
    entities: [
      {
        sid: 'category',
        name: 'Category',
        primary: 'id',
        preview: 'title',
        fields: [
          { field: 'id', type: 'int', name: 'Id' },
          { field: 'title', type: 'string', name: 'Title' },
        ],
        operations: [
          {
            sid: 'list',
            name: 'List',
            input: [{ field: 'search', type: 'string', name: 'Search' }],
            pipeline: [
              {
                id: 1,
                type: 'http_request',
                params: {
                  url: 'https://api.acme.example/categories',
                  query: { q: '${in.search?}' },
                  auth_type: 'bearer',
                  auth_token: '$sender.token',
                },
                outs: { success: 2, error: 4 },
              },
              { id: 2, type: 'unpack', outs: { success: 3 } },
              { id: 3, type: 'result', params: { path: '$in.data.items' } },
              {
                id: 4,
                type: 'error',
                params: { code: '$error.code', message: 'The categories could not be read.' },
              },
            ],
          },
        ],
      },
    ],
    pipelines: {
      message: 'acme_wall/message',
      moderate: [
        {
          id: 1,
          type: 'event',
          params: { event_type: 'moderate_pass', event: { send_message_id: '$origin.send_message_id' } },
        },
      ],
      stop: [{ id: 1, type: 'event', params: { event_type: 'stop' } }],
    },
  };
}

/** The Message pipeline that the indirect channel names. */
export function wallMessage() {
  return [
    {
      id: 1,
      type: 'pack',
      params: {
        template: { page: '$resource.page', text: '$template.text', category: '$#campaign.category.id' },
      },
      outs: { success: 2 },
    },
    {
      id: 2,
      type: 'http_request',
      note: 'Answers with the id of the post.',
      params: {
        method: 'POST',
        url: 'https://api.acme.example/posts',
        content_type: 'json',
        auth_type: 'bearer',
        auth_token: '$sender.token',
      },
      outs: { success: 3 },
    },
    { id: 3, type: 'unpack', outs: { success: 4 } },
    { id: 4, type: 'event', params: { sid: 'posted', event: { external_id: '$in.data.id' } } },
  ];
}

export interface TextOptions extends CheckOptions {
  readonly kind?: ChannelKind;
  readonly folder?: string;
  /** Texts of named pipelines. */
  readonly pipelines?: Readonly<Record<string, string>>;
}

/** Checks a text as `channel.json`. */
export function checkText(text: string, options: TextOptions = {}): Checked {
  const { kind = 'custom', folder, pipelines = {}, ...rest } = options;
  const source = {
    file: 'channel.json',
    text,
    kind,
    ...(folder !== undefined && { sid: folder }),
    pipelines: (name: string) =>
      Object.hasOwn(pipelines, name) ? { file: `${name}.json`, text: pipelines[name] ?? '' } : undefined,
  };
  return checkChannel(source, rest);
}

/** Checks a document, written as JSON with a member a line. */
export function check(document: unknown, options: TextOptions = {}): Checked {
  const pipelines = { 'acme_wall/message': JSON.stringify(wallMessage(), null, 1), ...options.pipelines };
  return checkText(JSON.stringify(document, null, 1), { ...options, pipelines });
}
