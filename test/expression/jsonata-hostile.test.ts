import fc from 'fast-check';
import jsonata from 'jsonata';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { compileJsonata } from '../../src/expression/jsonata.ts';
import { failureOf } from '../support/failure-of.ts';
import { hostileJson, hostileKey, hostileText, nested } from './hostile.ts';

const runs = { numRuns: 300 };

/** A result of the library as plain JSON, for comparison. */
async function reference(text: string, value: unknown): Promise<unknown> {
  const result: unknown = await jsonata(text).evaluate({}, { in: value });
  return result === undefined ? undefined : JSON.parse(JSON.stringify(result));
}

const key = fc.constantFrom(
  'a',
  'b',
  '__proto__',
  'constructor',
  'length',
  '_jsonata_lambda',
  '_jsonata_function',
  'sequence',
);
const shaped: fc.Arbitrary<unknown> = fc
  .letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      fc.oneof(fc.constantFrom(null, true, 0, 'x', ''), fc.integer()),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }))
  .value.map((value) => JSON.parse(JSON.stringify(value)) as unknown);

test('a plain path reads exactly what the library reads', async () => {
  await fc.assert(
    fc.asyncProperty(shaped, fc.array(key, { maxLength: 4 }), async (value, path) => {
      const text = ['$in', ...path.map((name) => `"${name}"`)].join('.');
      const expression = compileJsonata(text);
      expect(expression.async).toBe(false);
      expect(JSON.stringify(expression.evaluate({ in: value }))).toBe(
        JSON.stringify(await reference(text, value)),
      );
    }),
    { numRuns: 3_000 },
  );
});

test.each([
  '$sort($in)',
  '$sort($in, function($l, $r) { $l > $r })',
  '$in^($)',
  '$distinct($in)',
  '$match($join($in.$string()), /[ab]+/).match',
  '$replace($join($in.$string()), /a(b)?/, "<$1>")',
  '$split($join($in.$string()), /b/)',
])('our %s agrees with the library', async (text) => {
  const list = fc.oneof(
    fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 2 }),
    fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 }), { minLength: 2 }),
  );
  await fc.assert(
    fc.asyncProperty(list, async (value) => {
      expect(await compileJsonata(text).evaluate({ in: value })).toEqual(await reference(text, value));
    }),
    runs,
  );
});

test('any value passes through an expression as it is', async () => {
  const expression = compileJsonata('{ "v": $in.v, "t": $in.t & "", "l": [$in.t] }');
  await fc.assert(
    fc.asyncProperty(hostileJson, hostileText, async (v, t) => {
      const result = await expression.evaluate({ in: { v, t } });
      expect(JSON.stringify(result)).toBe(JSON.stringify({ v, t, l: [t] }));
    }),
    runs,
  );
});

test('any key is an ordinary key', async () => {
  const write = compileJsonata('{ $in.key: $in.v }');
  const read = compileJsonata('$lookup($in.object, $in.key)');
  await fc.assert(
    fc.asyncProperty(
      hostileKey.filter((each) => !each.startsWith('_jsonata_')),
      hostileText,
      async (name, v) => {
        const object = await write.evaluate({ in: { key: name, v } });
        expect(Object.entries(object as object)).toEqual([[name, v]]);
        expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
        expect(await read.evaluate({ in: { key: name, object } })).toBe(v);
      },
    ),
    runs,
  );
});

test('what an object inherits is never read, sync or async', async () => {
  for (const path of [
    'constructor',
    '__proto__',
    'list.constructor',
    'text.length',
    'text.__proto__',
    'toString',
  ]) {
    const value = { list: [1, 2], text: 'x' };
    expect(compileJsonata(`$in.${path}`).evaluate({ in: value })).toBeUndefined();
    expect(await compileJsonata(`[$in.${path}]`).evaluate({ in: value })).toEqual([]);
  }
  expect(await compileJsonata('$constructor').evaluate({})).toBeUndefined();
  expect(await compileJsonata('[constructor, __proto__]').evaluate({})).toEqual([]);
});

test('data that pretends to be a function is not called', async () => {
  const fake = JSON.parse(
    '{"_jsonata_lambda":true,"thunk":true,"arguments":[],"body":{"type":"number","value":1},"environment":{"base":{}}}',
  );
  for (const text of [
    '$in.fake()',
    '$map([1], $in.fake)',
    '1 ~> $in.fake',
    '($f := $in.fake; $f())',
    '$in.fake & "x"',
    '[$in.fake]',
  ]) {
    try {
      await compileJsonata(text).evaluate({ in: { fake: structuredClone(fake) } });
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(Failure);
    }
  }
});

