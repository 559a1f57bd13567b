/** For each code that a document can have: a document that is wrong in this way, and what is said about it. */
import type { ChannelDocument } from '../../src/channel/document.ts';
import type { FindingCode } from '../../src/channel/rules/codes.ts';
import { check, direct, indirect, type TextOptions, wallMessage } from './documents.ts';

type Document = Record<string, unknown>;

export interface Example {
  readonly code: FindingCode;
  readonly name: string;
  /** The document or its text. */
  readonly document: unknown;
  /** A part of the sentence. */
  readonly says: string;
  /** Where, if it is not the document as a whole. */
  readonly pointer?: string;
  readonly suggestion?: string;
  readonly file?: string;
  readonly options?: TextOptions;
}

/** A sound document with some members put in other's place. */
function changed(document: Document, more: Document): Document {
  return { ...document, ...more };
}

const pipe = (id: number, type: string, params?: Document, outs?: Document) => ({
  id,
  type,
  ...(params !== undefined && { params }),
  ...(outs !== undefined && { outs }),
});
const hello = pipe(1, 'log', { message: 'Hi' });

/** A direct channel with this Message pipeline and no other one. */
const sending = (...message: unknown[]) => changed(direct(), { pipelines: { message }, listener: undefined });
const withPipeline = (name: string, ...pipes: unknown[]) =>
  changed(direct(), { pipelines: { ...direct().pipelines, [name]: pipes } });
const withField = (group: string, field: Document) =>
  changed(direct(), {
    fields: {
      ...direct().fields,
      [group]: [field, ...((direct().fields as Record<string, unknown[]>)[group] ?? [])],
    },
  });
const withEvents = (...events: unknown[]) => changed(direct(), { events: [...direct().events, ...events] });
const withListener = (listener: Document) => changed(direct(), { listener });
const wall = (more: Document) => changed(indirect(), more);
const wallPipes = (pipes: unknown[]): TextOptions => ({
  pipelines: { 'acme_wall/message': JSON.stringify(pipes, null, 1) },
});
const operation = (...pipeline: unknown[]) => {
  const [entity] = indirect().entities;
  return wall({
    entities: [
      {
        ...entity,
        operations: [
          { sid: 'list', name: 'List', input: [{ field: 'search', type: 'string', name: 'S' }], pipeline },
        ],
      },
    ],
  });
};
const OPERATION = '/entities/0/operations/0/pipeline';

const event = (sid: string, id: number) => ({ sid, id, name: 'E', color: '#000000', type: 'custom' });
const previous = (more: Partial<ChannelDocument>): TextOptions => ({
  previous: { ...(check(direct()).document as ChannelDocument), ...more },
});

const TEXT = JSON.stringify(direct(), null, 1);

const TEXTS: readonly Example[] = [
  { code: 'empty', name: 'an empty file', document: ' \n', says: 'The file is empty' },
  {
    code: 'not-json',
    name: 'not JSON',
    document: '{ sid: 1 }',
    says: 'This is not JSON: texts stand in double quotes',
  },
  {
    code: 'too-large',
    name: 'a file of 10 MB',
    document: `{"a":"${'x'.repeat(10_000_000)}"}`,
    says: 'characters; at most 2097152 are read',
  },
  {
    code: 'too-deep',
    name: 'a hundred thousand brackets',
    document: '['.repeat(100_000),
    says: 'nested deeper than 100 levels',
  },
  {
    code: 'comment',
    name: 'a comment',
    document: TEXT.replace('{', '{ // mine\n'),
    says: 'Comments are not allowed in JSON; use "note"',
  },
  {
    code: 'trailing-comma',
    name: 'a trailing comma',
    document: TEXT.replace(/\n\}$/, ',\n}'),
    says: 'There is a comma after the last element',
  },
  {
    code: 'duplicate-member',
    name: 'a member that stands twice',
    document: TEXT.replace('{', '{ "sid": "acme_sms",'),
    says: '"sid" stands twice',
  },
  {
    code: 'number-not-exact',
    name: 'a chat id of 20 digits',
    document: JSON.stringify(sending(pipe(1, 'store_set', { key: 'chat', ttl: 60, value: 'N' }))).replace(
      '"N"',
      '12345678901234567890',
    ),
    says: 'write it as a text in quotes',
  },
  {
    code: 'byte-order-mark',
    name: 'a byte order mark',
    document: `\uFEFF${JSON.stringify(direct())}`,
    says: 'save it as UTF-8 without one',
  },
];

