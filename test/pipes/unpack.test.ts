import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { own } from '../../src/json.ts';
import { parseForm, parseJson, parseNdjson } from '../../src/pipes/body-parse.ts';
import { jsonFaultAt } from '../../src/pipes/json-fault.ts';
import { failureOf } from '../support/failure-of.ts';
import { runExample } from '../support/run-example.ts';

async function unpacked(type: string, body: unknown): Promise<unknown> {
  const played = await runExample('unpack', {
    name: '',
    params: { type },
    in: { body },
    expect: { exit: 'success' },
  });
  const failure = played.outcome.trail[0]?.failure;
  if (failure !== undefined) throw failure;
  return played.in.data;
}

describe('bytes and text', () => {
  test('a byte order mark is no part of the text', async () => {
    expect(await unpacked('JSON', Buffer.from('\uFEFF{"a":1}'))).toEqual({ a: 1 });
    expect(await unpacked('JSON', '\uFEFF[1]')).toEqual([1]);
    expect(await unpacked('CSV', Buffer.from('\uFEFFid\n1\n'))).toEqual([{ id: '1' }]);
    expect(await unpacked('XML', Buffer.from('\uFEFF<a>1</a>'))).toEqual({ a: '1' });
  });

  test('XML in the encoding it declares', async () => {
    const head = Buffer.from('<?xml version="1.0" encoding="windows-1251"?><a>');
    const body = Buffer.concat([head, Buffer.from([0xcf, 0xf0, 0xe8]), Buffer.from('</a>')]);
    expect(await unpacked('XML', body)).toEqual({ a: 'При' });
    const unknown = Buffer.from('<?xml version="1.0" encoding="x-none"?><a/>');
    expect((await failureOf(() => unpacked('XML', unknown))).code).toBe('PARSE_FAILED');
  });

  test('a body that is already a value says so', async () => {
    const failure = await failureOf(() => unpacked('JSON', { a: 1 }));
    expect(failure.code).toBe('PIPE_INPUT');
    expect(failure.message).toContain('neither text nor bytes');
  });
});

describe('mistakes name their place and quote nothing', () => {
  test.each([
    ['JSON', '{"token":"s3cret",\n "b":s3cret}', 'line 2, column 6'],
    ['JSON', 's3cret', 'line 1, column 1'],
    ['JSON', '{"a":"s3cret', 'line 1, column 13'],
    ['JSON', '', 'empty'],
    ['NDJSON', '{"a":1}\n\n{"a":s3cret}\n', 'line 3'],
    ['CSV', 'a,b\n1,2\ns3cret\n', 'line 3'],
    ['CSV', 'a,b\n1,"s3cret\n', 'line'],
    ['CSV', 's3cret,a,s3cret\n1,2,3\n', 'column 3'],
    ['XML', '<a>\n<s3cret></a>', 'line 2'],
  ])('%s %j', async (type, body, place) => {
    const failure = await failureOf(() => unpacked(type, body));
    expect(failure.code).toBe('PARSE_FAILED');
    expect(failure.message).toContain(place);
    expect(`${failure.message} ${String(failure.cause)}`).not.toContain('s3cret');
  });
});

describe('where a text stops being JSON', () => {
  test.each([
    ['[1,]', 3],
    ['{"a" 1}', 5],
    ['{a:1}', 1],
    ['{"a":1,}', 7],
    ['[1 2]', 3],
    ['"a\nb"', 2],
    ['"\\x"', 1],
    ['01', 1],
    ['1]', 1],
    ['[}', 1],
    ['{]', 1],
    ['[', 1],
    ['tru', 0],
    [' ', 1],
  ])('%j: %i', (text, at) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(jsonFaultAt(text)).toBe(at);
  });

  test('a text cut short ends too early, and one stray character is found', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { minLength: 1 }), fc.nat(), (value, seed) => {
        const text = JSON.stringify(value);
        const cut = text.slice(0, 1 + (seed % (text.length - 1)));
        // A cut number or word is a fault at its own beginning, a cut escape at its backslash.
        expect(jsonFaultAt(cut)).toBeGreaterThanOrEqual(Math.max(0, cut.length - 6));
        expect(jsonFaultAt(`${text} §`)).toBe(text.length + 1);
        expect(jsonFaultAt(text)).toBe(text.length);
      }),
    );
  });
});

describe('forms', () => {
  test('are read as URLSearchParams reads them', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      '=',
      '&',
      '+',
      '%20',
      '%C3%A9',
      '%',
      '%zz',
      '%ff',
      'é',
      '😀',
      '__proto__',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
        const text = pieces.join('');
        // Node reads raw letters wrongly beside a broken escape, so the model gets them escaped.
        const wanted = new URLSearchParams(text.replace(/\P{ASCII}+/gu, encodeURIComponent));
        const form = parseForm(text);
        expect(Object.keys(form)).toEqual([...new Set(wanted.keys())]);
        for (const name of wanted.keys()) expect([own(form, name)].flat()).toEqual(wanted.getAll(name));
      }),
      { numRuns: 1_000 },
    );
  });
});

test('names of the prototype are data in every format', async () => {
  for (const [type, body] of [
    ['JSON', '{"__proto__":{"polluted":"yes"},"constructor":"c"}'],
    ['FORM', '__proto__=a&constructor=c'],
    ['CSV', '__proto__,constructor\na,c\n'],
    ['NDJSON', '{"__proto__":{"polluted":"yes"},"constructor":"c"}'],
    ['XML', '<r><__proto__><polluted>yes</polluted></__proto__><constructor>c</constructor></r>'],
  ] as const) {
    const data = await unpacked(type, body);
    const record = type === 'XML' ? own(data, 'r') : Array.isArray(data) ? data[0] : data;
    expect(Object.keys(record as object), type).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(record), type).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  }
});

test('any JSON value comes back, alone and by lines', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (values) => {
      const lines = values.map((value) => JSON.stringify(value));
      expect(parseNdjson(lines.join('\r\n'))).toEqual(lines.map((line) => JSON.parse(line)));
      expect(lines.map(parseJson)).toEqual(lines.map((line) => JSON.parse(line)));
    }),
  );
});
