/** The channel that is measured: build a body, send it, read the answer, decide, register the event; reports back in. */
export function benchChannel(providerPort: string): unknown {
  return {
    sid: 'bench_sms',
    id: 10001,
    name: 'Bench SMS',
    type: 'sms',
    communication: 'direct',
    events: [
      { sid: 'accepted', id: 100001, name: 'Accepted', color: '#607d8b', type: 'send' },
      { sid: 'delivered', id: 100002, name: 'Delivered', color: '#2e7d32', type: 'deliv' },
    ],
    fields: {
      sender: [{ field: 'token', type: 'string', name: 'API token', required: true, secret: true }],
      subscription: [{ field: 'phone', type: 'string', name: 'Phone', required: true }],
      template: [{ field: 'text', type: 'text', name: 'Text', required: true }],
    },
    pipelines: {
      message: [
        {
          id: 1,
          type: 'pack',
          params: {
            template: {
              to: '$subscription.phone',
              text: '$template.text',
              reference: '$origin.send_message_id',
            },
          },
          outs: { success: 2 },
        },
        {
          id: 2,
          type: 'http_request',
          params: {
            url: `http://127.0.0.1:${providerPort}/messages`,
            method: 'POST',
            content_type: 'json',
            auth_type: 'bearer',
            auth_token: '$sender.token',
            idempotency_header: 'idempotency-key',
          },
          outs: { success: 3 },
        },
        { id: 3, type: 'unpack', outs: { success: 4 } },
        { id: 4, type: 'selector', params: { outs: [{ query: "$in.data.status = 'accepted'", out: 5 }] } },
        {
          id: 5,
          type: 'event',
          params: {
            sid: 'accepted',
            event: { send_message_id: '$origin.send_message_id', external_id: '$in.data.id' },
          },
        },
      ],
      listener: [
        { id: 1, type: 'unpack', outs: { success: 2 } },
        { id: 2, type: 'event', params: { sid: 'delivered', event: { external_id: '$in.data.id' } } },
      ],
    },
  };
}
