import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { compileLiquid } from '../../src/expression/liquid.ts';
import { failureOf } from '../support/failure-of.ts';
import { hostileJson, hostileKey, hostileText, nested } from './hostile.ts';

const runs = { numRuns: 300 };

/** Adding a tag that does nothing makes the whole text go through the engine. */
const BY_ENGINE = '{% if false %}{% endif %}';

describe.each([true, false])('html: %s', (html) => {
  test('a plain path renders exactly what the engine renders', () => {
    const keys = fc.array(
      hostileKey.filter((key) => !/['"]/.test(key)),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(hostileJson, keys, hostileText, (v, path, around) => {
        const plain = around.replaceAll('{', '(');
        const source = `${plain}{{ root${path.map((key) => `['${key}']`).join('')} }}${plain}{{root.a.b}}`;
        const compile = (text: string) => compileLiquid(text, { html });
        let fast: ReturnType<typeof compile>;
        try {
          fast = compile(source);
        } catch (thrown) {
          // A key with a character that Liquid cannot read in quotes.
          expect(thrown).toBeInstanceOf(Failure);
          return;
        }
        for (const root of [v, [v], { a: v }, { [path[0] ?? 'a']: v }]) {
          expect(fast.render({ root })).toBe(compile(source + BY_ENGINE).render({ root }));
        }
      }),
      runs,
    );
  });

  test('a text arrives as it is, or escaped so that it reads back', () => {
    const plain = compileLiquid('<p title="{{ v }}">{{ v }}</p>', { html });
    const looped = compileLiquid('{% for x in l %}{{ x }}{% endfor %}{% assign y = v %}{{ y }}', { html });
    const decode = (text: string) =>
      text
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&#34;', '"')
        .replaceAll('&#39;', "'")
        .replaceAll('&amp;', '&');
    fc.assert(
      fc.property(hostileText, (v) => {
        for (const rendered of [plain.render({ v, l: [] }).slice(10, -4), looped.render({ v, l: [v] })]) {
          if (html) expect(rendered.replaceAll('">', '')).not.toMatch(/[<>"']/);
          const half = html ? decode(rendered) : rendered;
          expect(half.startsWith(v)).toBe(true);
          expect(half.endsWith(v)).toBe(true);
        }
      }),
      runs,
    );
  });

  test('any values render, or fail with a sentence', () => {
    const text = compileLiquid(
      '{{ v }}{{ v | json }}{{ v.a }}{{ v[0].b }}{% for x in v %}{{ x }}{{ x[0] }}{% endfor %}{{ v | size }}{{ v.size }}{{ v | first }}{% if v contains "a" %}{% endif %}{{ v | join }}',
      { html },
    );
    fc.assert(
      fc.property(hostileJson, (v) => {
        try {
          expect(typeof text.render({ v })).toBe('string');
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Failure);
          expect(thrown).toMatchObject({ message: expect.stringMatching(/[.!?]$/) });
        }
      }),
      runs,
    );
  });
});

test('any text compiles or fails with a sentence', () => {
  const pieces = fc.constantFrom(
    '{{',
    '}}',
    '{%',
    '%}',
    ' a ',
    '.',
    '|',
    'if',
    'endif',
    'for x in a',
    'endfor',
    '"',
    "'",
    '[',
    ']',
    '-',
    'raw',
    'date',
    ':',
    '(1..3)',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        hostileText,
        fc.array(pieces).map((each) => each.join(' ')),
      ),
      (source) => {
        try {
          compileLiquid(source, { html: true }).render({ a: [1] });
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Failure);
          expect(thrown).toMatchObject({ message: expect.stringMatching(/[.!?]$/) });
        }
      },
    ),
    { numRuns: 1_500 },
  );
});

