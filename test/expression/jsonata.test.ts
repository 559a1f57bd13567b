import { describe, expect, test } from 'vitest';
import { compileJsonata } from '../../src/expression/jsonata.ts';
import { failureOf } from '../support/failure-of.ts';

const scope = {
  now: '2026-03-01T10:00:00Z',
  in: {
    a: { b: 1 },
    items: [
      { id: 1, name: 'x', tags: ['p'] },
      { id: 2, name: 'y', tags: ['q', 'r'] },
    ],
    body: Buffer.from('{"x":"é"}'),
    rows: [{ at: new Date('2026-01-01T00:00:00Z'), raw: Buffer.from('é'), count: 12n }],
    secret: 's3cr3t',
    nothing: null,
  },
  origin: Object.freeze({ list: Object.freeze([Object.freeze({ x: 1 })]) }),
  error: { code: 500, message: 'no' },
};

const evaluate = (text: string, extra?: Readonly<Record<string, unknown>>) =>
  compileJsonata(text).evaluate(scope, extra);

describe('values', () => {
  test.each([
    ['$in.a.b', 1],
    ['$in.items.name', ['x', 'y']],
    ['$in.items.tags', ['p', 'q', 'r']],
    ['$in.items[id=2].name', 'y'],
    ['$in.items[-1].id', 2],
    ['$sum($in.items.id) * 10', 30],
    ['$uppercase($in.items[0].name) & "!"', 'X!'],
    ['{ "ids": $in.items.id, "none": $in.nope, "null": null }', { ids: [1, 2], null: null }],
    ['$in.items^(>id).name', ['y', 'x']],
    ['$in.items{ name: id }', { x: 1, y: 2 }],
    ['$sort($in.items, function($l, $r) { $l.id < $r.id }).id', [2, 1]],
    ['$sort(["b", "a", "c"])', ['a', 'b', 'c']],
    ['$sort([10, 9, 1])', [1, 9, 10]],
    ['$distinct([1, "1", 1, {"a": 1, "b": [2]}, {"b": [2], "a": 1}])', [1, '1', { a: 1, b: [2] }]],
    ['$distinct([1, 1])', [1]],
    ['$pad("a", -3, "0")', '00a'],
    ['$in.nope', undefined],
    ['$in.items[id=9]', undefined],
    ['$in.nothing', null],
    ['in.a.b', 1],
    ['$.in.a.b', 1],
    ['$$.error.code', 500],
    ['$exists(template)', false],
    ['$keys($)', ['in', 'origin', 'error', 'now']],
    ['$error.code', 500],
    ['$now', '2026-03-01T10:00:00Z'],
    ['$now()', '2026-03-01T10:00:00.000Z'],
    ['$now("[D01].[M01].[Y0001]")', '01.03.2026'],
    ['$millis()', 1_772_359_200_000],
    ['$toMillis($now) = $millis()', true],
    ['$toMillis("12:00", "[H]:[m]")', Date.parse('2026-03-01T12:00:00Z')],
    ['$fromMillis(0)', '1970-01-01T00:00:00.000Z'],
    ['$parseInteger("twelve", "w")', 12],
    ['($now := 5; $now)', 5],
    ['($now := function($x) { $x }; $now(4))', 4],
    ['$in.body', '{"x":"é"}'],
    ['$length($in.body)', 9],
    ['$in.rows', [{ at: '2026-01-01T00:00:00.000Z', raw: 'é', count: 12 }]],
    ['$in.rows.raw & "!"', 'é!'],
    ['$origin.list[].x', [1]],
    ['$match("a1b22", /(\\d)+/).match', ['1', '22']],
    ['$match("b", /(a)?b/).groups', [null]],
    ['$replace("a-b-c", /-(\\w)/, "[$1]")', 'a[b][c]'],
    ['$split("a1b2c", /\\d/)', ['a', 'b', 'c']],
    ['$contains("ABC", /b/i)', true],
    ['1', 1],
    ['"x"', 'x'],
    ['null', null],
    ['true', true],
    ['[]', []],
  ])('%s', async (text, expected) => {
    expect(await evaluate(text)).toStrictEqual(expected);
  });

  test('extra variables are there, and go before keywords', async () => {
    const extra = { status: 200, body: { ok: [true] }, in: 'mine' };
    expect(await evaluate('$status = 200 and $body.ok', extra)).toBe(true);
    expect(evaluate('$body.ok', extra)).toEqual([true]);
    expect(evaluate('$in', extra)).toBe('mine');
    expect(await evaluate('$in & "!"', extra)).toBe('mine!');
    expect(await evaluate('$status')).toBeUndefined();
  });

  test('an expression is evaluated again for each scope, at the same time too', async () => {
    const expression = compileJsonata('$in.n + $sum($in.list)');
    const results = await Promise.all([1, 2, 3].map((n) => expression.evaluate({ in: { n, list: [n, n] } })));
    expect(results).toEqual([3, 6, 9]);
  });

  test('nothing in the scope is changed', async () => {
    const before = structuredClone(scope.in.items);
    await evaluate('$in ~> |$in.items|{"id": 0}, ["name"]|');
    await evaluate('$in.items ~> |$|{"id": 0}|');
    await evaluate('$in.items[]');
    await evaluate('$in.items^(<id)');
    expect(scope.in.items).toStrictEqual(before);
  });
});