const MEMBERS: readonly Example[] = [
  {
    code: 'unknown-member',
    name: 'a misspelt member',
    document: changed(direct(), { eventz: [] }),
    says: '"eventz" is not known here. Did you mean "events"?',
    pointer: '/eventz',
    suggestion: 'events',
  },
  {
    code: 'unknown-member',
    name: 'a misspelt param',
    document: sending(pipe(1, 'log', { mesage: 'Hi', message: 'Hi' })),
    says: 'Did you mean "message"?',
    pointer: '/pipelines/message/0/params/mesage',
    suggestion: 'message',
  },
  {
    code: 'unknown-member',
    name: 'a member __proto__',
    document: TEXT.replace('{', '{ "__proto__": { "sid": "x" },'),
    says: '"__proto__" is not known here',
    pointer: '/__proto__',
  },
  {
    code: 'member-missing',
    name: 'no name',
    document: changed(direct(), { name: undefined }),
    says: '"name" is missing',
  },
  {
    code: 'member-missing',
    name: 'a param that must be given',
    document: sending(pipe(1, 'log', {})),
    says: '"message" is missing',
    pointer: '/pipelines/message/0/params',
  },
  {
    code: 'wrong-type',
    name: 'a text as a list',
    document: changed(direct(), { name: ['x'] }),
    says: '"name" must be a text, but it is an array',
    pointer: '/name',
  },
  {
    code: 'wrong-type',
    name: 'a list as the document',
    document: [],
    says: 'This must be an object, but it is an array',
  },
  {
    code: 'wrong-type',
    name: 'a number as url',
    document: sending(pipe(1, 'http_request', { url: 7 })),
    says: '"url" must be a text',
    pointer: '/pipelines/message/0/params/url',
  },
  {
    code: 'wrong-value',
    name: 'a misspelt enum',
    document: changed(direct(), { communication: 'dirct' }),
    says: 'must be one of "direct", "indirect", but it is "dirct". Did you mean "direct"?',
    pointer: '/communication',
    suggestion: 'direct',
  },
  {
    code: 'wrong-value',
    name: 'a misspelt method',
    document: sending(pipe(1, 'http_request', { url: 'https://a.example', method: 'PSOT' })),
    says: 'Did you mean "POST"?',
    pointer: '/pipelines/message/0/params/method',
    suggestion: 'POST',
  },
  {
    code: 'wrong-format',
    name: 'a sid with a hyphen',
    document: changed(direct(), { sid: 'acme-sms' }),
    says: 'a lower-case letter, then letters, digits and _',
    pointer: '/sid',
  },
  {
    code: 'wrong-format',
    name: 'five columns',
    document: changed(direct(), {
      fields: {
        ...direct().fields,
        mailing: [Array.from({ length: 5 }, (_, n) => ({ field: `f${n}`, type: 'int', name: 'F' }))],
      },
    }),
    says: 'A row has 1 to 4 columns, but this one has 5',
    pointer: '/fields/mailing/0',
  },
];

