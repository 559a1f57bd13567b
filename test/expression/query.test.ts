import { describe, expect, test } from 'vitest';
import { compileQuery } from '../../src/expression/query.ts';
import { failureOf } from '../support/failure-of.ts';

const scope = {
  in: {
    status: 'ok',
    code: 500,
    text: '500',
    zero: 0,
    yes: true,
    no: false,
    nothing: null,
    list: ['a', 2, 'true'],
    object: { a: 1 },
    phone: '+4912345',
    quote: "it's",
    pattern: '^\\+49',
    bytes: Buffer.from('né'),
    dollar: 'US$ 5',
    date: '2026-03-01',
    headers: { 'x-id': 'h1' },
  },
  error: { code: 0 },
};

const holds = (query: string) => compileQuery(query).test(scope);

describe('true', () => {
  test.each([
    // equality
    "$in.status = 'ok'",
    '$in.status = "ok"',
    "'ok' = $in.status",
    "'$in.status' = 'ok'",
    "'<$in.status>' = '<ok>'",
    '"id-$in.status-${in.code}" = "id-ok-500"',
    "$in.status != 'no'",
    '$in.code = 500',
    "$in.code = '500'",
    "$in.code = '500.0'",
    '$in.text = 500',
    "$in.text != '500.0'",
    '$in.code = $in.text',
    '$#in.code = 500',
    "${in.headers.'x-id'} = 'h1'",
    "$in.list.%0 = 'a'",
    '$in.yes = true',
    "$in.yes = 'true'",
    '$in.no != true',
    '$in.nothing = null',
    '$in.status != null',
    '$in.yes != 1',
    '$in.object != $in.object',
    '$in.list != $in.list',
    "$in.bytes = 'né'",
    "$in.quote = 'it\\'s'",
    '$in.quote = "it\'s"',
    "'a\\\\b' = 'a\\\\b'",
    "$in.dollar = 'US\\$ 5'",
    "$in.dollar = 'US$ 5'",
    // order
    '$in.code > 499',
    '$in.code >= 500',
    '$in.code < 500.5',
    '$in.code <= 500',
    '$in.text > 9',
    "'10' < '9'",
    "$in.date >= '2026-01-01'",
    '1 < 2',
    '-1 < 0',
    '.5 < 1e0',
    // regular expressions
    "$in.phone ~= '^\\+49\\d+$'",
    '$in.phone ~= "\\d{5}"',
    '$in.phone ~= $in.pattern',
    "$in.phone ~= '^\\+4[9]'",
    "$in.code ~= '^5'",
    "$in.dollar ~= '^US\\$ \\d$'",
    "$in.dollar ~= '[$]'",
    "'a.c' ~= '^${in.dot?}$' || true",
    "'<ok>' ~= '<$in.status>'",
    "$in.status !~= '^x'",
    "'a/b' ~= 'a/b'",
    // is, isnot, contains
    '$in.status is defined',
    '$in.nothing is defined',
    '$in.nope isnot defined',
    "'$in.nope' isnot defined",
    '$in.nothing is null',
    '$in.nope is null',
    '$in.status isnot null',
    '$in.yes is true',
    "$in.yes isnot 'true'",
    '$in.code is 500',
    "$in.code isnot '500'",
    "$in.status contains 'k'",
    "$in.list contains 'a'",
    "$in.list contains '2'",
    '$in.list contains 2',
    '$in.code contains 0',
    "'$in.status!' contains '!'",
    // missing values
    "${in.nope?} != 'x'",
    "${in.nope?} !~= '.'",
    '${in.nope?} != ${in.nope?}',
    '${in.nope?} != 1',
    "'${in.nope?}${in.nope?}' = ''",
    // arithmetic
    '1 + 2 * 3 = 7',
    '(1 + 2) * 3 = 9',
    '10 - 2 - 3 = 5',
    '2 ^ 3 ^ 2 = 512',
    '-2 ^ 2 = -4',
    '2 ^ -1 = 0.5',
    '2 - -1 = 3',
    '- - 1 = 1',
    '7 % 4 = 3',
    '$in.code % 7 = 3',
    '$in.text / 2 + 1 = 251',
    '$in.code - 1 = 499',
    '$in.code -1 = 499',
    '$in.nope + 1 isnot defined',
    '$in.nothing * 2 is null',
    // logic
    'true',
    '$in.yes',
    '($in.yes)',
    "'$in.yes'",
    'false || true',
    'true && true',
    'true || false && false',
    "$in.status = 'ok' && $in.code > 1 || false",
    "($in.status = 'x' || $in.yes) && $in.code = 500",
    "  $in.status\n=\t'ok'  ",
    "$in.status='ok'&&$in.code=500",
  ])('%s', (query) => expect(holds(query)).toBe(true));
});

