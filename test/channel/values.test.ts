import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Field, FieldRow } from '../../src/channel/document.ts';
import { compileFields } from '../../src/channel/values.ts';
import { setOwn } from '../../src/json.ts';

const field = (more: Partial<Field>): Field => ({ field: 'f', type: 'string', name: 'F', ...more });

const messagesOf = (more: Partial<Field>, value: unknown, mode: 'saved' | 'final' = 'final') =>
  compileFields([field(more)])
    .check({ f: value }, mode)
    .problems.map((problem) => problem.message);

const FILE = { name: 'a.png', url: 'https://cdn.example/a.png', type: 'image/png', size: 10 };

const TABLE: [label: string, field: Partial<Field>, value: unknown, message: string | undefined][] = [
  ['int', { type: 'int' }, 3, undefined],
  ['int from text', { type: 'int' }, '3', '"f" (F) must be a whole number.'],
  ['int with a fraction', { type: 'int' }, 3.5, '"f" (F) must be a whole number.'],
  ['number', { type: 'number', min: 1 }, 1.5, undefined],
  ['number below', { type: 'number', min: 1, max: 2 }, 0, '"f" (F) must be at least 1 and at most 2.'],
  ['not finite', { type: 'number' }, Number.NaN, '"f" (F) must be a number.'],
  ['bool', { type: 'bool' }, false, undefined],
  ['bool as text', { type: 'bool' }, 'true', '"f" (F) must be true or false.'],
  ['text', { type: 'text' }, 'Hi', undefined],
  ['text from number', { type: 'text' }, 3, '"f" (F) must be a text.'],
  ['too long', { max_length: 2 }, 'abc', '"f" (F) must have at most 2 characters, but has 3.'],
  ['emoji is one character', { max_length: 2, min_length: 2 }, '😀a', undefined],
  ['pattern', { pattern: '^\\+\\d{7,15}$' }, '+1000000', undefined],
  [
    'pattern missed',
    { pattern: '^\\+\\d{7,15}$' },
    '1000000',
    '"f" (F) does not match the pattern ^\\+\\d{7,15}$.',
  ],
  ['pattern is searched', { pattern: 'b' }, 'abc', undefined],
  ['NUL', {}, 'a\0b', '"f" (F) holds the character NUL (\\u0000), which cannot be kept; remove it.'],
  ['half a pair', {}, '\ud83d', '"f" (F) holds half of a surrogate pair; remove it.'],
  ['enum', { type: 'enum', options: [{ value: 1, label: 'One' }] }, 1, undefined],
  [
    'enum by near name',
    {
      type: 'enum',
      options: [
        { value: 'HTML', label: 'HTML' },
        { value: 'Markdown', label: 'M' },
      ],
    },
    'HTMl',
    '"f" (F) must be one of "HTML", "Markdown". Did you mean "HTML"?',
  ],
  ['url', { type: 'url' }, 'https://a.example/x?y=1', undefined],
  [
    'url of a script',
    { type: 'url' },
    'javascript:alert(1)',
    '"f" (F) must be an address that starts with https:// or http://.',
  ],
  ['color', { type: 'color' }, '#2e7D32', undefined],
  ['color by name', { type: 'color' }, 'red', '"f" (F) must be a colour as #rrggbb.'],
  ['datetime', { type: 'datetime' }, '2024-02-29T10:00:00.5+03:00', undefined],
  [
    'a day that does not exist',
    { type: 'datetime' },
    '2026-02-29T10:00:00Z',
    '"f" (F) must be a time with its zone, as 2026-01-31T12:00:00Z or 2026-01-31T12:00:00+03:00.',
  ],
  ['json', { type: 'json' }, { a: [1, null, 'x'] }, undefined],
  [
    'NUL deep in json',
    { type: 'json' },
    { a: ['\0'] },
    '"f" (F) holds the character NUL (\\u0000), which cannot be kept; remove it.',
  ],
  ['file', { type: 'file', accept: 'image/*,.pdf', max_size: 10 }, [FILE], undefined],
  ['file by extension', { type: 'file', accept: '.PNG' }, [{ name: FILE.name, url: FILE.url }], undefined],
  ['file of another type', { type: 'file', accept: '.pdf' }, [FILE], '"f" (F) accepts only .pdf (file 1).'],
  [
    'file too large',
    { type: 'file', max_size: 9 },
    [FILE],
    '"f" (F) has 10 bytes, but takes at most 9 (file 1).',
  ],
  [
    'file that is no array',
    { type: 'file' },
    FILE,
    '"f" (F) must be an array of files: [ { "name": …, "url": …, "type": …, "size": … } ].',
  ],
  [
    'file with a wrong member',
    { type: 'file' },
    [{ ...FILE, sise: 1 }],
    '"f" (F) has a member "sise" that is not known. Did you mean "size"? (file 1).',
  ],
  [
    'two files where one is wanted',
    { type: 'file', multiple: false },
    [FILE, FILE],
    '"f" (F) takes one file, but 2 are given.',
  ],
  ['multiple', { multiple: true }, ['a', 'b'], undefined],
  [
    'multiple with one wrong',
    { multiple: true, max_length: 1 },
    ['a', 'bb'],
    '"f" (F) must have at most 1 characters, but has 2 (value 2).',
  ],
  ['multiple that is no array', { multiple: true }, 'a', '"f" (F) must be an array of values.'],
  ['entity', { type: 'entity', entity: 'list' }, { id: 7 }, undefined],
  [
    'entity that is none',
    { type: 'entity', entity: 'list' },
    true,
    '"f" (F) must be a record of its entity, or the primary value of one.',
  ],
  ['required and empty', { required: true }, '', '"f" (F) is required.'],
  ['required and null', { required: true, type: 'int' }, null, '"f" (F) is required.'],
  ['optional and null', { type: 'int' }, null, undefined],
];