const IDENTITY: readonly Example[] = [
  {
    code: 'folder-name',
    name: 'another folder',
    document: direct(),
    options: { folder: 'acme' },
    says: 'The folder is "acme", but the channel in it is "acme_sms"',
    pointer: '/sid',
  },
  {
    code: 'sid-changed',
    name: 'another sid',
    document: direct(),
    options: previous({ sid: 'acme' }),
    says: 'The sid never changes: it is "acme"',
    pointer: '/sid',
  },
  {
    code: 'id-changed',
    name: 'another id',
    document: direct(),
    options: previous({ id: 10009 }),
    says: 'it is 10009, not 10001',
    pointer: '/id',
  },
  {
    code: 'sid-taken',
    name: 'a sid that is taken',
    document: direct(),
    options: { others: [{ sid: 'acme_sms', id: 1 }] },
    says: 'Another channel has the sid "acme_sms"',
    pointer: '/sid',
  },
  {
    code: 'id-taken',
    name: 'an id that is taken',
    document: direct(),
    options: { others: [{ sid: 'x', id: 10001 }] },
    says: 'The channel "x" has the id 10001',
    pointer: '/id',
  },
  {
    code: 'id-range',
    name: 'an id of a system channel',
    document: changed(sending(hello), { id: 100 }),
    says: 'from 10000 to 2147483647, but this one is 100',
    pointer: '/id',
  },
  {
    code: 'id-missing',
    name: 'a system channel without id',
    document: changed(direct(), { id: undefined }),
    options: { kind: 'system' },
    says: 'A system channel names its "id"',
  },
  {
    code: 'event-sid-twice',
    name: 'two events with a sid',
    document: withEvents(event('accepted', 100009)),
    says: 'Two events have the sid "accepted"',
    pointer: '/events/3/sid',
  },
  {
    code: 'event-id-twice',
    name: 'two events with an id',
    document: withEvents(event('other', 100001)),
    says: '"accepted" and "other" have the same id 100001',
    pointer: '/events/3/id',
  },
  {
    code: 'event-id-range',
    name: 'a low event id',
    document: withEvents(event('other', 7)),
    says: 'start at 100000, but "other" has 7',
    pointer: '/events/3/id',
  },
  {
    code: 'event-id-changed',
    name: 'an event with another id',
    document: direct(),
    options: previous({
      events: [{ sid: 'accepted', id: 100077, name: 'A', color: '#000000', type: 'send' }],
    }),
    says: 'it is 100077, not 100001',
    pointer: '/events/0/id',
  },
  {
    code: 'event-id-changed',
    name: 'an event with the id of another',
    document: direct(),
    options: previous({ events: [{ sid: 'gone', id: 100001, name: 'A', color: '#000000', type: 'send' }] }),
    says: 'belongs to the event "gone"',
    pointer: '/events/0/id',
  },
  {
    code: 'event-removed',
    name: 'an event that is gone',
    document: direct(),
    options: previous({
      events: [
        ...(check(direct()).document?.events ?? []),
        { sid: 'gone', id: 100044, name: 'G', color: '#000000', type: 'custom' },
      ],
    }),
    says: 'The event "gone" is gone',
    pointer: '/events',
  },
];

