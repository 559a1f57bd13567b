/** Personalization of content items: what is missing falls back or refuses, and is never silently empty. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileItem, type ItemContent, renderItem } from '../../src/content/compile-item.ts';
import type { PersonalizationEntry } from '../../src/content/entries.ts';
import { Failure } from '../../src/errors.ts';
import { failureOf } from '../support/failure-of.ts';

const now = '2026-01-01T00:00:00.000Z';

function itemOf(
  content: Readonly<Record<string, unknown>>,
  personalization: readonly PersonalizationEntry[] = [],
): ItemContent {
  return { channelType: 'sms_text', content, personalization };
}

function compiled(item: ItemContent, strict = true) {
  const kindOf = ([key]: readonly string[]) => (key === 'html' ? 'html' : 'text');
  const parts = Object.keys(item.content).map((key) => ({ name: key, key, kindOf }) as const);
  return compileItem(item, parts, strict);
}

const render = async (item: ItemContent, values: object) =>
  renderItem(compiled(item), { now, ...values } as never);

const refusal = async (item: ItemContent, values: object): Promise<Failure> => {
  try {
    await render(item, values);
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
};

const unresolvedOf = (item: ItemContent) => compiled(item).unresolved.map(({ variable }) => variable);

const hi = (entry: Omit<PersonalizationEntry, 'variable'>) =>
  itemOf({ body: 'Hi {{ customer.name }},' }, [{ variable: 'customer.name', ...entry }]);

describe('a missing value', () => {
  it.each([undefined, null, '', '  ', []])('of %j gets the fallback', async (name) => {
    const item = hi({ fallback: 'Valued Customer' });
    expect(await render(item, { customer: { name } })).toEqual({ body: 'Hi Valued Customer,' });
  });

  it.each([0, false, 'Ann'])('is not %j', async (name) => {
    const item = hi({ fallback: 'Valued Customer' });
    expect(await render(item, { customer: { name } })).toEqual({ body: `Hi ${name},` });
  });

  it('refuses the content where it is required, and names every variable at once', async () => {
    const item = itemOf({ body: '{{ customer.name }} {{ attributes.code }}' }, [
      { variable: 'customer.name', required: true },
      { variable: 'attributes.code', required: true },
    ]);
    const failure = await refusal(item, { customer: { name: null } });
    expect(failure.code).toBe('CONTENT_VARIABLE_MISSING');
    expect(failure.message).toContain('customer.name, attributes.code');
  });

  it('may be empty where the entry says so, but not absent', async () => {
    const item = hi({ required: true, allowEmpty: true });
    for (const name of ['', null, [], ' ']) {
      expect(((await render(item, { customer: { name } })).body as string).replaceAll(' ', '')).toBe('Hi,');
    }
    expect((await refusal(item, { customer: {} })).code).toBe('CONTENT_VARIABLE_MISSING');
    const chosen = hi({ fallback: '', allowEmpty: true });
    expect(await render(chosen, { customer: {} })).toEqual({ body: 'Hi ,' });
  });

  it('has no fallback in an empty one', async () => {
    for (const fallback of ['', '  ', null]) {
      expect(unresolvedOf(hi({ fallback }))).toEqual(['customer.name']);
      expect((await refusal(hi({ fallback, required: true }), { customer: {} })).code).toBe(
        'CONTENT_VARIABLE_MISSING',
      );
    }
  });

  it('is filled deep inside, in lists, and without changing what was given', async () => {
    const item = itemOf(
      { body: '{{ customer.address.city }} {{ profile.address.city }} {{ attributes.lines[0].name }}' },
      [
        { variable: 'customer.address.city', fallback: 'Berlin' },
        { variable: 'attributes.lines[0].name', fallback: 'one' },
      ],
    );
    const given = Object.freeze({ address: Object.freeze({ street: 'A' }) });
    const values = { customer: given, profile: given, attributes: { lines: [{}] } };
    expect(await render(item, values)).toEqual({ body: 'Berlin Berlin one' });
    expect(given).toEqual({ address: { street: 'A' } });
    expect(values.attributes).toEqual({ lines: [{}] });
  });

  it('never takes the place of a value that is there', async () => {
    const item = itemOf({ body: '{{ customer.name }}{{ customer.name.short }}' }, [
      { variable: 'customer.name', fallback: 'x' },
      { variable: 'customer.name.short', fallback: 'y' },
    ]);
    expect((await refusal(item, { customer: { name: 'Ann' } })).message).toContain('customer.name.short');
  });

  it('counts also in conditions', async () => {
    const item = itemOf({ body: '{% if customer.vip %}vip{% else %}not{% endif %}' }, [
      { variable: 'customer.vip', fallback: true },
    ]);
    expect(await render(item, {})).toEqual({ body: 'vip' });
    expect(await render(item, { customer: { vip: false } })).toEqual({ body: 'not' });
  });

  it('is not looked for where the texts do not use it', async () => {
    const item = itemOf({ body: 'Hello' }, [{ variable: 'customer.name', required: true }]);
    expect(await render(item, {})).toEqual({ body: 'Hello' });
  });
});

describe('no text is ever silently empty', () => {
  const value = fc.oneof(
    fc.constantFrom(undefined, null, '', ' ', '\n', [], 0, false),
    fc.string(),
    fc.array(fc.string(), { maxLength: 2 }),
  );
  const entry = fc.record(
    { fallback: value, required: fc.boolean(), source: fc.constant('customer') },
    { requiredKeys: [] },
  );

  it.each([
    'Hi {{ customer.name }},',
    'Hi {{customer["name"]}},',
    'Hi {{ profile.name | escape }},',
    'Hi {{ customer.name | raw }},',
    'Hi {% assign n = customer.name %}{{ n }},',
    'Hi {% capture n %}{{ customer.name }}{% endcapture %}{{ n }},',
    'Hi {% for c in attributes.people %}{{ c.name }}{% endfor %},',
    'Hi {% echo customer.name %},',
  ])('%s', async (body) => {
    await fc.assert(
      fc.asyncProperty(value, entry, async (name, written) => {
        const item = itemOf({ body, html: body }, [
          { variable: 'customer.name', ...written },
          { variable: 'attributes.people', fallback: [{}] },
        ]);
        const customer = { name };
        try {
          // A member of a list's element is checked as far as it is there at all.
          const people = [{ name: name === undefined || name === null ? name : 'Ann' }];
          const { body: text, html } = await render(item, {
            customer,
            profile: customer,
            attributes: { people },
          });
          for (const each of [text, html]) expect(String(each).slice(3, -1).trim()).not.toBe('');
        } catch (thrown) {
          if (!(thrown instanceof Failure)) throw thrown;
          expect(thrown.code).toBe('CONTENT_VARIABLE_MISSING');
          expect(thrown.message).toMatch(/customer\.name|\bn\b|c\.name/);
        }
      }),
    );
  });

  it('says where an output without a value stands', async () => {
    const item = itemOf({ body: 'a\n{% for c in attributes.people %}{{ c.name }}{% endfor %}' }, [
      { variable: 'attributes.people', required: true },
    ]);
    const failure = await refusal(item, { attributes: { people: [{ name: 'Ann' }, {}] } });
    expect(failure.message).toContain('"body" of the content: Line 2, column 33: {{ c.name }} has no value');
    expect(failure.details.problems).toMatchObject([{ pointer: '/content/body' }]);
    const chosen = itemOf(
      { body: '{% for c in attributes.people %}{{ c.name | default: "-" }}{% endfor %}' },
      [{ variable: 'attributes.people', required: true }],
    );
    expect(await render(chosen, { attributes: { people: [{}] } })).toEqual({ body: '-' });
  });
});

describe('unresolved variables', () => {
  it('are those with neither a fallback nor "required"', () => {
    const item = itemOf({ body: '{{ customer.a }}{{ customer.b }}{{ customer.c }}{{ customer.d }}' }, [
      { variable: 'customer.a', fallback: 'x' },
      { variable: "customer['b']", required: true },
      { variable: 'customer.c', allowEmpty: true },
    ]);
    expect(unresolvedOf(item)).toEqual(['customer.c', 'customer.d']);
  });

  it('are found wherever they stand, each once', () => {
    const item = itemOf({
      body: '{% if customer.vip %}{{ "a" | append: offer.name }}{{ offer.name }}{% endif %}',
      actions: [{ label: '{{ attributes.label }}' }, { label: '{{ now }}{{ "now" | date: "%Y" }}' }],
    });
    const { unresolved } = compiled(item);
    expect(unresolved.map(({ variable, pointer }) => [variable, pointer])).toEqual([
      ['customer.vip', '/content/body'],
      ['offer.name', '/content/body'],
      ['attributes.label', '/content/actions/0/label'],
    ]);
  });

  it('are not what belongs to a list or text that has an entry', () => {
    const item = itemOf(
      { body: '{{ customer.tags.size }} {{ customer.tags.first }} {{ customer.tags[0] }}' },
      [{ variable: 'customer.tags', required: true }],
    );
    expect(unresolvedOf(item)).toEqual(['customer.tags[0]']);
  });

  it('say what is wrong with a name that can have no entry', () => {
    const { unresolved } = compiled(
      itemOf({ body: '{{ custmer.name }}{{ customer[attributes.key] }}{{ customer }}{{ name }}' }, [
        { variable: 'attributes.key', required: true },
      ]),
    );
    expect(unresolved.map(({ message }) => message)).toEqual([
      expect.stringContaining('Did you mean "customer"?'),
      expect.stringContaining('known only when it is rendered'),
      expect.stringContaining('all of "customer"'),
      expect.stringContaining('which content does not have'),
    ]);
  });

  it('block nothing while content is only looked at', () => {
    const item = itemOf({ body: 'Hi {{ customer.name }},' });
    const lenient = compiled(item, false);
    expect(lenient.write({ now })).toEqual({ body: 'Hi ,' });
  });
});

describe('computed variables', () => {
  const greeting = (more: Omit<PersonalizationEntry, 'variable'> = {}) =>
    itemOf({ body: '{{ computed.greeting }}!' }, [
      {
        variable: 'computed.greeting',
        source: 'computed',
        formula: 'customer.age >= 18 ? "Dear " & customer.name : "Hi " & customer.name',
        required: true,
        ...more,
      },
      { variable: 'customer.name', fallback: 'friend' },
    ]);

  it('come from a formula, which sees the fallbacks', async () => {
    expect(await render(greeting(), { customer: { age: 30, name: 'Ann' } })).toEqual({ body: 'Dear Ann!' });
    expect(await render(greeting(), { customer: { age: 3 } })).toEqual({ body: 'Hi friend!' });
  });

  it('see offer and attributes, and the time of the message', async () => {
    const item = itemOf({ body: '{{ computed.total }} {{ computed.year }} {{ computed.parts.a }}' }, [
      { variable: 'computed.total', formula: 'offer.price * $attributes.count', required: true },
      { variable: 'computed.year', formula: '$substring($now(), 0, 4)', required: true },
      { variable: 'computed.parts', formula: '{ "a": 1 }', required: true },
      { variable: 'computed.parts.a', required: true },
    ]);
    const values = { offer: { price: 3 }, attributes: { count: 2 } };
    expect(await render(item, values)).toEqual({ body: '6 2026 1' });
  });

  it('name members of what they walk as they like', async () => {
    const formulas = {
      sorted: '$join(customer.tags^(name).name, ",")',
      found: 'attributes.lines[price > 2].name',
      mapped: '$sum($map(attributes.lines, function($line) { $line.price }))',
      made: '(attributes.lines{ name: price }).b',
      held: '($total := $sum(attributes.lines.price); customer.tags[0].(name & $string($total)))',
    };
    const item = itemOf(
      {
        body: Object.keys(formulas)
          .map((name) => `{{ computed.${name} }}`)
          .join(' '),
      },
      Object.entries(formulas).map(([name, formula]) => ({
        variable: `computed.${name}`,
        formula,
        required: true,
      })),
    );
    const values = {
      customer: { tags: [{ name: 'y' }, { name: 'x' }] },
      attributes: {
        lines: [
          { name: 'a', price: 2 },
          { name: 'b', price: 3 },
        ],
      },
    };
    expect(await render(item, values)).toEqual({ body: 'x,y b 5 3 y5' });
  });

  it('are missing where the formula gives nothing', async () => {
    const formula = 'customer.nothing';
    expect((await refusal(greeting({ formula }), {})).code).toBe('CONTENT_VARIABLE_MISSING');
    expect(await render(greeting({ formula, fallback: 'Hello' }), {})).toEqual({ body: 'Hello!' });
  });

  it('fail visibly, with their name', async () => {
    const failure = await refusal(greeting({ formula: 'customer.age + 1' }), { customer: { age: 'x' } });
    expect(failure.code).toBe('JSONATA_FAILED');
    expect(failure.message).toContain('The formula of computed.greeting has no result here.');
  });

  it('cannot freeze the process', async () => {
    const endless = '($f := function($x) { $f($x + 1) }; $f(0))';
    expect((await refusal(greeting({ formula: endless }), {})).code).toBe('EXPRESSION_LIMIT');
  });

  it('are not worked out where no text uses them', async () => {
    const item = itemOf({ body: 'x' }, [{ variable: 'computed.a', formula: '$error("never")' }]);
    expect(await render(item, {})).toEqual({ body: 'x' });
  });
});

describe('entries', () => {
  const wrong = (...entries: PersonalizationEntry[]) =>
    failureOf(() => compiled(itemOf({ body: 'x' }, entries)));

  it.each([
    ['name', '/personalization/0/variable', 'is not the name of a variable'],
    ['customer', '/personalization/0/variable', 'is not the name of a variable'],
    ['customer.a | upcase', '/personalization/0/variable', 'is not the name of a variable'],
    ['customer[attributes.a]', '/personalization/0/variable', 'is not the name of a variable'],
    ['customer.a }}{{ customer.b', '/personalization/0/variable', 'is not the name of a variable'],
    ['user.name', '/personalization/0/variable', 'does not begin with a namespace'],
    ['computed.a', '/personalization/0/formula', 'needs a formula'],
  ])('with the variable %s are refused', async (variable, pointer, message) => {
    const { code, details } = await wrong({ variable, fallback: 'x' });
    expect(code).toBe('REQUEST_INVALID');
    expect(details.problems).toMatchObject([{ pointer, message: expect.stringContaining(message) }]);
  });

  it('must agree with their source, and be alone', async () => {
    expect((await wrong({ variable: 'customer.a', source: 'offer' })).details.problems).toMatchObject([
      { pointer: '/personalization/0/source' },
    ]);
    expect(
      (await wrong({ variable: 'customer.a' }, { variable: 'profile["a"]' })).details.problems,
    ).toMatchObject([{ pointer: '/personalization/1/variable' }]);
  });

  it('have formulas only where they are computed, and written correctly', async () => {
    expect((await wrong({ variable: 'customer.a', formula: '1' })).details.problems).toMatchObject([
      { pointer: '/personalization/0/formula' },
    ]);
    const { code, details } = await wrong({ variable: 'computed.a', formula: 'customer.(' });
    expect(code).toBe('JSONATA_SYNTAX');
    expect(details.problems).toMatchObject([{ pointer: '/personalization/0/formula' }]);
    for (const [formula, message] of [
      ['$profile.a', 'reads "$profile.a", which it does not see. It sees customer, offer, attributes.'],
      ['"Dear " & custmer.name', 'reads "custmer", which it does not see. Did you mean "customer"?'],
      ['$map(attributes.list, function($each) { name })', 'reads "name", which it does not see.'],
    ] as const) {
      expect((await wrong({ variable: 'computed.a', formula })).message).toContain(message);
    }
  });
});

describe('what is rendered', () => {
  it('is escaped in HTML and nowhere else, unless the author says raw', async () => {
    const text = '{{ customer.name }}|{{ customer.name | raw }}';
    const item = itemOf({ html: text, body: text }, [{ variable: 'customer.name', fallback: '<b>' }]);
    const escaped = '&lt;i&gt; &amp; &#34;Ann&#34;|<i> & "Ann"';
    expect(await render(item, { customer: { name: '<i> & "Ann"' } })).toEqual({
      html: escaped,
      body: '<i> & "Ann"|<i> & "Ann"',
    });
    expect(await render(item, {})).toEqual({ html: '&lt;b&gt;|<b>', body: '<b>|<b>' });
  });

  it('keeps the structure of JSON, whatever the values are', async () => {
    const payload = {
      to: '{{ customer.name }}',
      list: [1, '{{ customer.name }}', null, true],
      '{{ x }}': {},
    };
    const item = itemOf({ payload }, [{ variable: 'customer.name', required: true }]);
    expect(await render(item, { customer: { name: '","x":"' } })).toEqual({
      payload: { to: '","x":"', list: [1, '","x":"', null, true], '{{ x }}': {} },
    });
  });

  it('leaves alone what is no Liquid', async () => {
    const item = itemOf({ components: ['Hello {{1}}'], variables: ['{{ customer.name }}'] }, [
      { variable: 'customer.name', required: true },
    ]);
    const kindOf = ([key]: readonly string[]) => (key === 'variables' ? ('text' as const) : undefined);
    const parts = Object.keys(item.content).map((key) => ({ name: key, key, kindOf }));
    const { write } = compileItem(item, parts, true);
    expect(write({ customer: { name: 'Ann' } })).toEqual({ components: ['Hello {{1}}'], variables: ['Ann'] });
  });
});
