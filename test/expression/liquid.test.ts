import { describe, expect, test } from 'vitest';
import { compileLiquid } from '../../src/expression/liquid.ts';
import { failureOf } from '../support/failure-of.ts';

const values = {
  now: '2026-03-01T10:00:00Z',
  customer: {
    name: 'Ann',
    html: '<b>"&\'',
    number: 1e21,
    list: ['a', '<', ['b']],
    object: { a: 1 },
    nothing: null,
    date: '2026-01-05 10:00',
    items: [
      { n: 'x', p: 2 },
      { n: 'y', p: 1 },
    ],
    names: ['b', 'A', 'c'],
    'first name': 'Ann B',
    toString: 'mine',
  },
};

const text = (source: string) => compileLiquid(source, { html: false }).render(values);
const html = (source: string) => compileLiquid(source, { html: true }).render(values);

describe('text', () => {
  test.each([
    ['plain', 'plain'],
    ['', ''],
    ['{ not } liquid', '{ not } liquid'],
    ['Hi {{ customer.name }}!', 'Hi Ann!'],
    ["{{ customer['first name'] }}", 'Ann B'],
    ['{{ customer.nope }}{{ nope.nope }}{{ customer.nothing.x }}', ''],
    ['{{ customer.number }}', '1000000000000000000000'],
    ['{{ customer.list }}', 'a<b'],
    ['{{ customer.object }}', '{"a":1}'],
    ['{{ customer.html }}', '<b>"&\''],
    ['{{ customer.name.length }}{{ customer.name.size }}', '33'],
    ['{{ customer.list.first }}{{ customer.list[1] }}', 'a<'],
    ['{{ customer.name | upcase | append: "!" }}', 'ANN!'],
    ['{{ customer.nope | default: "friend" }}', 'friend'],
    ['{% if customer.name == "Ann" %}yes{% else %}no{% endif %}', 'yes'],
    ['{% for item in customer.items %}{{ forloop.index }}{{ item.n }}{% endfor %}', '1x2y'],
    ['{% assign x = customer.name | downcase %}{{ x }}', 'ann'],
    ['{% capture x %}[{{ customer.name }}]{% endcapture %}{{ x }}', '[Ann]'],
    ['{% raw %}{{ x }}{% endraw %}', '{{ x }}'],
    ['a {%- comment -%} gone {%- endcomment -%} b', 'ab'],
    ['a {{- customer.name -}} b', 'aAnnb'],
    ['{{ customer.items | map: "n" | join: "," }}', 'x,y'],
    ['{{ customer.items | sort: "p" | map: "n" }}', 'yx'],
    ['{{ customer.items | where: "n", "y" | map: "p" }}', '1'],
    ['{{ customer.names | sort_natural | join }}', 'A b c'],
    ['{% increment customer %}{% increment customer %}', '01'],
    ['{{ "now" | date: "%Y-%m-%d %H:%M" }}', '2026-03-01 10:00'],
    ['{{ "today" | date_to_xmlschema }}', '2026-03-01T10:00:00+00:00'],
    ['{{ customer.date | date: "%H:%M %z" }}', '10:00 +0000'],
    ['{{ "2026-01-05T10:00:00+03:00" | date: "%H:%M" }}', '07:00'],
    ['{{ "2026-01-05T10:00:00Z" | date: "%H:%M", "Europe/Berlin" }}', '11:00'],
    ['{{ "March 3, 2026" | date: "%s" }}', String(Date.parse('2026-03-03T00:00:00Z') / 1_000)],
    ['{{ 0 | date: "%Y" }}', '1970'],
    ['{{ "86400" | date: "%d" }}', '02'],
    ['{{ "no date" | date: "%Y" }}', 'no date'],
  ])('%s', (source, expected) => expect(text(source)).toBe(expected));
});

describe('html', () => {
  test.each([
    ['<p>{{ customer.html }}</p>', '<p>&lt;b&gt;&#34;&amp;&#39;</p>'],
    ['{{ customer.html | raw }}', '<b>"&\''],
    ['{{ customer.html | upcase }}', '&lt;B&gt;&#34;&amp;&#39;'],
    ['{{ customer.html | raw | upcase }}', '&lt;B&gt;&#34;&amp;&#39;'],
    ['{% echo customer.html %}', '&lt;b&gt;&#34;&amp;&#39;'],
    ['{% liquid\n echo customer.html\n%}', '&lt;b&gt;&#34;&amp;&#39;'],
    ['{% cycle customer.html, "b" %}', '&lt;b&gt;&#34;&amp;&#39;'],
    ['{% for x in customer.list %}{{ x }}{% endfor %}', 'a&lt;b'],
    ['{{ customer.list }}{{ customer.object }}', 'a&lt;b{&#34;a&#34;:1}'],
    ['{% capture x %}{{ customer.html }}{% endcapture %}{{ x | raw }}', '&lt;b&gt;&#34;&amp;&#39;'],
    [
      '{% tablerow x in customer.list limit: 2 %}{{ x }}{% endtablerow %}',
      '<tr class="row1"><td class="col1">a</td><td class="col2">&lt;</td></tr>',
    ],
  ])('%s', (source, expected) => expect(html(source)).toBe(expected));
});

