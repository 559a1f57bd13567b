import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSource } from '../../src/channel/source-text.ts';

const codesOf = (text: string) =>
  parseSource('f.json', text).findings.map(({ code, line, column }) => `${line}:${column} ${code}`);

describe('JSON text with places', () => {
  it('gives the value that JSON.parse gives', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const source = parseSource('f.json', text);
        expect(source.findings.filter((finding) => finding.code !== 'number-not-exact')).toEqual([]);
        expect(source.value).toStrictEqual(JSON.parse(text));
      }),
    );
  });

  it('takes for JSON what JSON.parse takes, and nothing else', () => {
    const pieces = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"a"',
        '1',
        '-',
        '.',
        '01',
        'true',
        'nul',
        '"\\x"',
        '"\n"',
        ' ',
        '\u00a0',
        '1e',
        '/**/',
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('');
        const sound = !parseSource('f.json', text).findings.some(
          ({ code, severity }) => severity === 'error' && code !== 'duplicate-member',
        );
        let json = true;
        try {
          // A number that is too large for any is refused as well, though JSON.parse makes it infinite.
          JSON.parse(text, (_name, value) => {
            if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) json = false;
            return value;
          });
        } catch {
          json = false;
        }
        expect(sound).toBe(json);
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds the line and column of values and keys', () => {
    const source = parseSource('f.json', '{\r\n  "a/b": [\n    1,\n    { "~": "x" }\n  ]\n}');
    expect(source.locate('/a~1b', 'key')).toEqual({ line: 2, column: 3 });
    expect(source.locate('/a~1b')).toEqual({ line: 2, column: 10 });
    expect(source.locate('/a~1b/1/~0')).toEqual({ line: 4, column: 12 });
    expect(source.locate('/a~1b/1/none')).toEqual({ line: 4, column: 5 });
  });

  it('keeps a member __proto__ as a member', () => {
    const { value } = parseSource('f.json', '{ "__proto__": { "polluted": 1 }, "a": 2 }');
    expect(Object.keys(value as object)).toEqual(['__proto__', 'a']);
    expect((value as { polluted?: unknown }).polluted).toBeUndefined();
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each([
    ['{\n  "a": 1, // one\n  "b": 2\n}', ['2:11 comment']],
    ['[1, /* two */ 2]', ['1:5 comment']],
    ['{\n  "a": [1, 2,],\n}', ['2:13 trailing-comma', '2:15 trailing-comma']],
    ['{ "a": 1, "a": 2 }', ['1:11 duplicate-member']],
    ['{ "a": 1 "b": 2 }', ['1:10 not-json']],
    ['{ "a": "x\ny" }', ['1:8 not-json']],
    ['{ "a": 1 } x', ['1:12 not-json']],
    ['{ "a": ', ['1:8 not-json']],
    ['1e999', ['1:1 number-not-exact']],
    ['', ['1:1 empty']],
    ['\uFEFF[]', ['1:1 byte-order-mark']],
    ['\uFEFF', ['1:1 empty']],
  ])('%j', (text, codes) => {
    expect(codesOf(text)).toEqual(codes);
  });

  it('goes on after a comment and a comma too many', () => {
    expect(parseSource('f.json', '{ "a": [1,], /* x */ }').value).toEqual({ a: [1] });
  });
});
