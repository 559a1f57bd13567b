import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { compileQuery } from '../../src/expression/query.ts';
import { hostileJson, hostileText, nested } from './hostile.ts';

const runs = { numRuns: 300 };

test('no text in the data changes what a query means', () => {
  const equal = compileQuery("$in.v = $in.w && '$in.v' = $in.w && 'a${in.v}b' = 'a${in.w}b'");
  const other = compileQuery("$in.v = 'the secret' || '$in.v' = 'the secret' || $in.v is true");
  fc.assert(
    fc.property(hostileText, (v) => {
      expect(equal.test({ in: { v, w: v } })).toBe(true);
      expect(equal.test({ in: { v, w: `${v}x` } })).toBe(false);
      expect(other.test({ in: { v } })).toBe(false);
    }),
    runs,
  );
});

test('a text is found in a text by contains and by a quoted pattern', () => {
  const contains = compileQuery('$in.text contains $in.part');
  const pattern = compileQuery("$in.text ~= '$in.part'");
  // Patterns have a limit of their own, and match code points, so that half of a pair is no match.
  const part = hostileText.filter((text) => text.length < 200 && text.isWellFormed());
  fc.assert(
    fc.property(part, part, part, (before, text, after) => {
      const scope = { in: { text: before + text + after, part: text } };
      expect(contains.test(scope)).toBe(true);
      expect(pattern.test(scope)).toBe(true);
    }),
    runs,
  );
});

const operators = ['=', '!=', '>', '<', '>=', '<=', 'is', 'isnot', 'contains'];

test('any values can be compared, and a negation is the opposite', () => {
  const queries = new Map(operators.map((sign) => [sign, compileQuery(`$in.a ${sign} $in.b`)]));
  fc.assert(
    fc.property(hostileJson, hostileJson, (a, b) => {
      const answers = Object.fromEntries(
        [...queries].map(([sign, query]) => [sign, query.test({ in: { a, b } })]),
      );
      expect(answers['!=']).toBe(!answers['=']);
      expect(answers.isnot).toBe(!answers.is);
      expect([answers['>'], answers['<=']]).not.toEqual([true, true]);
      expect([answers['<'], answers['>=']]).not.toEqual([true, true]);
    }),
    runs,
  );
});

test('any text compiles or fails with a sentence', () => {
  const pieces = fc.constantFrom(
    '$in.a',
    "'",
    '"',
    '(',
    ')',
    '=',
    '&&',
    '||',
    '~=',
    ' ',
    '1',
    'is',
    'null',
    '-',
    '^',
    '\\',
    '{',
    '}',
  );
  const query = fc.oneof(
    hostileText,
    fc.array(pieces).map((each) => each.join(' ')),
  );
  fc.assert(
    fc.property(query, (text) => {
      try {
        expect(typeof compileQuery(text).test({ in: { a: 1 } })).toBe('boolean');
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(Failure);
        expect(thrown).toMatchObject({
          code: expect.stringMatching(/^(QUERY|REGEX)_|^TEMPLATE_VALUE_MISSING$/),
          message: expect.stringMatching(/\.$/),
        });
      }
    }),
    { numRuns: 1_000 },
  );
});

test('what an object inherits is missing', () => {
  for (const path of ['constructor', '__proto__', 'toString.length', 'list.map', 'text.at']) {
    expect(compileQuery(`$in.${path} is defined`).test({ in: { list: [], text: 'x' } })).toBe(false);
  }
});

test('long chains and deep values are no problem', () => {
  expect(compileQuery(`${'1 + '.repeat(2_400)}1 = 2401`).test({})).toBe(true);
  expect(compileQuery(`${'true && '.repeat(1_200)}true`).test({})).toBe(true);
  expect(compileQuery(`${'('.repeat(99)}true${')'.repeat(99)}`).test({})).toBe(true);
  const v = nested(200_000);
  expect(
    compileQuery("$in.v = 'x' || $in.v contains 'x' || $in.v > 1 || $in.v ~= 'x'").test({ in: { v } }),
  ).toBe(false);
});

test('catastrophic patterns and megabytes have an answer', () => {
  const text = 'a'.repeat(1 << 20);
  for (const pattern of [
    '(a+)+$',
    '(a|aa)+$',
    '([a-z]+)*[!?]$',
    '(.*)*[!?]',
    '(a{1,30}){1,30}[bc]',
    '^(\\w+\\s?)*$',
  ]) {
    const query = compileQuery('$in.text ~= $in.pattern');
    expect(query.test({ in: { text: `${text}!`, pattern: `${pattern}x` } })).toBe(false);
  }
  expect(compileQuery("$in.text ~= '^(a+)+$'").test({ in: { text } })).toBe(true);
});
