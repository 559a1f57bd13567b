/** The built-in channel Email: SMTP to a mail server of the account. */
export const email = Object.freeze({
  sid: 'email',
  id: 1,
  name: 'Email',
  description: 'Emails through a mail server of your own or of a provider, by SMTP.',
  type: 'email',
  communication: 'direct',
  mailing_types: ['regular', 'trigger'],
  icon: 'mail',
  module: 'smtp',
  events: [
    { sid: 'sent', id: 11, name: 'Sent', color: '#1e88e5', type: 'send' },
    { sid: 'soft_bounce', id: 13, name: 'Mailbox full', color: '#ef6c00', type: 'sbounce' },
    { sid: 'hard_bounce', id: 14, name: 'No such mailbox', color: '#c62828', type: 'hbounce' },
    { sid: 'rejected', id: 15, name: 'Refused by the mail server', color: '#8e24aa', type: 'undeliv' },
    { sid: 'complained', id: 16, name: 'Complained', color: '#b71c1c', type: 'complain' },
    { sid: 'opened', id: 17, name: 'Opened', color: '#00897b', type: 'read' },
    { sid: 'clicked', id: 18, name: 'Clicked', color: '#1565c0', type: 'click' },
    { sid: 'unsubscribed', id: 19, name: 'Unsubscribed', color: '#6d4c41', type: 'unsub' },
  ],
  fields: {
    sender: [
      { type: 'header', text: 'Mail server' },
      [
        { field: 'host', type: 'string', name: 'Host', required: true, placeholder: 'smtp.example.com' },
        { field: 'port', type: 'int', name: 'Port', default: 587, min: 1, max: 65_535 },
        {
          field: 'secure',
          type: 'enum',
          name: 'Encryption',
          default: 'starttls',
          options: [
            { value: 'starttls', label: 'STARTTLS (port 587)' },
            { value: 'tls', label: 'TLS from the start (port 465)' },
            { value: 'none', label: 'None' },
          ],
          hint: 'With STARTTLS nothing is sent to a server that does not offer it',
        },
      ],
      [
        { field: 'user', type: 'string', name: 'User', hint: 'Empty where the server asks for none' },
        { field: 'password', type: 'string', name: 'Password', secret: true },
      ],
      {
        field: 'connections',
        type: 'int',
        name: 'Connections at once',
        default: 5,
        min: 1,
        max: 100,
        hint: 'For each process of the engine',
      },
      { type: 'header', text: 'From' },
      [
        {
          field: 'from_address',
          type: 'string',
          name: 'Address',
          required: true,
          pattern: '^[^\\s@<>",;]+@[^\\s@<>",;]+$',
          placeholder: 'news@example.com',
        },
        { field: 'from_name', type: 'string', name: 'Name', max_length: 200 },
      ],
    ],
    resource: [
      {
        field: 'reply_to',
        type: 'string',
        name: 'Answers go to',
        pattern: '^[^\\s@<>",;]+@[^\\s@<>",;]+$',
      },
      {
        field: 'unsubscribe_url',
        type: 'url',
        name: 'Unsubscribe address',
        hint: 'Becomes the List-Unsubscribe header; {id} in it is replaced by the id of the message',
      },
    ],
    subscription: [
      {
        field: 'email',
        type: 'string',
        name: 'Email address',
        required: true,
        max_length: 254,
        pattern: '^[^\\s@<>",;]+@[^\\s@<>",;]+$',
      },
    ],
    template: [
      { field: 'subject', type: 'string', name: 'Subject', required: true, max_length: 500 },
      {
        field: 'preheader',
        type: 'string',
        name: 'Preheader',
        max_length: 300,
        hint: 'Shown behind the subject in the list of emails',
      },
      { field: 'html', type: 'html', name: 'HTML', required: true },
      {
        field: 'text',
        type: 'text',
        name: 'Plain text',
        hint: 'For readers that show no HTML; many spam filters want it',
      },
      {
        field: 'attachments',
        type: 'file',
        name: 'Attachments',
        hint: 'Fetched from their addresses when the email is sent; 10 MiB together',
      },
    ],
  },
  content: {
    email_html: { subject: 'subject', preheader: 'preheader', html: 'html', text: 'text' },
  },
});
