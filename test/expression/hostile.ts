/** Values that have broken programs, for the property tests of expressions. */
import fc from 'fast-check';

const PIECES = [
  '"',
  "'",
  '`',
  '\\',
  '\n',
  '\r\n',
  '\u0000',
  '\u2028',
  '\u2029',
  '\ud83d',
  '\ude00',
  '😀',
  '$in.secret',
  '${in.secret}',
  '$#in.secret',
  '\\$',
  '[$]x',
  '{{ secret }}',
  '{% raw %}',
  "' || true || '",
  '" = "',
  ')',
  '(?=',
  '.*',
  '%0',
  '</script>',
  '<b>',
  '&amp;',
  '$eval("1")',
];

/** Texts of quotes, control characters, lone surrogates and pieces of every language an author may write here. */
export const hostileText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => pieces.join('')),
  fc.constant('x'.repeat(1 << 20)),
);

/** Keys that other objects inherit, and those that libraries give a meaning. */
export const hostileKey = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'valueOf',
    'toJSON',
    'then',
    'length',
    'size',
    'first',
    'sequence',
    '_jsonata_lambda',
    '_jsonata_function',
    '~bytes',
    '$',
    '$$in.items[x]',
    '',
  ),
  fc.string(),
);

/** JSON values with hostile texts and keys, as a provider may send them: made by JSON.parse. */
export const hostileJson: fc.Arbitrary<unknown> = fc
  .letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom(...PIECES),
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
      ),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(hostileKey, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }))
  .value.map((value) => JSON.parse(JSON.stringify(value)) as unknown);

/** An array or object nested `depth` deep, as JSON.parse gives it. */
export function nested(depth: number, key?: string): unknown {
  const [open, close] = key === undefined ? ['[', ']'] : [`{"${key}":`, '}'];
  return JSON.parse(`${open.repeat(depth)}1${close.repeat(depth)}`);
}