const FIELDS: readonly Example[] = [
  {
    code: 'field-missing',
    name: 'direct without address',
    document: changed(direct(), {
      fields: { ...direct().fields, subscription: [] },
      pipelines: { message: [hello] },
      listener: undefined,
    }),
    says: 'needs at least one subscription field',
  },
  {
    code: 'field-missing',
    name: 'indirect without resource field',
    document: wall({
      fields: {
        ...indirect().fields,
        template: [{ field: 'text', type: 'text', name: 'T' }],
        resource: [{ type: 'divider' }],
      },
    }),
    options: wallPipes([hello]),
    says: 'needs at least one resource field',
  },
  {
    code: 'field-twice',
    name: 'two fields with a name',
    document: withField('template', { field: 'text', type: 'text', name: 'Again' }),
    says: 'Two fields of this group have the name "text"',
  },
  {
    code: 'field-options',
    name: 'an enum without options',
    document: withField('template', { field: 'kind', type: 'enum', name: 'K' }),
    says: 'so it needs "options"',
  },
  {
    code: 'field-default',
    name: 'a default that does not fit',
    document: withField('template', { field: 'n', type: 'int', name: 'N', default: 'x' }),
    says: 'must be a whole number',
    pointer: '/fields/template/0/default',
  },
  {
    code: 'field-limits',
    name: 'limits the wrong way round',
    document: withField('template', { field: 'n', type: 'int', name: 'N', min: 3, max: 2 }),
    says: '"min" is 3 and "max" is 2',
  },
  {
    code: 'field-setting',
    name: 'options of an int',
    document: withField('template', { field: 'n', type: 'int', name: 'N', pattern: '1' }),
    says: '"pattern" means nothing for a field of type "int"',
    pointer: '/fields/template/0/pattern',
  },
  {
    code: 'secret-default',
    name: 'a secret with a default',
    document: withField('sender', { field: 'key', type: 'string', name: 'K', secret: true, default: 'k' }),
    says: 'leave "default" out',
  },
  {
    code: 'regex-invalid',
    name: 'a pattern that looks ahead',
    document: withField('subscription', { field: 'p', type: 'string', name: 'P', pattern: '^(?!0)\\d+$' }),
    says: 'Lookahead, lookbehind and back references are not supported',
    pointer: '/fields/subscription/0/pattern',
  },
  {
    code: 'entity-unknown',
    name: 'an entity that is not declared',
    document: wall({
      fields: { ...indirect().fields, mailing: [{ field: 'category', type: 'entity', entity: 'categry' }] },
    }),
    says: 'There is no entity "categry". Did you mean "category"?',
    suggestion: 'category',
  },
  {
    code: 'entity-twice',
    name: 'two entities with a sid',
    document: wall({ entities: [...indirect().entities, ...indirect().entities] }),
    says: 'Two entities have the sid "category"',
    pointer: '/entities/1/sid',
  },
  {
    code: 'entity-field',
    name: 'a preview that is no field',
    document: wall({ entities: [{ ...indirect().entities[0], preview: 'titel' }] }),
    says: 'The entity has no field "titel". Did you mean "title"?',
    pointer: '/entities/0/preview',
    suggestion: 'title',
  },
  {
    code: 'content-unknown',
    name: 'a misspelt content key',
    document: changed(direct(), { content: { sms_text: { text: 'bdy' } } }),
    says: 'Content of type "sms_text" has no "bdy". Did you mean "body"?',
    pointer: '/content/sms_text/text',
    suggestion: 'body',
  },
  {
    code: 'liquid-syntax',
    name: 'Liquid that does not end',
    document: withField('template', { field: 'g', type: 'text', name: 'G', default: '{{ customer.name' }),
    says: 'Liquid',
    pointer: '/fields/template/0/default',
  },
  {
    code: 'personal-data',
    name: 'Liquid about a person',
    document: wall({
      fields: {
        ...indirect().fields,
        template: [{ field: 'text', type: 'text', name: 'T', default: 'Hi {{ customer.name }}' }],
      },
    }),
    says: '{{ customer.name }} is personal data',
    pointer: '/fields/template/0/default',
  },
];

