/** The files of a new channel: small, complete, and a model for what comes next. */
import { messageTests, reportTests } from './init-tests.ts';

/** File name → text. `schemas` is the way from the new folder to the folder of the schemas, with slashes. */
export function channelFiles(sid: string, schemas: string): ReadonlyMap<string, string> {
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  return new Map([
    ['channel.json', json(channel(sid, schemas))],
    ['pipelines/message.json', json(MESSAGE)],
    ['pipelines/listener.json', json(LISTENER)],
    ['message.test.json', json({ $schema: `${schemas}/channel-test.schema.json`, tests: messageTests() })],
    ['listener.test.json', json({ $schema: `${schemas}/channel-test.schema.json`, tests: reportTests() })],
    ['README.md', readme(sid)],
  ]);
}

function channel(sid: string, schemas: string) {
  const name = sid.charAt(0).toUpperCase() + sid.slice(1).replaceAll('_', ' ');
  return {
    $schema: `${schemas}/channel.schema.json`,
    sid,
    name,
    description: `Texts through the HTTP API of ${name}.`,
    type: 'sms',
    communication: 'direct',
    mailing_types: ['regular', 'trigger'],
    events: [
      { sid: 'accepted', name: 'Accepted', color: '#607d8b', type: 'send' },
      { sid: 'rejected', name: 'Rejected', color: '#c62828', type: 'undeliv' },
      { sid: 'delivered', name: 'Delivered', color: '#2e7d32', type: 'deliv' },
      { sid: 'undelivered', name: 'Undelivered', color: '#ef6c00', type: 'undeliv' },
    ],
    fields: {
      sender: [
        { field: 'base_url', type: 'url', name: 'Address of the API', required: true },
        { field: 'token', type: 'string', name: 'API token', required: true, secret: true },
        {
          field: 'webhook_token',
          type: 'string',
          name: 'Token of delivery reports',
          required: true,
          secret: true,
        },
      ],
      subscription: [
        {
          field: 'phone',
          type: 'string',
          name: 'Phone',
          required: true,
          pattern: '^\\+[0-9]{7,15}$',
          hint: 'International, with + and digits only',
        },
      ],
      template: [{ field: 'text', type: 'text', name: 'Text', required: true, max_length: 1_000 }],
    },
    pipelines: { message: `${sid}/message`, listener: `${sid}/listener` },
    listener: {
      verify: { type: 'token', header: 'x-webhook-token', secrets: ['$sender.webhook_token'] },
      response: { body: 'ok' },
    },
  };
}

const OWN_ID = '$origin.send_message_id';

const MESSAGE = [
  {
    id: 1,
    type: 'pack',
    params: { template: { to: '$subscription.phone', text: '$template.text', reference: OWN_ID } },
    outs: { success: 2 },
  },
  {
    id: 2,
    type: 'http_request',
    params: {
      method: 'POST',
      url: '$sender.base_url/messages',
      content_type: 'json',
      auth_type: 'bearer',
      auth_token: '$sender.token',
      idempotency_header: 'idempotency-key',
      success_codes: ['2xx'],
      retry: { attempts: 5, on: ['network', 'timeout', 429, '5xx'], base: 2, max: 600 },
    },
    outs: { success: 3, error: 5 },
  },
  { id: 3, type: 'unpack', outs: { success: 4 } },
  {
    id: 4,
    type: 'event',
    params: { sid: 'accepted', event: { send_message_id: OWN_ID, external_id: '$in.data.id' } },
  },
  {
    id: 5,
    type: 'selector',
    note: 'A 4xx is about this message, but for 401 and 403: those refuse the sender. Anything else says that the provider could not do its work.',
    params: {
      outs: [{ query: "$error.kind = 'client' && $error.code != 401 && $error.code != 403", out: 6 }],
    },
    outs: { success: 7 },
  },
  {
    id: 6,
    type: 'event',
    params: {
      sid: 'rejected',
      event: { send_message_id: OWN_ID, code: '$error.code', message: '$in.body' },
    },
  },
  { id: 7, type: 'error', params: { code: '$error.kind', message: '$error.message' } },
];

const LISTENER = [
  { id: 1, type: 'unpack', outs: { success: 2 } },
  {
    id: 2,
    type: 'selector',
    params: {
      outs: [
        { query: "$in.data.status = 'delivered'", out: 3 },
        { query: "$in.data.status = 'undelivered'", out: 4 },
      ],
    },
    outs: { success: 5 },
  },
  {
    id: 3,
    type: 'event',
    params: { sid: 'delivered', event: { external_id: '$in.data.id', dedupe_key: '$in.data.id/delivered' } },
  },
  {
    id: 4,
    type: 'event',
    params: {
      sid: 'undelivered',
      event: {
        external_id: '$in.data.id',
        message: '${in.data.reason?}',
        dedupe_key: '$in.data.id/undelivered',
      },
    },
  },
  {
    id: 5,
    type: 'log',
    params: { level: 'warn', message: 'A report has the unknown status ${in.data.status?}.' },
  },
];

function readme(sid: string): string {
  return `# ${sid}

Made by \`sluiceway init\`. As it is, the provider is expected to work like this:

- \`POST {base_url}/messages\` with a bearer token and \`{ "to", "text", "reference" }\` answers 2xx \`{ "id" }\`; a 4xx says that
  this message is refused. Two requests with the same \`Idempotency-Key\` are one message.
- Delivery reports come to \`/fbp/v1/${sid}/1/<sender sid>\` with the header \`X-Webhook-Token\` and the body
  \`{ "id", "status", "reason" }\`, where \`status\` is \`delivered\` or \`undelivered\`.

| file | says |
|---|---|
| \`channel.json\` | who is reached, which values are needed, which events there are, how reports are verified |
| \`pipelines/message.json\` | how a message is sent |
| \`pipelines/listener.json\` | how a delivery report is taken |
| \`*.test.json\` | every way through both |

Change it to what your provider does, and look at it from this folder:

    sluiceway check .
    sluiceway test . --outs
    sluiceway graph .
    sluiceway dry-run . --message message.json
`;
}
