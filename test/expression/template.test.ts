import { describe, expect, test } from 'vitest';
import { compileTemplate } from '../../src/expression/template.ts';
import { failureOf } from '../support/failure-of.ts';

const scope = {
  in: {
    text: 'hello',
    number: 7,
    tiny: 1e-7,
    huge: 1e21,
    yes: true,
    nothing: null,
    object: { b: 1, bytes: Buffer.from('é') },
    list: ['a', 'b', 'c'],
    bytes: Buffer.from('né'),
    headers: { 'x-id': 'h1', 'a.b': 'dotted', 'c}d': 'brace' },
    items: [
      { id: 1, name: 'one', tags: ['x', 'y'], parts: [{ n: 10 }, { n: 11 }] },
      { id: 2, tags: [], parts: [{ n: 20 }] },
    ],
    grid: [[1, 2], [3]],
  },
  sender: { token: 't0k' },
  now: '2026-01-01T00:00:00Z',
};

const render = (value: unknown) => compileTemplate(value).render(scope);

describe('text', () => {
  test.each([
    ['$in.text', 'hello'],
    ['${in.text}', 'hello'],
    ['Bearer $sender.token', 'Bearer t0k'],
    ['id-${in.number}-x', 'id-7-x'],
    ['$in.text$in.number', 'hello7'],
    ['$now', '2026-01-01T00:00:00Z'],
    ['$in.text.', 'hello.'],
    ['Hi $in.text, bye', 'Hi hello, bye'],
    ['$in.text-$in.text', 'hello-hello'],
    ['$$in.text', '$hello'],
    ['$$in.list ', '$["a","b","c"] '],
    ['$in.list.%0', 'a'],
    ['$in.list.%-1', 'c'],
    ['$in.list%1', 'b'],
    ['${in.items.%1.parts.%0.n}', '20'],
    ["${in.headers.'x-id'}", 'h1'],
    ["${in.headers.'a.b'}", 'dotted'],
    ["${in.headers.'c}d'}", 'brace'],
    ['${in.nope?}', ''],
    ['a${in.nope.deeper?}b', 'ab'],
    ['${in.text?}', 'hello'],
    ['no template', 'no template'],
    ['', ''],
  ])('%s is %s', (template, expected) => {
    expect(render(template)).toBe(expected);
  });

  test.each([
    '$',
    'US$ 5',
    '$5',
    '$ in.text',
    '$unknown.x',
    '$inn',
    '$in_',
    '${unknown.x}',
    '${}',
    'a$',
    '[$]x',
  ])('%s has no template in it', (text) => {
    const template = compileTemplate(text);
    expect(template).toMatchObject({ constant: true, problems: [], references: [] });
    expect(template.render({})).toBe(text);
  });

  test.each([
    ['\\$in.text', '$in.text'],
    ['cost: \\$$in.number', 'cost: $7'],
    ['\\$\\$', '$$'],
    ['\\n stays', '\\n stays'],
  ])('a backslash makes a dollar literal: %s', (template, expected) => {
    expect(render(template)).toBe(expected);
  });

  test.each([
    ['$in.number', '7'],
    ['$in.tiny', '0.0000001'],
    ['$in.huge', '1000000000000000000000'],
    ['$in.yes', 'true'],
    ['$in.nothing', ''],
    ['$in.object', '{"b":1,"bytes":"é"}'],
    ['$in.list', '["a","b","c"]'],
    ['$in.bytes', 'né'],
  ])('the text of %s is %s', (template, expected) => {
    expect(render(template)).toBe(expected);
  });
});

describe('typed values', () => {
  test.each([
    ['$#in.number', 7],
    ['$#{in.yes}', true],
    ['$#in.nothing', null],
    ['$#in.list', ['a', 'b', 'c']],
    ['$$in.list', ['a', 'b', 'c']],
    ['$${in.list}', ['a', 'b', 'c']],
    ['$#in.list.%-1', 'c'],
    ['$#in.bytes', Buffer.from('né')],
  ])('%s keeps its type', (template, expected) => {
    expect(render(template)).toEqual(expected);
  });

  test.each(['a $#in.number', '$#in.number b', '$#in.number$in.text'])(
    '%s must be the whole string',
    async (text) => {
      const template = compileTemplate({ a: [text] }, '/params');
      expect(template.problems).toEqual([
        { pointer: '/params/a/0', message: expect.stringContaining('must be the whole string') },
      ]);
      expect((await failureOf(() => template.render(scope))).code).toBe('TEMPLATE_SYNTAX');
    },
  );

  test('an optional one that is missing is left out of objects, arrays and the top', () => {
    expect(render({ a: '$#{in.nope?}', b: ['$#{in.nope?}', '$#{in.number?}'], c: '${in.nope?}' })).toEqual({
      b: [7],
      c: '',
    });
    expect(render('$#{in.nope?}')).toBeUndefined();
  });
});