const PIPES: readonly Example[] = [
  {
    code: 'module-or-pipelines',
    name: 'a custom channel with a module',
    document: changed(direct(), { module: 'email' }),
    says: 'Only built-in channels',
    pointer: '/module',
  },
  {
    code: 'pipeline-missing',
    name: 'no Message pipeline',
    document: changed(direct(), { pipelines: {}, listener: undefined }),
    says: 'The channel has no Message pipeline',
  },
  {
    code: 'pipeline-file-missing',
    name: 'a pipeline file that is not there',
    document: wall({ pipelines: { ...indirect().pipelines, message: 'acme_wall/mesage' } }),
    says: 'There is no pipeline file for "acme_wall/mesage"',
    pointer: '/pipelines/message',
  },
  {
    code: 'pipeline-size',
    name: 'a pipeline without pipes',
    document: sending(),
    says: 'A pipeline has 1 to 1000 pipes, but this one has 0',
  },
  {
    code: 'pipeline-unused',
    name: 'a Schedule pipeline that nothing enters',
    document: changed(direct(), { pipelines: { message: [hello], schedule: [hello] }, listener: undefined }),
    says: 'No "scheduled" pipe',
    pointer: '/pipelines/schedule',
  },
  {
    code: 'pipe-type-unknown',
    name: 'an unknown pipe',
    document: sending(pipe(1, 'http_requst', { url: 'https://a.example' })),
    says: 'There is no pipe of type "http_requst". Did you mean "http_request"?',
    pointer: '/pipelines/message/0/type',
    suggestion: 'http_request',
  },
  {
    code: 'pipe-type-old',
    name: 'an older name',
    document: sending(pipe(1, 'packer', { template: {} })),
    says: '"packer" is an older name; write "pack"',
    suggestion: 'pack',
  },
  {
    code: 'pipe-id-twice',
    name: 'two pipes with an id',
    document: sending(hello, hello),
    says: 'Two pipes of this pipeline have the id 1',
    pointer: '/pipelines/message/1/id',
  },
  {
    code: 'pipe-params',
    name: 'params that contradict each other',
    document: sending(pipe(1, 'selector', { outs: [{ query: '1 = 1', when: 'true', out: 2 }] }), {
      ...hello,
      id: 2,
    }),
    says: 'exactly one of them',
    pointer: '/pipelines/message/0/params/outs/0',
  },
  {
    code: 'exit-dangling',
    name: 'an exit to nowhere',
    document: sending(pipe(1, 'log', { message: 'Hi' }, { success: 9 })),
    says: 'The exit leads to pipe 9, which does not exist',
    pointer: '/pipelines/message/0/outs/success',
  },
  {
    code: 'exit-dangling',
    name: 'a branch to nowhere',
    document: sending(pipe(1, 'selector', { outs: [{ query: '1 = 1', out: 9 }] })),
    says: 'pipe 9',
    pointer: '/pipelines/message/0/params/outs/0/out',
  },
  {
    code: 'exit-dangling',
    name: 'a missing record to nowhere',
    document: sending(pipe(1, 'store_get', { key: 'k', not_found: 9 })),
    says: 'pipe 9',
    pointer: '/pipelines/message/0/params/not_found',
  },
  {
    code: 'exit-itself',
    name: 'an exit to itself',
    document: sending(pipe(1, 'http_request', { url: 'https://a.example' }, { error: 1 })),
    says: 'Pipe 1 leads back to itself',
    pointer: '/pipelines/message/0/outs/error',
  },
  {
    code: 'entry-dangling',
    name: 'an event handed to nowhere',
    document: sending(pipe(1, 'scheduled', { pipe_id: 3 })),
    says: 'but the channel has none',
    pointer: '/pipelines/message/0/params/pipe_id',
  },
  {
    code: 'pipe-unreachable',
    name: 'a pipe nothing leads to',
    document: sending(hello, { ...hello, id: 2 }),
    says: 'No exit leads to pipe 2',
    pointer: '/pipelines/message/1',
  },
  {
    code: 'circle',
    name: 'a circle',
    document: sending(
      pipe(1, 'log', { message: 'a' }, { success: 2 }),
      pipe(2, 'log', { message: 'b' }, { success: 1 }),
    ),
    says: 'The way 1 → 2 → 1 goes in a circle',
    pointer: '/pipelines/message/1/outs/success',
  },
];

