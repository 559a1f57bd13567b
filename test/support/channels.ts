/** Channels for tests, in the form in which checked documents are stored. */
import type { ChannelDocument } from '../../src/channel/document.ts';

const ordinary = {
  type: 'sms',
  kind: 'custom',
  mailing_types: ['regular'],
  moderate: false,
  entities: [],
  delivery: { mode: 'pipeline' },
  lane: 'sender',
  unknown: 'hold',
} as const;

/** A direct channel with a secret in every group that has fields. */
export const texts: ChannelDocument = {
  ...ordinary,
  sid: 'acme_sms',
  id: 10_001,
  name: 'Acme SMS',
  communication: 'direct',
  events: [{ sid: 'accepted', id: 100_001, name: 'Accepted', color: '#607d8b', type: 'send' }],
  fields: {
    sender: [
      { type: 'header', text: 'Access' },
      { field: 'token', type: 'string', name: 'Token', required: true, secret: true, min_length: 4 },
      { field: 'signing_key', type: 'string', name: 'Signing key', secret: true },
      {
        field: 'region',
        type: 'enum',
        name: 'Region',
        options: [
          { value: 'eu', label: 'EU' },
          { value: 'us', label: 'US' },
        ],
      },
      { field: 'settings', type: 'json', name: 'Settings' },
    ],
    resource: [
      { field: 'brand', type: 'string', name: 'Brand', max_length: 11 },
      { field: 'pin', type: 'string', name: 'PIN', secret: true },
    ],
    subscription: [
      { field: 'phone', type: 'string', name: 'Phone', required: true, pattern: '^\\+\\d{7,15}$' },
      { field: 'weight', type: 'int', name: 'Weight' },
      { field: 'vip', type: 'bool', name: 'VIP' },
      { field: 'push_key', type: 'string', name: 'Key', secret: true },
    ],
    template: [{ field: 'text', type: 'text', name: 'Text', required: true, max_length: 20 }],
  },
  pipelines: { message: [{ id: 1, type: 'log', params: { level: 'info', message: 'sent' } }] },
};

/** An indirect channel. */
export const wall: ChannelDocument = {
  ...ordinary,
  sid: 'acme_wall',
  id: 10_002,
  name: 'Acme wall',
  communication: 'indirect',
  events: [],
  fields: {
    resource: [{ field: 'page', type: 'string', name: 'Page', required: true }],
    template: [{ field: 'text', type: 'text', name: 'Text', required: true }],
  },
  pipelines: { message: [{ id: 1, type: 'log', params: { level: 'info', message: 'sent' } }] },
};