describe('mistakes', () => {
  test.each([
    ['$in.nope', '${in.nope?}'],
    ['${in.nope.x}', '${in.nope.x?}'],
    ['$#in.nope', '${in.nope?}'],
    ['$in.list.%9', '${in.list.%9?}'],
    ['$in.text.length', '?}'],
    ['$in.bytes.length', '?}'],
    ['$in.constructor', '?}'],
    ['$in.__proto__', '?}'],
    ['$error.code', '?}'],
  ])('%s without a value says how to make it optional', async (text, advice) => {
    const failure = await failureOf(() => render(text));
    expect(failure.code).toBe('TEMPLATE_VALUE_MISSING');
    expect(failure.message).toContain(advice);
  });

  test.each([
    ['${in.a b}', 'is not a path'],
    ['${in.a', 'no closing brace'],
    ["${in.'a}", 'no closing brace'],
  ])('%s is a problem', (text, message) => {
    expect(compileTemplate(text, '/x').problems).toEqual([
      { pointer: '/x', message: expect.stringContaining(message) },
    ]);
  });

  test('a missing member of an item names the item', async () => {
    const failure = await failureOf(() => render({ '$$in.items[to]': ['[$]name'] }));
    expect(failure.message).toBe('[$]name has no value here. If it may be missing, write it as [$]{name?}.');
  });
});

describe('repeated members', () => {
  test.each([
    [
      'in text and in type',
      { '$$in.items[to]': [{ id: '[$]id', n: '[$#]id' }] },
      {
        to: [
          { id: '1', n: 1 },
          { id: '2', n: 2 },
        ],
      },
    ],
    ['braces around the source', { '$${in.items}[to]': ['[$#]id'] }, { to: [1, 2] }],
    ['the item itself', { '$$in.list[to]': ['<[$]>'] }, { to: ['<a>', '<b>', '<c>'] }],
    ['the item itself in its type', { '$$in.list[to]': ['[$#]'] }, { to: ['a', 'b', 'c'] }],
    ['an optional member', { '$$in.items[to]': ['[$]{name?}!'] }, { to: ['one!', '!'] }],
    ['an optional member in its type', { '$$in.items[to]': ['[$#]{name?}'] }, { to: ['one'] }],
    ['the scope stays readable', { '$$in.items[to]': ['$in.text [$]id'] }, { to: ['hello 1', 'hello 2'] }],
    [
      'nested, from the item',
      { '$$in.items[to]': [{ '$$[$]parts[p]': ['[$#]n'] }] },
      { to: [{ p: [10, 11] }, { p: [20] }] },
    ],
    [
      'nested, from the item itself',
      { '$$in.grid[rows]': [{ '$$[$][cells]': ['[$#]'] }] },
      { rows: [{ cells: [1, 2] }, { cells: [3] }] },
    ],
    ['nested, optional', { '$$in.items[to]': [{ '$$[$]{nope?}[p]': ['[$]'] }] }, { to: [{}, {}] }],
    [
      'nested, from the scope',
      { '$$in.grid[a]': [{ '$$in.list[b]': ['[$]'] }] },
      { a: [{ b: ['a', 'b', 'c'] }, { b: ['a', 'b', 'c'] }] },
    ],
    ['an optional source', { '$${in.nope?}[to]': ['x'], a: 1 }, { a: 1 }],
    ['constant elements', { '$$in.list[to]': ['x'] }, { to: ['x', 'x', 'x'] }],
    ['an expression per item', { '$$in.list[to]': [{ $: '$in.number' }] }, { to: [7, 7, 7] }],
  ])('%s', (_name, template, expected) => {
    expect(render(template)).toEqual(expected);
  });

  test.each([
    [{ $$in: ['x'] }, 'is not a repeated member'],
    [{ '$$items[to]': ['x'] }, 'does not name a source'],
    [{ '$$[$]items[to]': ['x'] }, 'does not name a source'],
    [{ '$$in.items[to]': 'x' }, 'exactly one element'],
    [{ '$$in.items[to]': ['x', 'y'] }, 'exactly one element'],
  ])('%j is a problem', (template, message) => {
    expect(compileTemplate(template).problems[0]?.message).toContain(message);
  });

  test('a source that is no array is an error that says what it is', async () => {
    const failure = await failureOf(() => render({ '$$in.bytes[to]': ['x'] }));
    expect(failure.message).toBe(
      '$in.bytes must be an array to repeat "to", but it is bytes (is an unpack missing?).',
    );
  });
});
