/** A channel as an admin writes it, and its variations, for tests of the corridor. */
export interface Pipe {
  readonly id: number;
  readonly type: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly outs?: { readonly success?: number; readonly error?: number };
}

/** The request of the Message pipeline, with more or other params. */
export const request = (params: Readonly<Record<string, unknown>> = {}): Pipe => ({
  id: 2,
  type: 'http_request',
  params: {
    url: '$sender.base_url/send',
    method: 'POST',
    content_type: 'json',
    auth_type: 'bearer',
    auth_token: '$sender.token',
    ...params,
  },
  outs: { success: 3 },
});

/** Pack, request, unpack, event: what most channels do. */
export const messagePipeline = (
  params: Readonly<Record<string, unknown>> = {},
  outs: Pipe['outs'] = { success: 3 },
): Pipe[] => [
  {
    id: 1,
    type: 'pack',
    params: {
      template: { to: '$subscription.phone', text: '$template.text', reference: '$origin.send_message_id' },
    },
    outs: { success: 2 },
  },
  { ...request(params), outs },
  { id: 3, type: 'unpack', outs: { success: 4 } },
  { id: 4, type: 'event', params: { sid: 'accepted', event: { external_id: '$in.data.id' } } },
];

/** Events by `{ "id" | "message", "type", … }`. */
export const listenerPipeline: readonly Pipe[] = [
  { id: 1, type: 'unpack', outs: { success: 2 } },
  {
    id: 2,
    type: 'selector',
    params: {
      outs: ['delivered', 'read', 'clicked', 'bounced', 'gone', 'complained'].map((sid, index) => ({
        query: `$in.data.type = '${sid}'`,
        out: 10 + index,
      })),
    },
  },
  ...['delivered', 'read', 'clicked', 'bounced', 'gone', 'complained'].map((sid, index) => ({
    id: 10 + index,
    type: 'event',
    params: {
      sid,
      event: {
        send_message_id: '${in.data.message?}',
        external_id: '${in.data.id?}',
        code: '${in.data.code?}',
        dedupe_key: '${in.data.key?}',
      },
    },
  })),
];

const event = (sid: string, type: string) => ({ sid, name: sid, color: '#607d8b', type });

/** A direct channel around a Message pipeline. */
export const smsChannel = (
  sid: string,
  message: readonly Pipe[] = messagePipeline(),
  more: Readonly<Record<string, unknown>> = {},
) => {
  const { pipelines, ...rest } = more as { pipelines?: object };
  return {
    sid,
    name: sid,
    type: 'sms',
    communication: 'direct',
    events: [
      event('accepted', 'send'),
      event('delivered', 'deliv'),
      event('read', 'read'),
      event('clicked', 'click'),
      event('bounced', 'sbounce'),
      event('gone', 'hbounce'),
      event('complained', 'complain'),
      event('answered', 'reply'),
      event('noted', 'custom'),
    ],
    fields: {
      sender: [
        { field: 'token', type: 'string', name: 'Token', required: true, secret: true },
        { field: 'base_url', type: 'url', name: 'Address', required: true },
        { field: 'webhook_secret', type: 'string', name: 'Webhook secret', secret: true },
      ],
      subscription: [{ field: 'phone', type: 'string', name: 'Phone', required: true }],
      template: [{ field: 'text', type: 'text', name: 'Text', required: true, max_length: 20 }],
    },
    ...rest,
    pipelines: { message, ...pipelines },
  };
};

/** A profile that comes with its subscription. */
export const person = (externalId: string, fields: Readonly<Record<string, unknown>> = {}) => ({
  profile: { externalId, fields, subscription: { fields: { phone: `+4915${externalId.length}0000001` } } },
});
