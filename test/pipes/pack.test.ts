import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseXml } from '../../src/pipes/xml.ts';
import { runExample } from '../support/run-example.ts';

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '"',
        "'",
        '\\',
        '\n',
        '\r\n',
        '\u0000',
        '\u2028',
        '\ud83d',
        '😀',
        '{',
        '}',
        '$in.b',
        '</a>',
        '<![CDATA[',
        ']]>',
        '&',
        '&amp;',
        '-->',
        '<?',
        '%',
      ),
    )
    .map((parts) => parts.join('')),
);

async function packed(params: Readonly<Record<string, unknown>>, input: Readonly<Record<string, unknown>>) {
  const played = await runExample('pack', { name: '', params, in: input, expect: { exit: 'success' } });
  expect(played.code).toBeUndefined();
  return String(played.in.body);
}

test('no text can break a JSON body', async () => {
  await fc.assert(
    fc.asyncProperty(hostile, hostile, async (a, b) => {
      const template = { a: '$in.a', '$$in.list[all]': [{ value: '[$]b' }], b: 'x$in.b' };
      const body = await packed({ template }, { a, b, list: [{ b }] });
      // Bytes are UTF-8, which has no lone surrogates: JSON carries them as escapes.
      expect(JSON.parse(body)).toEqual({ a, all: [{ value: b }], b: `x${b}` });
    }),
  );
});

test('no text can break an XML body', async () => {
  await fc.assert(
    fc.asyncProperty(hostile, hostile, async (a, b) => {
      const template = { root: { '-a': '$in.a', b: '$in.b', end: 'here' } };
      const body = await packed({ type: 'XML', template }, { a, b });
      const carried = (text: string) =>
        text.replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '');
      expect(parseXml(body)).toEqual({ root: { '-a': carried(a), b: carried(b), end: 'here' } });
    }),
  );
});