describe('what needs no waiting', () => {
  test.each(['$in', '$in.a.b', '$now', '$in."x-id".`y z`', '1', '"x"', 'null', '-1'])('%s', (text) => {
    const expression = compileJsonata(text);
    expect(expression.async).toBe(false);
    expect(expression.evaluate(scope)).not.toBeInstanceOf(Promise);
  });

  test.each(['$in.a + 1', '$in.items[0]', '$in.*', '$in.items[]', '$now()', '$status', 'in.a'])(
    'not %s',
    (text) => {
      expect(compileJsonata(text).async).toBe(true);
    },
  );
});

describe('references', () => {
  test.each([
    ['$in.a.b', ['$in.a.b']],
    ['$in', ['$in']],
    ['$in.items[id=$sender.x].name', ['$sender.x', '$in.items']],
    ['$map($in.items, function($message) { $message.id & $profile.name })', ['$in.items', '$profile.name']],
    ['($template := 1; $template & $in.a)', ['$in.a']],
    ['$in.items@$channel.{ "a": $channel.id }', ['$in.items']],
    ['in.a.b & $$.sender.token & $.error.code', ['in.a.b', 'sender.token', 'error.code']],
    ['$in.items.(template & $template.text)', ['$in.items', '$template.text']],
    ['$error("x" & $error.message)', ['$error.message']],
    ['$now()', []],
    ['{ "a": [$in.x, $in.y ? $in.z : $now] }', ['$in.x', '$in.y', '$in.z', '$now']],
    ['$in.a ~> $uppercase() ~> $contains($profile.name)', ['$in.a', '$profile.name']],
  ])('%s', (text, expected) => {
    const { references } = compileJsonata(text, '/p');
    expect(references.map((reference) => reference.text).toSorted()).toEqual(expected.toSorted());
    for (const reference of references)
      expect(reference).toMatchObject({ pointer: '/p', typed: true, optional: true });
  });

  test('a reference knows its keyword and path', () => {
    expect(compileJsonata('$in."x-id".b', '/p').references).toEqual([
      { keyword: 'in', path: ['x-id', 'b'], text: '$in.x-id.b', pointer: '/p', typed: true, optional: true },
    ]);
  });
});

describe('mistakes', () => {
  test.each([
    ['$in.', 'JSONATA_SYNTAX', 'Line 1, column 4'],
    ['1 +\n  $in. & "x"', 'JSONATA_SYNTAX', 'Line 2'],
    ['', 'JSONATA_SYNTAX', 'Unexpected end of expression'],
    ['$in.a[', 'JSONATA_SYNTAX', 'Expected "]"'],
    ['"abc', 'JSONATA_SYNTAX', 'quote'],
    ['$f(', 'JSONATA_SYNTAX', 'column'],
    ['/(?=a)/', 'REGEX_INVALID', 'Lookahead'],
    ['$match("a", /(a)\\1/)', 'REGEX_INVALID', 'back references'],
    ['$eval("1")', 'JSONATA_SYNTAX', '$eval cannot be used'],
    ['["1"].$eval($)', 'JSONATA_SYNTAX', '$eval cannot be used'],
    ['$map(["1"], $eval)', 'JSONATA_SYNTAX', '$eval cannot be used'],
    [`${'('.repeat(4_900)}1${')'.repeat(4_900)}`, 'JSONATA_SYNTAX', 'nested too deeply'],
    [`"${'x'.repeat(10_000)}"`, 'JSONATA_SYNTAX', 'at most 10000'],
  ])('compiling %s', async (text, code, message) => {
    const failure = await failureOf(() => compileJsonata(text));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(message);
    expect(failure.message).toMatch(/\.$/);
  });

  test.each([
    ['$in.a + 1', 'left side of the "+" operator'],
    ['$nope(1)', 'non-function'],
    ['$error("because " & $error.code)', 'because 500'],
    ['$assert(false, "never")', 'never'],
    ['function() { 1 }', 'contains a function'],
    ['{ "a": [$sum] }', 'contains a function'],
    ['$in.a ~> $error', 'must be a function'],
    ['$number($in.secret)', 'Unable to cast value to a number'],
    ['[$in.secret, 1]^($)', 'Type mismatch when comparing'],
    ['{ $in.secret: 1, "s3cr3t": 2 }', 'same key'],
    ['$sort([{"a": 1}, {"a": 2}])', 'give it a function'],
    ['$sqrt(-1)', 'sqrt'],
  ])('evaluating %s', async (text, message) => {
    const failure = await failureOf(() => evaluate(text));
    expect(failure.code).toBe('JSONATA_FAILED');
    expect(failure.message).toContain(message);
    expect(failure.message).not.toContain('s3cr3t');
    expect(failure.message + JSON.stringify(failure.details)).not.toContain('s3cr3t');
  });
});