test('what an object inherits renders as nothing', () => {
  const paths = ['constructor', '__proto__', 'toString', 'list.map', 'list.constructor', 'text.constructor'];
  const source = paths.map((path) => `{{ v.${path} }}{{ v.${path} | upcase }}{{ ${path} }}`).join('');
  expect(compileLiquid(source, { html: false }).render({ v: { list: [], text: 'x' } })).toBe('');
});

test('rendering changes no values', () => {
  const values = Object.freeze({ n: 1, v: Object.freeze({ l: Object.freeze([2, 1]) }) });
  const source =
    '{% increment n %}{% decrement v %}{% assign n = 5 %}{{ v.l | sort | push: 3 }}{% assign v = 1 %}';
  compileLiquid(source, { html: false }).render(values);
  expect(values).toEqual({ n: 1, v: { l: [2, 1] } });
});

describe('limits', () => {
  const big = 'x'.repeat(1 << 20);
  const many = Array.from({ length: 20_000 }, (_, index) => ({ index }));

  test.each([
    ['a range of a billion', '{% for i in (1..1000000000) %}{% endfor %}'],
    ['loops in loops', '{% for a in many %}{% for b in many %}{{ b.index }}{% endfor %}{% endfor %}'],
    ['a megabyte many times', '{% for i in (1..100) %}{{ big }}{% endfor %}'],
    ['a megabyte many times by plain paths', '{{ big }}'.repeat(5)],
    [
      'a megabyte many times, captured',
      '{% capture c %}{% for i in (1..1000) %}{{ big }}{% endfor %}{% endcapture %}{{ c | size }}',
    ],
    [
      'doubling',
      '{% assign a = "x" %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}{{ a | size }}',
    ],
    ['replacing by a megabyte', '{{ big | replace: "x", big | size }}'],
    ['joining by a megabyte', '{{ many | map: "index" | join: big | size }}'],
    ['a date of a billion characters', '{{ 0 | date: "%999999999Y" }}'],
    [
      'sorting megabytes',
      '{% assign l = big | split: "|" %}{% for i in (1..10) %}{% assign l = l | concat: l %}{% endfor %}{{ l | sort_natural | size }}',
    ],
    ['a deep value', '{{ deep }}'],
    ['a deep array', '{{ list }}'],
    ['a deep value as JSON', '{{ deep | json }}'],
  ])('%s ends with a sentence', async (_name, source) => {
    const text = compileLiquid(source, { html: true });
    const values = { big, many, deep: nested(100_000, 'a'), list: nested(100_000) };
    const failure = await failureOf(() => text.render(values));
    expect(failure.code).toBe('EXPRESSION_LIMIT');
    expect(failure.message).toMatch(/\.$/);
  });

  test.each([
    ['{{ v | strip_html | size }}', '<script'.repeat(100_000), '700000'],
    ['{{ v | strip_html | size }}', '<'.repeat(1 << 20), String(1 << 20)],
    ['{{ v | strip | squish | slugify | size }}', ' \n-'.repeat(300_000), '0'],
    ['{{ v | date: "%Y" | size }}', '-01'.repeat(300_000), '900000'],
    ['{{ v | truncatewords: 1 }}', 'a '.repeat(500_000), 'a...'],
    ['{{ v | split: "" | size }}', big, String(1 << 20)],
    ['{{ v | number_of_words: "auto" }}', 'a '.repeat(500_000), '500000'],
  ])('%s of a megabyte has an answer', (source, v, expected) => {
    expect(compileLiquid(source, { html: true }).render({ v })).toBe(expected);
  });

  test('a text of many tags compiles and renders', () => {
    const source = '{% if v %}a{% endif %}{{ v }}'.repeat(20_000);
    expect(compileLiquid(source, { html: true }).render({ v: 'b' })).toBe('ab'.repeat(20_000));
  });

  test('a deep value of a thousand levels passes', () => {
    const deep = nested(1_000, 'a');
    expect(compileLiquid('{{ deep }}', { html: false }).render({ deep })).toBe(JSON.stringify(deep));
  });
});