const EXPRESSIONS: readonly Example[] = [
  {
    code: 'template-syntax',
    name: 'a brace that does not close',
    document: sending(pipe(1, 'log', { message: '${in.c_id' })),
    says: 'no closing brace',
    pointer: '/pipelines/message/0/params/message',
  },
  {
    code: 'query-syntax',
    name: 'bad JsonQL',
    document: sending(pipe(1, 'selector', { outs: [{ query: "$in.c_id == 'x'", out: 2 }] }), {
      ...hello,
      id: 2,
    }),
    says: '"==" is not used here; write "="',
    pointer: '/pipelines/message/0/params/outs/0/query',
  },
  {
    code: 'jsonata-syntax',
    name: 'bad JSONata',
    document: sending(pipe(1, 'transform', { expression: '$sum(', name: 'n' })),
    says: 'JSONata',
    pointer: '/pipelines/message/0/params/expression',
  },
  {
    code: 'jsonata-syntax',
    name: 'bad JSONata in place of a value',
    document: sending(pipe(1, 'log', { message: { $: '1 +' } })),
    says: 'JSONata',
    pointer: '/pipelines/message/0/params/message/$',
  },
  {
    code: 'regex-invalid',
    name: 'a regex of JSONata that refers back',
    document: sending(
      pipe(1, 'transform', { expression: '$contains($template.text, /(a+)+\\1$/)', name: 'n' }),
    ),
    says: 'not supported',
    pointer: '/pipelines/message/0/params/expression',
  },
  {
    code: 'reference-unknown',
    name: 'a field that is not declared',
    document: sending(pipe(1, 'log', { message: '$template.txt' })),
    says: '$template.txt: the template fields have no "txt". Did you mean "text"?',
    pointer: '/pipelines/message/0/params/message',
    suggestion: 'text',
  },
  {
    code: 'reference-unknown',
    name: 'a field in JSONata',
    document: sending(pipe(1, 'transform', { expression: '$uppercase($template.txt)', name: 'n' })),
    says: 'Did you mean "text"?',
    suggestion: 'text',
  },
  {
    code: 'reference-unknown',
    name: 'a field in a query',
    document: sending(pipe(1, 'selector', { outs: [{ query: "'$sender.tokn' = ''", out: 2 }] }), {
      ...hello,
      id: 2,
    }),
    says: 'Did you mean "token"?',
    suggestion: 'token',
  },
  {
    code: 'reference-unknown',
    name: 'what does not enter',
    document: sending(pipe(1, 'log', { message: '$origin.message_id' })),
    says: 'what enters this pipeline has no "message_id"',
  },
  {
    code: 'reference-unknown',
    name: 'a column of the campaign',
    document: sending(pipe(1, 'log', { message: '$campaign.nme' })),
    says: 'Did you mean "name"?',
    suggestion: 'name',
  },
  {
    code: 'keyword-unavailable',
    name: 'the template in the listener',
    document: withPipeline('listener', pipe(1, 'log', { message: '$template.text' })),
    says: '$template.text belongs to a message, but a request of the provider belongs to none',
    pointer: '/pipelines/listener/0/params/message',
  },
  {
    code: 'keyword-unavailable',
    name: 'the template in an operation',
    document: operation(pipe(1, 'result', { path: { t: '$template.text' } })),
    says: 'a run of an operation belongs to none',
    pointer: `${OPERATION}/0/params/path/t`,
  },
  {
    code: 'keyword-unavailable',
    name: 'the message in an answer',
    document: withListener({ response: '$message.id' }),
    says: 'does not exist when a request is answered',
    pointer: '/listener/response',
  },
  {
    code: 'keyword-uncertain',
    name: 'the template where the listener schedules too',
    document: changed(direct(), {
      pipelines: {
        message: [pipe(1, 'scheduled', { pipe_id: 1 })],
        listener: [pipe(1, 'scheduled', { pipe_id: 1 })],
        schedule: [pipe(1, 'log', { message: '$template.text' })],
      },
    }),
    says: 'also reached from the listener',
    pointer: '/pipelines/schedule/0/params/message',
  },
  {
    code: 'keyword-misspelt',
    name: 'a misspelt keyword',
    document: sending(pipe(1, 'log', { message: 'To $tempalte.text' })),
    says: '$tempalte is no keyword',
    suggestion: 'template',
  },
  {
    code: 'item-outside-repeat',
    name: 'an item without a list',
    document: sending(pipe(1, 'pack', { template: { to: '[$]phone' } })),
    says: '[$] is the item of a repeated member',
    pointer: '/pipelines/message/0/params/template/to',
  },
  {
    code: 'personal-data',
    name: 'the subscription in an indirect channel',
    document: indirect(),
    options: wallPipes([pipe(1, 'log', { message: '$subscription.phone' })]),
    says: '$subscription.phone is personal data',
    pointer: '/0/params/message',
    file: 'acme_wall/message.json',
  },
  {
    code: 'personal-data',
    name: 'the profile in JSONata',
    document: indirect(),
    options: wallPipes([pipe(1, 'transform', { expression: '$profile.country', name: 'c' })]),
    says: '$profile.country is personal data',
    file: 'acme_wall/message.json',
  },
  {
    code: 'secret-exposed',
    name: 'a secret in the log',
    document: sending(pipe(1, 'log', { message: 'With $sender.token' })),
    says: '$sender.token is secret',
  },
  {
    code: 'secret-exposed',
    name: 'all of the sender in an event',
    document: sending(pipe(1, 'event', { sid: 'accepted', event: { data: '$sender' } })),
    says: '$sender holds secret fields ("token", "signing")',
  },
  {
    code: 'in-missing',
    name: '$in.data without unpack',
    document: sending(
      pipe(1, 'http_request', { url: 'https://a.example' }, { success: 2 }),
      pipe(2, 'log', { message: '$in.data.id' }),
    ),
    says: '$in.data.id: nothing before this pipe puts "data" into $in. Put an unpack before this pipe',
    pointer: '/pipelines/message/1/params/message',
  },
  {
    code: 'in-missing',
    name: 'the default of a result',
    document: operation(pipe(1, 'result')),
    says: 'Put an unpack before this pipe',
  },
  {
    code: 'in-uncertain',
    name: 'unpacked on one of two ways',
    document: sending(
      pipe(1, 'http_request', { url: 'https://a.example' }, { success: 2, error: 3 }),
      pipe(2, 'unpack', undefined, { success: 3 }),
      pipe(3, 'log', { message: '$in.data.id' }),
    ),
    says: 'on some ways only; where it may be missing, write it as ${in.data?}',
  },
  {
    code: 'error-missing',
    name: '$error on the way of success',
    document: sending(
      pipe(1, 'http_request', { url: 'https://a.example' }, { success: 2 }),
      pipe(2, 'log', { message: '$error.message' }),
    ),
    says: 'no "error" in "outs" leads here',
  },
  {
    code: 'body-missing',
    name: 'JSON without pack',
    document: sending(
      pipe(1, 'http_request', { url: 'https://a.example', method: 'POST', content_type: 'json' }),
    ),
    says: 'put a pack before it',
    pointer: '/pipelines/message/0/params/content_type',
  },
  {
    code: 'body-missing',
    name: 'unpack without request',
    document: sending(pipe(1, 'unpack')),
    says: 'put the request whose answer it reads before it',
  },
  {
    code: 'body-uncertain',
    name: 'pack on one of two ways',
    document: sending(
      pipe(1, 'selector', { outs: [{ query: '$template.text is null', out: 3 }] }, { success: 2 }),
      pipe(2, 'pack', { template: {} }, { success: 3 }),
      pipe(3, 'http_request', { url: 'https://a.example', method: 'POST', content_type: 'json' }),
    ),
    says: 'on some ways only; put a pack before it on every way',
  },
];

