import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileTemplate } from '../../src/expression/template.ts';
import { toText } from '../../src/expression/text.ts';
import { own } from '../../src/json.ts';
import { failureOf } from '../support/failure-of.ts';
import { hostileJson, hostileKey, hostileText, nested } from './hostile.ts';

const runs = { numRuns: 300 };

test('a text arrives as it is, in text, in type, and through JSON', () => {
  const template = compileTemplate({ a: '$in.v', b: 'x${in.v}y', c: '$#in.v', d: ['$in.v'] });
  fc.assert(
    fc.property(hostileText, (v) => {
      const rendered = template.render({ in: { v } });
      expect(rendered).toEqual({ a: v, b: `x${v}y`, c: v, d: [v] });
      expect(JSON.parse(JSON.stringify(rendered))).toEqual(rendered);
    }),
    runs,
  );
});

test('any value keeps its type, and its text is its JSON', () => {
  const template = compileTemplate({ typed: '$#in.v', text: '$in.v' });
  fc.assert(
    fc.property(hostileJson, (v) => {
      const rendered = template.render({ in: { v } });
      expect(own(rendered, 'typed')).toBe(v);
      const text = own(rendered, 'text');
      if (typeof v === 'object' && v !== null) expect(text).toBe(JSON.stringify(v));
      else expect(text).toBe(toText(v));
    }),
    runs,
  );
});

test('repeated members give one element per item, whatever the items are', () => {
  const template = compileTemplate({ '$$in.list[out]': [{ v: '[$#]', '$$[$]{sub?}[inner]': ['[$#]'] }] });
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          hostileText,
          fc.array(hostileJson).map((sub) => ({ sub })),
        ),
      ),
      (list) => {
        const rendered = template.render({ in: { list } });
        const expected = list.map((v) => (typeof v === 'string' ? { v } : { v, inner: v.sub }));
        expect(rendered).toEqual({ out: expected });
        expect(JSON.parse(JSON.stringify(rendered))).toEqual(JSON.parse(JSON.stringify({ out: expected })));
      },
    ),
    runs,
  );
});

test('any key is an ordinary member, written and read', () => {
  fc.assert(
    fc.property(
      hostileKey.filter((key) => !/['$]/.test(key)),
      hostileText,
      (key, v) => {
        const source = { holder: { k: 1 } };
        Object.defineProperty(source.holder, key, { value: v, enumerable: true, configurable: true });
        const template = compileTemplate(
          JSON.parse(`{${JSON.stringify(key)}: ${JSON.stringify(`\${in.holder.'${key}'}`)}}`),
        );
        const rendered = template.render({ in: source });
        expect(Object.keys(rendered as object)).toEqual([key]);
        expect(own(rendered, key)).toBe(v);
        expect(Object.getPrototypeOf(rendered)).toBe(Object.prototype);
      },
    ),
    runs,
  );
});

test('what an object inherits is never read', async () => {
  for (const key of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    for (const text of [`$in.${key}`, `$in.list.${key}`, `$in.text.${key}`]) {
      const template = compileTemplate(text);
      const failure = await failureOf(() => template.render({ in: { list: [], text: 'x' } }));
      expect(failure.code).toBe('TEMPLATE_VALUE_MISSING');
    }
  }
});

test('any text compiles to a template or to a problem, and never throws', () => {
  fc.assert(
    fc.property(fc.oneof(hostileText, hostileJson), (value) => {
      const { problems } = compileTemplate(value, '/p');
      for (const { pointer, message } of problems) {
        expect(pointer.startsWith('/p')).toBe(true);
        expect(message).toMatch(/\.$/);
      }
    }),
    runs,
  );
});

test('deep values pass in their type; as text they pass or fail with a sentence', async () => {
  for (const [depth, key] of [
    [1_000, undefined],
    [1_000, 'a'],
    [200_000, undefined],
    [200_000, '__proto__'],
  ] as const) {
    const v = nested(depth, key);
    expect(compileTemplate('$#in.v').render({ in: { v } })).toBe(v);
    const text = compileTemplate('$in.v');
    if (depth === 1_000) expect(text.render({ in: { v } })).toBe(JSON.stringify(v));
    else expect((await failureOf(() => text.render({ in: { v } }))).code).toBe('EXPRESSION_LIMIT');
  }
  const path = 'a.'.repeat(1_000).slice(0, -1);
  expect(compileTemplate(`$#in.${path}`).render({ in: nested(1_000, 'a') })).toBe(1);
});

test('a deep document compiles and renders, and one that is too deep is a problem', () => {
  const document = (depth: number) => `${'{"a":['.repeat(depth)}"$in.v"${']}'.repeat(depth)}`;
  const rendered = compileTemplate(JSON.parse(document(200))).render({ in: { v: 'x"' } });
  expect(JSON.stringify(rendered)).toBe(document(200).replace('"$in.v"', '"x\\""'));
  expect(compileTemplate(JSON.parse(document(1_000))).problems).toEqual([
    { pointer: '/a/0'.repeat(200), message: expect.stringContaining('deeper than 400 levels') },
  ]);
});

test('numbers are plain decimal and read back as the same number', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      const text = toText(number);
      expect(text).toMatch(/^-?\d+(\.\d+)?$/);
      expect(Number(text)).toBe(number === 0 ? 0 : number);
    }),
    runs,
  );
});
