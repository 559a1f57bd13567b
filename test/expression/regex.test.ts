import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileRegex, quoteRegex, regexCache } from '../../src/expression/regex.ts';
import { failureOf } from '../support/failure-of.ts';
import { hostileText } from './hostile.ts';

describe('the usual syntax means what it means in JavaScript', () => {
  test.each([
    ['^\\d{3}$', '', ['123', '12', '1234', '123\n']],
    ['^\\+\\d{7,15}$', '', ['+4912345', '4912345', '+1']],
    ['[\\w.-]+@[a-z]+\\.[a-z]{2,}', '', ['a.b-c@x.org', 'a@x', '@x.org']],
    ['\\bcat\\b', '', ['a cat.', 'cats']],
    ['^b', 'm', ['a\nb', 'ab']],
    ['a.c', 'u', ['abc', 'a\nc', 'a😀c']],
    ['a.c', 's', ['a\nc']],
    ['STRASSE', 'i', ['strasse', 'x']],
    ['(?:ab|cd){2}', '', ['abcd', 'ab']],
    ['a/b', '', ['a/b']],
    ['a\\/b', '', ['a/b']],
    ['[^,;]+', '', ['a', ',;']],
    ['[\\]\\-]', '', [']', '-', 'a']],
    ['\\$\\(\\)', '', ['$()', '$']],
    ['\\u00e9|\\x41', '', ['é', 'A', 'e']],
    ['\\p{L}', 'u', ['é', '1']],
    ['(a)|b', 'g', ['a', 'b', 'c']],
    ['', '', ['', 'x']],
    ['\\t|\\r|\\n|\\f', '', ['\t', 'x']],
    ['x*?y+?', '', ['xxy', 'x']],
  ])('/%s/%s', (source, flags, texts) => {
    const regex = compileRegex(source, flags);
    const native = new RegExp(source, flags.replace('g', ''));
    for (const text of texts) {
      expect(regex.test(text), text).toBe(native.test(text));
      const expected = native.exec(text);
      const found = regex.find(text);
      expect(found?.groups, text).toEqual(expected === null ? undefined : [...expected]);
      expect(found?.start, text).toBe(expected?.index);
    }
  });

  test('matches are found one after the other, in UTF-16 units', () => {
    const regex = compileRegex('(?<word>[a-z]+)(\\d)?');
    expect(regex.find('😀ab1 cd')).toEqual({ start: 2, end: 5, groups: ['ab1', 'ab', '1'] });
    expect(regex.find('😀ab1 cd', 5)).toEqual({ start: 6, end: 8, groups: ['cd', 'cd', undefined] });
    expect(regex.find('😀ab1 cd', 8)).toBeUndefined();
    expect(regex.find('ab', 3)).toBeUndefined();
  });

  test('testWhole wants all of the text', () => {
    expect(compileRegex('a|ab').testWhole('ab')).toBe(true);
    expect(compileRegex('a').testWhole('ab')).toBe(false);
  });
});

describe('what is wrong is said', () => {
  test.each([
    ['(?=a)', '', 'Lookahead, lookbehind and back references are not supported'],
    ['(?<!a)b', '', 'Lookahead, lookbehind and back references are not supported'],
    ['(a)\\1', '', 'back references are not supported'],
    ['(a', '', 'missing closing'],
    ['[z-a]', '', 'z-a'],
    ['a{1001}', '', '{1001}'],
    ['((a{100}){100}){100}', '', '{100}'],
    ['*', '', 'missing argument'],
    ['a', 'x', '"x" is not a flag'],
    ['a'.repeat(2_001), '', 'at most 2000'],
  ])('/%s/%s', async (source, flags, message) => {
    const failure = await failureOf(() => compileRegex(source, flags));
    expect(failure.code).toBe('REGEX_INVALID');
    expect(failure.message).toContain(message);
    expect(failure.message).toMatch(/\.$/);
  });

  test('a search with positions that would take too long is refused', async () => {
    const regex = compileRegex('(a{1,30}){1,30}[bc]');
    const text = `${'a'.repeat(1 << 20)}b`;
    expect(regex.test(text)).toBe(true);
    expect((await failureOf(() => regex.find(text))).code).toBe('EXPRESSION_LIMIT');
  });
});

test('a quoted text matches itself and nothing else', () => {
  fc.assert(
    fc.property(
      hostileText.filter((text) => text.length < 500 && text.isWellFormed()),
      (text) => {
        const regex = compileRegex(`^${quoteRegex(text)}$`);
        expect(regex.test(text)).toBe(true);
        expect(regex.test(`${text}x`)).toBe(false);
      },
    ),
  );
});

test('a cache gives the same pattern again, and not that with other flags', () => {
  const compile = regexCache();
  const first = compile('a');
  expect(compile('a')).toBe(first);
  expect(compile('a', 'i').test('A')).toBe(true);
  for (let index = 0; index < 100; index += 1) compile(`b${index}`);
  expect(compile('a')).not.toBe(first);
});