const EVENTS: readonly Example[] = [
  {
    code: 'event-undeclared',
    name: 'a misspelt event',
    document: sending(pipe(1, 'event', { sid: 'acepted' })),
    says: 'The channel declares no event "acepted". Did you mean "accepted"?',
    pointer: '/pipelines/message/0/params/sid',
    suggestion: 'accepted',
  },
  {
    code: 'event-undeclared',
    name: 'an unknown action',
    document: sending(pipe(1, 'event', { event_type: 'send', channel_id: 10001, action_type: 7 })),
    says: 'no event with the id 7',
  },
  {
    code: 'event-mismatch',
    name: 'another type',
    document: sending(pipe(1, 'event', { event_type: 'send', channel_id: 10001, action_type: 100002 })),
    says: 'is declared with the type "deliv", not "send"',
    pointer: '/pipelines/message/0/params/event_type',
  },
  {
    code: 'event-mismatch',
    name: 'another channel',
    document: sending(pipe(1, 'event', { event_type: 'send', channel_id: 7, action_type: 100001 })),
    says: 'The id of this channel is 10001, not 7',
    pointer: '/pipelines/message/0/params/channel_id',
  },
  {
    code: 'event-without-message',
    name: 'an event of no message',
    document: withPipeline('listener', pipe(1, 'event', { sid: 'delivered' })),
    says: 'give "send_message_id" or "external_id"',
  },
];