describe('values of fields', () => {
  it.each(TABLE)('%s', (_label, more, value, message) => {
    expect(messagesOf(more, value)).toEqual(message === undefined ? [] : [message]);
  });

  it('takes Liquid in saved content without holding it to lengths and patterns', () => {
    const rule = { max_length: 5, pattern: '^[a-z]+$' };
    expect(messagesOf(rule, '{{ customer.name }}', 'saved')).toEqual([]);
    expect(messagesOf(rule, '{{ customer.name }}', 'final')).toHaveLength(1);
    expect(messagesOf({ ...rule, liquid: false }, '{{ customer.name }}', 'saved')).toHaveLength(1);
    expect(messagesOf({ ...rule, type: 'url' }, '{{ customer.url }}', 'saved')).toHaveLength(1);
    const sender = compileFields([field(rule)], 'sender');
    expect(sender.check({ f: '{{ customer.name }}' }, 'saved').problems).toHaveLength(1);
  });

  it('fills in defaults and keeps nothing that is no field', () => {
    const rows: FieldRow[] = [
      { type: 'header', text: 'H' },
      [field({ default: 'd' }), field({ field: 'g', type: 'int', default: 4 })],
    ];
    const given: Record<string, unknown> = { g: 5, txt: 1 };
    setOwn(given, '__proto__', { f: 'stolen' });
    const { values, problems } = compileFields(rows).check(given, 'final');
    expect(values).toEqual({ f: 'd', g: 5 });
    expect(problems.map((problem) => problem.pointer)).toEqual(['/txt', '/__proto__']);
  });

  it('suggests the near name of an unknown member', () => {
    const { problems } = compileFields([field({ field: 'text' })]).check({ txt: 'Hi' }, 'saved');
    expect(problems).toEqual([
      { pointer: '/txt', message: '"txt" is no field of this group. Did you mean "text"?' },
    ]);
  });

  it('never reads what is inherited', () => {
    const given: unknown = Object.create({ f: 'inherited' });
    expect(compileFields([field({ required: true })]).check(given, 'final').problems).toHaveLength(1);
  });

  it('shows no value in any message', () => {
    const secret = 'k3y-of-the-provider';
    for (const type of [
      'int',
      'number',
      'bool',
      'url',
      'color',
      'datetime',
      'enum',
      'file',
      'json',
    ] as const) {
      const more = { type, secret: true, options: [{ value: 'k3y-of-the-providers', label: 'x' }] };
      expect(messagesOf(more, secret).join()).not.toMatch(/k3y-of-the-provider(?!s)/);
    }
  });

  it('never throws, whatever is given', () => {
    const every = (
      [
        'int',
        'number',
        'string',
        'bool',
        'json',
        'html',
        'file',
        'enum',
        'color',
        'datetime',
        'url',
        'entity',
      ] as const
    ).map((type) => field({ field: type, type, max_length: 3, min: 2, multiple: type === 'int' }));
    const { check } = compileFields(every);
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('int', 'file', 'json', 'url', 'datetime', 'color', 'x'), fc.anything()),
        (values) => {
          const checked = check(values, 'final');
          expect(Object.keys(checked.values).every((key) => every.some((each) => each.field === key))).toBe(
            true,
          );
        },
      ),
    );
  });
});