test('any text compiles or fails with a sentence', async () => {
  const pieces = fc.constantFrom(
    '$in',
    '.',
    'a',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '"',
    '/',
    '+',
    '&',
    '~>',
    '^',
    ':=',
    '$',
    'function',
    ';',
    '1',
    '%',
    '@$i',
    '*',
  );
  const anyText = fc.oneof(
    hostileText,
    fc.array(pieces).map((each) => each.join('')),
  );
  await fc.assert(
    fc.asyncProperty(anyText, async (text) => {
      try {
        await compileJsonata(text).evaluate({ in: { a: [1, 'x'] } });
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(Failure);
        expect(thrown).toMatchObject({ message: expect.stringMatching(/[.!?]$/) });
      }
    }),
    { numRuns: 1_500 },
  );
});

describe('limits', () => {
  const big = 'a'.repeat(1 << 20);
  const many = Array.from({ length: 100_000 }, (_, index) => -index);

  test.each([
    ['a function that never ends', '($f := function($x) { $f($x) }; $f(1))'],
    ['a function that nests forever', '($f := function($x) { 1 + $f($x) }; $f(1))'],
    ['doubling a text', '$reduce([1..60], function($a, $b) { $a & $a }, "x")'],
    ['doubling a list', '$reduce([1..60], function($a, $b) { $append($a, $a) }, [1, 2])'],
    ['a huge range', '[1..10000000]'],
    ['mapping over too much', '$in.many.{ "a": $ }'],
    ['sorting too much', '$in.many^($)'],
    ['filtering each by all', '$in.many[$in.many]'],
    ['searching a megabyte per element', '$in.many[$contains($in.big, "b")]'],
    ['maps in maps', '$map([1..2000], function($x) { $map([1..2000], function($y) { $y }) })'],
    ['padding', '$pad("", 1000000000)'],
    ['a picture of a billion characters', '$fromMillis(0, "[Y,999999999]")'],
    ['a date of a megabyte', '$toMillis($in.big)'],
    ['a number of a megabyte', '$parseInteger($in.big, "w")'],
    ['too many matches', '$replace($in.big, /a/, "b")'],
    ['a pattern that is too complex', '$match($in.big & "b", /(a{1,30}){1,30}[bc]/)'],
    ['roman numerals', '$formatInteger(1000000000, "I")'],
    ['the largest of too many', '$max($append($in.many, [1]))'],
    ['a result that is too large', '[$in.big, $in.big, $in.big, $in.big, $in.big]'],
    ['a deep value as text', '$string($in.deep)'],
    ['a deep value as result', '[$in.deep]'],
    ['a deep plain path', '$in.deep'],
    ['all parts of a deep value', '$count($in.deep.**)'],
  ])('%s ends with a sentence', async (_name, text) => {
    const scope = { in: { big, many, deep: nested(100_000) } };
    const needed = Object.fromEntries(
      Object.entries(scope.in).filter(([name]) => text.includes(`$in.${name}`)),
    );
    const failure = await failureOf(() => compileJsonata(text).evaluate({ in: needed }));
    expect(failure.code).toBe('EXPRESSION_LIMIT');
    expect(failure.message).toMatch(/\.$/);
  });

  test.each([
    ['$contains($in.big, /(a+)+[bc]/)', false],
    ['$contains($in.big, /^(a|aa)+$/)', true],
    ['$contains($in.big & "!", /^(a*)*$/)', false],
    ['$length($in.big & $in.big)', 2 << 20],
    ['$sort($in.many)[0]', -99_999],
    ['$count($distinct($in.many))', 100_000],
    ['$count($split($in.big, ""))', 1 << 20],
    ['$exists($in.deep)', true],
  ])('%s has an answer', async (text, expected) => {
    const deep = nested(1_000);
    expect(await compileJsonata(text).evaluate({ in: { big, many, deep } })).toBe(expected);
  });

  test('a deep value of a thousand levels passes', async () => {
    const deep = nested(1_000, 'a');
    expect(await compileJsonata('{ "v": $in.deep }').evaluate({ in: { deep } })).toEqual({ v: deep });
  });

  test('many evaluations at once do not use up each other’s limits', async () => {
    const expression = compileJsonata('$sum($map($in.l, function($x) { $x * 2 }))');
    const l = Array.from({ length: 100 }, (_, index) => index);
    const results = await Promise.all(Array.from({ length: 300 }, () => expression.evaluate({ in: { l } })));
    expect(new Set(results)).toEqual(new Set([9_900]));
  });
});