const REST: readonly Example[] = [
  {
    code: 'operation-pipe',
    name: 'a pipe that waits',
    document: operation(
      pipe(1, 'scheduled', { pipe_id: 1 }, { success: 2 }),
      pipe(2, 'result', { path: '$in' }),
    ),
    says: 'it cannot use scheduled',
    pointer: `${OPERATION}/0/type`,
  },
  {
    code: 'operation-unfinished',
    name: 'a way without result',
    document: operation(
      pipe(1, 'http_request', { url: 'https://a.example' }, { success: 2 }),
      pipe(2, 'unpack'),
    ),
    says: 'ends at pipe 2 without a result',
    pointer: `${OPERATION}/1`,
  },
  {
    code: 'result-twice',
    name: 'two results on a way',
    document: operation(
      pipe(1, 'result', { path: '$in' }, { success: 2 }),
      pipe(2, 'result', { path: '$in' }),
    ),
    says: 'a run has one result',
    pointer: `${OPERATION}/1`,
  },
  {
    code: 'result-unused',
    name: 'a result of a message',
    document: sending(pipe(1, 'result', { path: '$in' })),
    says: 'Nobody reads the result of the message pipeline',
  },
  {
    code: 'listener-verify',
    name: 'a signature without place',
    document: withListener({ verify: { type: 'hmac', secrets: ['$sender.signing'] } }),
    says: 'exactly one of "header", "query" and "body"; it has none',
    pointer: '/listener/verify',
  },
  {
    code: 'listener-verify',
    name: 'no secret',
    document: withListener({ verify: { preset: 'slack' } }),
    says: 'must name at least one secret',
  },
  {
    code: 'listener-response',
    name: 'a body with 204',
    document: withListener({ response: { status: 204, body: 'x' } }),
    says: 'has no body',
    pointer: '/listener/response/body',
  },
  {
    code: 'listener-dedupe',
    name: 'a name for all',
    document: withListener({ dedupe: 'same' }),
    says: 'all but the first would be taken for repeats',
    pointer: '/listener/dedupe',
  },
  {
    code: 'listener-unused',
    name: 'a listener without pipeline',
    document: changed(direct(), { pipelines: { message: [hello] } }),
    says: 'add "listener" to "pipelines"',
  },
  {
    code: 'moderate-direct',
    name: 'a moderated direct channel',
    document: changed(direct(), { moderate: true }),
    says: 'Only indirect channels are moderated',
    pointer: '/moderate',
  },
  {
    code: 'moderate-without-pass',
    name: 'moderation that never ends',
    document: wall({ pipelines: { ...indirect().pipelines, moderate: [hello] } }),
    says: 'no mailing could ever start',
  },
  {
    code: 'moderate-event-unused',
    name: 'moderation of nothing',
    document: sending(pipe(1, 'event', { event_type: 'moderate_pass' })),
    says: 'nothing waits for this event',
  },
  {
    code: 'stop-missing',
    name: 'placements that stay',
    document: changed(direct(), { mailing_types: ['placement'] }),
    says: 'has no Stop pipeline',
  },
];

/** All examples. */
export const EXAMPLES: readonly Example[] = [
  ...TEXTS,
  ...MEMBERS,
  ...IDENTITY,
  ...FIELDS,
  ...PIPES,
  ...EXPRESSIONS,
  ...EVENTS,
  ...REST,
];

/** The Message pipeline of the wall, for tests that change it. */
export { wallMessage };
