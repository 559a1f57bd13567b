/** Wrong texts and members. */
import { direct } from '../documents.ts';
import { changed, type Example, pipe, sending, TEXT } from './build.ts';

/** Examples of these findings. */
export const TEXTS: readonly Example[] = [
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

/** Examples of these findings. */
export const MEMBERS: readonly Example[] = [
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
