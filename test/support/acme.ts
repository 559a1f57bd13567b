/** A channel as an admin writes it: everything a request may bring. */
export const acme = {
  sid: 'acme_lists',
  name: 'Acme lists',
  type: 'messenger',
  communication: 'direct',
  events: [
    { sid: 'accepted', name: 'Accepted', color: '#607d8b', type: 'send' },
    { sid: 'delivered', name: 'Delivered', color: '#2e7d32', type: 'deliv' },
  ],
  fields: {
    account: [
      { field: 'project', type: 'string', name: 'Project', required: true },
      { field: 'key', type: 'string', name: 'Key', secret: true },
    ],
    sender: [{ field: 'token', type: 'string', name: 'Token', required: true, secret: true }],
    subscription: [{ field: 'chat', type: 'string', name: 'Chat', required: true }],
    template: [{ field: 'text', type: 'text', name: 'Text', required: true }],
  },
  limits: { requests: 100, per: 2 },
  pipelines: {
    message: [
      {
        id: 1,
        type: 'pack',
        params: { template: { to: '$subscription.chat', text: '$template.text' } },
        outs: { success: 2 },
      },
      {
        id: 2,
        type: 'http_request',
        params: {
          url: 'https://acme.test/send',
          method: 'POST',
          content_type: 'json',
          auth_type: 'bearer',
          auth_token: '$sender.token',
        },
        outs: { success: 3 },
      },
      {
        id: 3,
        type: 'event',
        params: { sid: 'accepted', event: { send_message_id: '$origin.send_message_id' } },
      },
    ],
  },
  entities: [
    {
      sid: 'category',
      name: 'Category',
      fields: [
        { field: 'id', type: 'int', name: 'Id' },
        { field: 'title', type: 'string', name: 'Title' },
      ],
      primary: 'id',
      preview: 'title',
      operations: [
        {
          sid: 'list',
          name: 'List',
          input: [{ field: 'prefix', type: 'string', name: 'Begins with', required: true, max_length: 10 }],
          pipeline: [
            {
              id: 1,
              type: 'http_request',
              params: {
                url: 'https://acme.test/categories',
                form: { prefix: '$origin.prefix' },
                auth_type: 'bearer',
                auth_token: '$sender.token',
              },
              outs: { success: 2, error: 9 },
            },
            { id: 2, type: 'unpack', outs: { success: 3, error: 9 } },
            { id: 3, type: 'result', params: { path: '$in.data.items' }, outs: { error: 9 } },
            {
              id: 9,
              type: 'error',
              params: { code: 'no_list', message: 'The list cannot be read: $error.message' },
            },
          ],
        },
      ],
    },
  ],
};
