import { describe, expect, it } from 'vitest';
import { checkChannel } from '../../../src/channel/check.ts';
import type { ChannelDocument } from '../../../src/channel/document.ts';
import { Failure } from '../../../src/errors.ts';
import { compileContent } from '../../../src/flows/directory/render-content.ts';

const NOW = '2026-01-01T00:00:00.000Z';

function channelOf(communication: 'direct' | 'indirect', template: readonly object[]): ChannelDocument {
  const text = JSON.stringify({
    sid: 'demo',
    id: 10_901,
    name: 'Demo',
    type: 'other',
    communication,
    fields: {
      resource: [
        { field: 'brand', type: 'string', name: 'Brand' },
        { field: 'hook', type: 'string', name: 'Hook', secret: true },
      ],
      subscription: [{ field: 'phone', type: 'string', name: 'Phone' }],
      template,
    },
    pipelines: { message: [{ id: 1, type: 'log', params: { message: 'sent' } }] },
  });
  const checked = checkChannel({ file: 'demo.json', text, kind: 'custom', pipelines: () => undefined });
  expect(checked.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  return checked.document as ChannelDocument;
}

const field = (name: string, type: string, more: object = {}) => ({ field: name, type, name, ...more });

function failureOf(act: () => unknown): Failure {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
  }
  throw new Error('nothing was refused');
}

describe('content', () => {
  const direct = channelOf('direct', [
    field('text', 'text', { required: true, max_length: 30 }),
    field('html', 'html'),
    field('card', 'json'),
    field('raw', 'text', { liquid: false }),
    field('tone', 'string', { default: 'for {{ customer.name }}' }),
    field('size', 'int', { default: 3 }),
  ]);

  it('renders texts, also in defaults, and leaves other values alone', () => {
    const content = compileContent(direct, { text: 'Hi {{ profile.name }}', raw: '{{ customer.name }}' });
    expect(content.render({ profile: { name: 'Ann' }, now: NOW })).toEqual({
      values: { text: 'Hi Ann', raw: '{{ customer.name }}', tone: 'for Ann', size: 3 },
      problems: [],
    });
  });

  it('escapes values in html and nowhere else', () => {
    const content = compileContent(direct, {
      text: '{{ customer.name }}',
      html: '<b>{{ customer.name }}</b>',
    });
    const { values } = content.render({ profile: { name: '<Ann>' }, now: NOW });
    expect(values).toMatchObject({ text: '<Ann>', html: '<b>&lt;Ann&gt;</b>' });
  });

  it('renders the texts inside JSON without touching its structure', () => {
    const card = { title: '{{ customer.name }}', rows: ['{{ attributes.a }}', 7], __proto__note: null };
    const content = compileContent(direct, { text: 'x', card });
    const { values } = content.render({ profile: { name: '"},{"' }, attributes: { a: 'A' }, now: NOW });
    expect(values.card).toEqual({ title: '"},{"', rows: ['A', 7], __proto__note: null });
  });

  it('checks what came out of it', () => {
    const content = compileContent(direct, { text: '{{ customer.story }}' });
    const long = content.render({ profile: { story: 'x'.repeat(31) }, now: NOW });
    expect(long.problems).toMatchObject([{ pointer: '/text' }]);
    expect(content.render({ profile: { story: 'x'.repeat(30) }, now: NOW }).problems).toEqual([]);
    expect(content.render({ profile: {}, now: NOW }).problems).toMatchObject([{ pointer: '/text' }]);
  });

  it('renders the same constant values once for all', () => {
    const content = compileContent(channelOf('direct', [field('text', 'text')]), { text: 'Hi' });
    expect(content.render({ now: NOW })).toBe(content.render({ profile: { name: 'Ann' }, now: NOW }));
  });

  it('gives one message nothing of another', () => {
    const content = compileContent(direct, {
      text: '{{ customer.name }}',
      card: { to: '{{ customer.name }}' },
    });
    const ann = content.render({ profile: { name: 'Ann' }, now: NOW });
    content.render({ profile: { name: 'Bob' }, now: NOW });
    expect(ann.values).toMatchObject({ text: 'Ann', card: { to: 'Ann' } });
  });

  it('never shows the value of a secret field', () => {
    const content = compileContent(direct, { text: '{{ resource.brand }}{{ resource.hook }}' });
    const { values } = content.render({ resource: { brand: 'Acme', hook: 'hidden' }, now: NOW });
    expect(values.text).toBe('Acme');
  });

  it('says which field is not written correctly', () => {
    const failure = failureOf(() =>
      compileContent(direct, { text: 'x', card: { rows: ['{{ customer.name'] } }),
    );
    expect(failure.code).toBe('LIQUID_SYNTAX');
    expect(failure.message).toMatch(/^Field "card": /);
    expect(failure.details.problems).toMatchObject([{ pointer: '/card/rows/0' }]);
  });
});

describe('content of a channel that is not personalized', () => {
  const indirect = channelOf('indirect', [field('text', 'text'), field('card', 'json')]);

  it.each(['customer.name', 'profile.name', 'subscription.phone'])(
    'refuses {{ %s }} before anything is sent',
    (path) => {
      const failure = failureOf(() =>
        compileContent(indirect, { text: 'x', card: { deep: [`{{ ${path} }}`] } }),
      );
      expect(failure.code).toBe('PERSONAL_DATA_REFUSED');
      expect(failure.message).toContain('"card"');
      expect(failure.details.problems).toMatchObject([{ pointer: '/card/deep/0' }]);
    },
  );

  it('refuses it also where it hides in a condition or a filter', () => {
    const hidden = '{% if customer.vip %}a{% endif %}';
    expect(failureOf(() => compileContent(indirect, { text: hidden })).code).toBe('PERSONAL_DATA_REFUSED');
    const argument = "{{ 'a' | append: customer.name }}";
    expect(failureOf(() => compileContent(indirect, { text: argument })).code).toBe('PERSONAL_DATA_REFUSED');
  });

  it('renders what belongs to everyone', () => {
    const content = compileContent(indirect, { text: '{{ resource.brand }}: {{ campaign.name }}' });
    const { values } = content.render({
      resource: { brand: 'Acme' },
      campaign: { name: 'Spring' },
      now: NOW,
    });
    expect(values.text).toBe('Acme: Spring');
  });
});