test.each([
  ['plain', true],
  ['{% comment %}x{% endcomment %}', false],
  ['{{ customer.name }}', false],
])('%s is constant: %s', (source, constant) => {
  expect(compileLiquid(source, { html: true }).constant).toBe(constant);
});

test.each([
  ['{{ customer.name }} {{ customer.name }}', [['customer', ['name'], 'customer.name']]],
  ['{{ customer["first name"].x }}', [['customer', ['first name', 'x'], 'customer["first name"].x']]],
  [
    '{% for x in offer.items %}{{ x.n }}{{ forloop.index }}{% endfor %}',
    [['offer', ['items'], 'offer.items']],
  ],
  [
    '{% assign y = profile.a | default: computed.b %}{{ y.c }}',
    [
      ['profile', ['a'], 'profile.a'],
      ['computed', ['b'], 'computed.b'],
    ],
  ],
  [
    '{{ customer[offer.key].z }}',
    [
      ['offer', ['key'], 'offer.key'],
      ['customer', [], 'customer[offer.key].z'],
    ],
  ],
  ['{% if attributes.list[0] == blank %}{% endif %}', [['attributes', ['list', '0'], 'attributes.list[0]']]],
  ['plain', []],
])('the variables of %s', (source, expected) => {
  const { variables } = compileLiquid(source, { html: false });
  expect(variables.map(({ namespace, path, text }) => [namespace, path, text])).toEqual(expected);
});

describe('mistakes', () => {
  test.each([
    ['{% if x %}', 'Line 1, column 1', 'not closed'],
    ['a\n  {{ x | nofilter }}', 'Line 2, column 3', 'undefined filter: nofilter'],
    ['{{ x | constructor }}', 'Line 1, column 1', 'undefined filter'],
    ['{% foo %}', 'Line 1, column 1', 'tag "foo" not found'],
    ['{{ x', 'Line 1, column 1', 'not closed'],
    ['{% for x %}{% endfor %}', 'Line 1, column 1', '.'],
    ['{% include "a" %}', 'Line 1, column 1', 'the tag "include" cannot be used'],
    ['{% render "a" %}', 'Line 1', 'the tag "render" cannot be used'],
    ['{% layout "a" %}', 'Line 1', 'the tag "layout" cannot be used'],
    ['{% block a %}{% endblock %}', 'Line 1', 'the tag "block" cannot be used'],
    ['{{ x | where_exp: "a", customer.code }}', 'Line 1', 'undefined filter'],
    ['{% assign k = "customer" %}{{ [k].name }}', 'Line 1, column 31', '[k].name must start with a name'],
    ['{{ x | sample }}', 'Line 1', 'undefined filter'],
    [`${'{% if x %}'.repeat(20_000)}${'{% endif %}'.repeat(20_000)}`, 'Liquid text', 'nested too deeply'],
    [`{{ x }}${'y'.repeat(1_000_000)}`, 'Liquid text', 'at most 1000000'],
  ])('compiling %#', async (source, where, message) => {
    const failure = await failureOf(() => compileLiquid(source, { html: true }));
    expect(failure.code).toBe('LIQUID_SYNTAX');
    expect(failure.message).toContain(where);
    expect(failure.message).toContain(message);
    expect(failure.message).toMatch(/\.$/);
  });

  test.each([
    ['\n{{ customer.bad | url_decode }}', 'Line 2, column 1', 'URI'],
    ['{{ customer.bad | base64_decode }}', 'Line 1, column 1', 'base64'],
    ['{{ "now" | date: "%Y" }}', 'Line 1, column 1', 'the time of the run is not known'],
    ['{{ 0 | date: "%Y", "No/Where" }}', 'Line 1, column 1', 'No/Where'],
  ])('rendering %s', async (source, where, message) => {
    const compiled = compileLiquid(source, { html: false });
    const failure = await failureOf(() => compiled.render({ customer: { bad: '%' } }));
    expect(failure.code).toBe('LIQUID_FAILED');
    expect(failure.message).toContain(where);
    expect(failure.message).toContain(message);
    expect(failure.message).toMatch(/\.$/);
  });
});
