/** The built-in channel SMS: SMPP 3.4 to an SMS centre. */
export const sms = Object.freeze({
  sid: 'sms',
  id: 2,
  name: 'SMS',
  description: 'Texts through an SMS centre or aggregator, by SMPP 3.4, with delivery receipts.',
  type: 'sms',
  communication: 'direct',
  mailing_types: ['regular', 'trigger'],
  icon: 'message-square',
  module: 'smpp',
  events: [
    { sid: 'sent', id: 21, name: 'Sent', color: '#1e88e5', type: 'send' },
    { sid: 'delivered', id: 22, name: 'Delivered', color: '#2e7d32', type: 'deliv' },
    { sid: 'undelivered', id: 23, name: 'Not delivered', color: '#ef6c00', type: 'undeliv' },
    { sid: 'hard_bounce', id: 24, name: 'No such number', color: '#c62828', type: 'hbounce' },
    { sid: 'rejected', id: 25, name: 'Refused by the SMS centre', color: '#8e24aa', type: 'undeliv' },
  ],
  fields: {
    sender: [
      { type: 'header', text: 'SMS centre' },
      [
        { field: 'host', type: 'string', name: 'Host', required: true, placeholder: 'smpp.example.com' },
        { field: 'port', type: 'int', name: 'Port', default: 2775, min: 1, max: 65_535 },
        { field: 'tls', type: 'bool', name: 'TLS', default: false },
      ],
      [
        { field: 'system_id', type: 'string', name: 'System id', required: true, max_length: 15 },
        { field: 'password', type: 'string', name: 'Password', secret: true, max_length: 8 },
        { field: 'system_type', type: 'string', name: 'System type', max_length: 12 },
      ],
      [
        {
          field: 'window',
          type: 'int',
          name: 'Unanswered at once',
          default: 10,
          min: 1,
          max: 1_000,
          hint: 'How many texts the SMS centre lets wait for its answer',
        },
        {
          field: 'receipt_ids',
          type: 'enum',
          name: 'Ids in receipts',
          default: 'same',
          options: [
            { value: 'same', label: 'As in the answer' },
            { value: 'decimal_of_hex', label: 'Decimal, where the answer has them in hex' },
          ],
        },
      ],
      { type: 'header', text: 'From' },
      {
        field: 'source',
        type: 'string',
        name: 'Sender id',
        required: true,
        pattern: '^(\\+?[0-9]{3,15}|[A-Za-z0-9 ._&-]{1,11})$',
        hint: 'A number, a short code, or up to 11 letters and digits',
      },
    ],
    resource: [
      {
        field: 'source',
        type: 'string',
        name: 'Sender id',
        pattern: '^(\\+?[0-9]{3,15}|[A-Za-z0-9 ._&-]{1,11})$',
        hint: 'Instead of the one of the sender',
      },
    ],
    subscription: [
      { field: 'phone', type: 'string', name: 'Phone', required: true, pattern: '^\\+[0-9]{7,15}$' },
    ],
    template: [
      {
        field: 'text',
        type: 'text',
        name: 'Text',
        required: true,
        max_length: 1_530,
        hint: '160 characters in one SMS, 153 in each of several; 70 and 67 with any character outside GSM-7',
      },
      {
        field: 'validity',
        type: 'int',
        name: 'Valid for so many minutes',
        min: 1,
        max: 20_160,
        hint: 'The SMS centre gives up after that',
      },
    ],
  },
  content: { sms_text: { text: 'body' } },
});
