/** Examples of the `event` pipe: docs and tests at once. */
import type { PipeExample } from './pipe-example.ts';

const ID = '01890a5d-ac96-774b-bcce-b302099a8057';

export const EVENT_EXAMPLES: readonly PipeExample[] = Object.freeze([
  {
    name: 'the provider took the message',
    params: { sid: 'accepted', event: { external_id: '$in.data.id' } },
    in: { data: { id: 'p-9' } },
    scope: { message: { id: 'm-1', attempt: 1 } },
    expect: {
      exit: 'success',
      events: [{ sid: 'accepted', sendMessageId: 'm-1', externalId: 'p-9' }],
    },
  },
  {
    name: 'a delivery report finds the message by the id of the provider',
    params: {
      event_type: 'deliv',
      channel_id: 10001,
      action_type: 100002,
      event: { external_id: '$in.data.id', time: '$in.data.at', dedupe_key: '$in.data.report' },
    },
    in: { data: { id: 'p-9', at: 1767225600, report: 'r-1' } },
    expect: {
      exit: 'success',
      events: [
        {
          eventType: 'deliv',
          channelId: 10001,
          actionType: 100002,
          externalId: 'p-9',
          time: '1767225600',
          dedupeKey: 'r-1',
        },
      ],
    },
  },
  {
    name: 'a bounce with its reason, the message named by the report',
    params: {
      sid: 'bounced',
      event: {
        send_message_id: '$in.data.ref',
        code: '$in.data.error.code',
        message: '${in.data.error.text?}',
        data: '$in.data.error',
      },
    },
    in: { data: { ref: ID, error: { code: 11, text: 'Unknown subscriber' } } },
    expect: {
      exit: 'success',
      events: [
        {
          sid: 'bounced',
          sendMessageId: ID,
          code: '11',
          message: 'Unknown subscriber',
          data: { code: 11, text: 'Unknown subscriber' },
        },
      ],
    },
  },
  {
    name: 'moderation refused, with the reason for the editor',
    params: { event_type: 'moderate_error', event: { send_message_id: '$in.ref', message: '$in.reason' } },
    in: { ref: ID, reason: 'The picture is too small.' },
    expect: {
      exit: 'success',
      events: [{ eventType: 'moderate_error', sendMessageId: ID, message: 'The picture is too small.' }],
    },
  },
  {
    name: 'a report that names no message',
    params: { sid: 'delivered', event: { external_id: '${in.data.id?}' } },
    in: { data: {} },
    expect: { exit: 'error', code: 'EVENT_WITHOUT_MESSAGE' },
  },
  {
    name: 'a message id of a wrong form',
    params: { sid: 'delivered', event: { send_message_id: '$in.data.ref' } },
    in: { data: { ref: 'order-1' } },
    expect: { exit: 'error', code: 'PIPE_PARAMS' },
  },
  {
    name: 'an id that is longer than any provider needs',
    params: { sid: 'delivered', event: { external_id: '$in.data.id' } },
    in: { data: { id: 'x'.repeat(1_001) } },
    expect: { exit: 'error', code: 'PROVIDER_ID_TOO_LONG' },
  },
  {
    name: 'a time that cannot be read costs no report',
    params: { sid: 'delivered', event: { external_id: 'p-9', time: '$in.data.at' } },
    in: { data: { at: 'just now' } },
    expect: {
      exit: 'success',
      events: [{ sid: 'delivered', type: 'custom', externalId: 'p-9', time: 'just now' }],
    },
  },
]);