describe('false', () => {
  test.each([
    "$in.status = 'OK'",
    "${in.nope?} = 'x'",
    '${in.nope?} = ${in.nope?}',
    '${in.nope?} = null',
    '${in.nope?} > 0',
    '${in.nope?} <= 0',
    "${in.nope?} ~= '.*'",
    "${in.nope?} contains 'x'",
    '$in.status ~= ${in.nope?}',
    '$in.status ~= $in.object',
    '$in.object ~= $in.pattern',
    "$in.status ~= '^$in.dollar'",
    '$in.nothing = 0',
    '$in.nothing < 1',
    "$in.nothing = ''",
    "$in.zero = ''",
    "'' = 0",
    '$in.status = 0',
    '$in.yes > $in.no',
    '$in.object = $in.object',
    "$in.object contains 'a'",
    "$in.list contains 'b'",
    "$in.list = 'a'",
    "$in.status is 'OK'",
    '$in.nope is defined',
    '$in.status is null',
    '$in.nope isnot null',
    '${in.nope?}',
    '$in.code',
    '$in.status',
    '${in.nope?} && true',
    '${in.nope?} || $in.no',
    'false && ${in.nope?} / 0 = 1',
    "$in.text = '500.0'",
    "'a.c' ~= '^$in.status$'",
  ])('%s', (query) => expect(holds(query)).toBe(false));
});

describe('a missing value is an error', () => {
  test.each([
    "$in.nope = 'x'",
    "'x' = $in.nope",
    "$in.nope != 'x'",
    '$in.nope > 0',
    "$in.nope ~= '.*'",
    "$in.nope !~= '.'",
    '$in.status ~= $in.nope',
    "$in.status ~= 'a$in.nope'",
    "$in.nope contains 'x'",
    "'$in.nope' = 'x'",
    "'<$in.nope>' is null",
    '$in.nope + 1 > 0',
    '$in.nope',
    '$in.nope && true',
    "$in.status = 'ok' && $in.nope = 1",
    "$in.nope.deeper.still = 'x'",
  ])('%s', async (query) => {
    expect((await failureOf(() => holds(query))).code).toBe('TEMPLATE_VALUE_MISSING');
  });

  test.each([
    '$in.nope is defined && $in.nope = 1',
    "$in.status = 'no' && $in.nope = 1",
    '$in.nope isnot null',
    '$in.nope is $in.status',
  ])('but not where it is asked for, or not read: %s', (query) => expect(holds(query)).toBe(false));
});

test('a value in a quoted pattern is matched literally', () => {
  const query = compileQuery("$in.text ~= '^id-${in.id?}$'");
  expect(query.test({ in: { text: 'id-a.c', id: 'a.c' } })).toBe(true);
  expect(query.test({ in: { text: 'id-abc', id: 'a.c' } })).toBe(false);
  expect(query.test({ in: { text: 'id-x', id: '.*' } })).toBe(false);
  expect(query.test({ in: { text: 'id-' } })).toBe(true);
});

describe('mistakes name the column and what was expected', () => {
  test.each([
    ['', 'Column 1', 'a value is expected'],
    ['   ', 'Column 4', 'the end of the query'],
    ['$in.a =', 'Column 8', 'a value is expected'],
    ['$in.a = = 1', 'Column 9', '"=" stands here'],
    ['$in.a == 1', 'Column 7', 'write "="'],
    ['$in.a === 1', 'Column 7', 'write "="'],
    ['$in.a <> 1', 'Column 7', 'write "!="'],
    ["$in.a =~ 'x'", 'Column 7', 'write "~="'],
    ['$in.a = 1 and true', 'Column 11', 'write "&&"'],
    ['$in.a = 1 OR true', 'Column 11', 'write "||"'],
    ['$in.a = 1 & true', 'Column 11', 'write "&&"'],
    ['$in.a = 1 | true', 'Column 11', 'write "||"'],
    ['!$in.a', 'Column 1', '"isnot"'],
    ['not $in.a', 'Column 1', '"isnot"'],
    ['$in.a IS null', 'Column 7', 'is written "is"'],
    ['$in.a = ok', 'Column 9', "a text is written 'ok'"],
    ["$in.a = 'x", 'Column 9', 'no closing'],
    ["$in.a = 'x\\'", 'Column 9', 'no closing'],
    ['($in.a = 1', 'Column 11', '")" or an operator is expected'],
    ['$in.a = 1)', 'Column 10', 'an operator or the end is expected'],
    ["$in.a 'x'", 'Column 7', 'an operator or the end'],
    ['$in.a = 1 = 2', 'Column 11', 'cannot be chained'],
    ['1 < $in.a < 3', 'Column 11', 'cannot be chained'],
    ['defined', 'Column 1', 'only after "is"'],
    ['$in.a = defined', 'Column 9', 'only after "is"'],
    ['$foo.a = 1', 'Column 1', '$foo does not start with a keyword'],
    ['$ = 1', 'Column 1', 'does not start with a keyword'],
    ['$in. = 1', 'Column 4', 'a member name is missing'],
    ['${in.a b} = 1', 'Column 1', 'is not a path'],
    ["$in.a = '${in.a'", 'Column 9', 'no closing brace'],
    ["$in.a = 'x$#in.a'", 'Column 9', 'must be the whole string'],
    ['5', 'Column 1', 'a condition is expected'],
    ["'ok'", 'Column 1', 'a condition is expected'],
    ['$in.a + 1', 'Column 1', 'a condition is expected'],
    ['true && 5', 'Column 9', 'a condition is expected'],
    ["'x' || true", 'Column 1', 'a condition is expected'],
    ['$in.a = #', 'Column 9', '"#" has no meaning'],
    ['$in.a = 😀', 'Column 9', '"😀" has no meaning'],
    [`${'('.repeat(101)}true${')'.repeat(101)}`, 'Column 102', 'deeper than 100'],
    [`${'- '.repeat(101)}1 = 1`, 'Column', 'deeper than 100'],
    [`${'2 ^ '.repeat(101)}1 = 1`, 'Column', 'deeper than 100'],
    [`$in.a = '${'x'.repeat(10_000)}'`, 'Column 10001', 'at most 10000'],
  ])('%s', async (query, column, expected) => {
    const failure = await failureOf(() => compileQuery(query));
    expect(failure.code).toBe('QUERY_SYNTAX');
    expect(failure.message).toContain(column);
    expect(failure.message).toContain(expected);
    expect(failure.message).toMatch(/\.$/);
  });

  test.each(["$in.a ~= '('", "$in.a ~= '(?=x)'", "$in.a ~= '[$in.a'", "$in.a ~= '$in.a('"])(
    'a wrong pattern is found when compiling: %s',
    async (query) => {
      expect((await failureOf(() => compileQuery(query))).code).toBe('REGEX_INVALID');
    },
  );

  test.each([
    ['1 / $in.zero = 1', 'QUERY_FAILED', 'divides by zero'],
    ['1 % 0 = 1', 'QUERY_FAILED', 'divides by zero'],
    ['$in.status + 1 > 0', 'QUERY_FAILED', 'on its left is not one'],
    ['1 + $in.object > 0', 'QUERY_FAILED', 'on its right is not one'],
    ['10 ^ 400 > 0', 'QUERY_FAILED', 'no number'],
    ['-1 ^ 1 + (0 - 1) ^ 0.5 > 0', 'QUERY_FAILED', 'no number'],
    ['$in.status ~= $in.broken', 'REGEX_INVALID', 'missing closing'],
  ])('while running: %s', async (query, code, message) => {
    const failure = await failureOf(() => compileQuery(query).test({ in: { ...scope.in, broken: '(' } }));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(message);
  });
});

test('references tell bare templates from those in quotes', () => {
  const { references } = compileQuery("$in.a = 'x$sender.b' && $#error.code ~= '^${origin.c?}'", '/q');
  expect(references).toEqual([
    { keyword: 'in', path: ['a'], text: '$in.a', pointer: '/q', typed: true, optional: false },
    { keyword: 'sender', path: ['b'], text: '$sender.b', pointer: '/q', typed: false, optional: false },
    { keyword: 'error', path: ['code'], text: '$error.code', pointer: '/q', typed: true, optional: false },
    { keyword: 'origin', path: ['c'], text: '$origin.c', pointer: '/q', typed: false, optional: true },
  ]);
});
