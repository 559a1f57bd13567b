import { describe, expect, test } from 'vitest';
import { compileTemplate, parseString } from '../../src/expression/template.ts';
import { failureOf } from '../support/failure-of.ts';

const scope = {
  in: { text: 'hello', number: 7, items: [{ parts: [{ n: 10 }, { n: 11 }] }, { parts: [{ n: 20 }] }] },
};

describe('documents', () => {
  test('constants stay what they are, with their escapes resolved', () => {
    const template = compileTemplate({ a: ['\\$5', 1, null], b: { c: true } });
    expect(template.constant).toBe(true);
    expect(template.render({})).toEqual({ a: ['$5', 1, null], b: { c: true } });
  });

  test('references know keyword, path, place, type and whether they are optional', () => {
    const { references } = compileTemplate(
      {
        'a/b': ["x ${in.headers.'x-id'?}", '$#sender.token'],
        '$$in.items.%0.parts[p]': [{ $: '$now & $in.a.b' }],
      },
      '/params',
    );
    expect(references).toEqual([
      {
        keyword: 'in',
        path: ['headers', 'x-id'],
        text: "$in.headers.'x-id'",
        pointer: '/params/a~1b/0',
        typed: false,
        optional: true,
      },
      {
        keyword: 'sender',
        path: ['token'],
        text: '$sender.token',
        pointer: '/params/a~1b/1',
        typed: true,
        optional: false,
      },
      {
        keyword: 'in',
        path: ['items', 0, 'parts'],
        text: '$in.items.%0.parts',
        pointer: '/params/$$in.items.%0.parts[p]',
        typed: true,
        optional: false,
      },
      {
        keyword: 'now',
        path: [],
        text: '$now',
        pointer: '/params/$$in.items.%0.parts[p]/0/$',
        typed: true,
        optional: true,
      },
      {
        keyword: 'in',
        path: ['a', 'b'],
        text: '$in.a.b',
        pointer: '/params/$$in.items.%0.parts[p]/0/$',
        typed: true,
        optional: true,
      },
    ]);
  });

  test('an expression that waits makes the whole template wait, and is left out without a value', async () => {
    const template = compileTemplate({
      a: { $: '$uppercase($in.text)' },
      b: [{ $: '$sum($in.nope)' }, '$in.number'],
    });
    expect(template.async).toBe(true);
    expect(await template.render(scope)).toEqual({ a: 'HELLO', b: ['7'] });
  });

  test('a plain path needs no waiting', () => {
    const template = compileTemplate({ a: { $: '$in.items.parts.n' } });
    expect(template.async).toBe(false);
    expect(template.render(scope)).toEqual({ a: [10, 11, 20] });
  });

  test('one failing part among others that wait fails the template once', async () => {
    const template = compileTemplate([{ $: '$error("first")' }, '$in.nope', { $: '$error("second")' }]);
    expect((await failureOf(() => template.render(scope))).message).toBe('first');
  });

  test('mistakes in expressions are problems with their pointer', () => {
    expect(compileTemplate({ a: [{ $: '$in.' }] }, '/p').problems).toEqual([
      { pointer: '/p/a/0/$', message: expect.stringContaining('column 4') },
    ]);
  });

  test('parseString gives the parts of a text', () => {
    expect(parseString('a $in.b c')).toEqual({
      parts: ['a ', { keyword: 'in', path: ['b'], optional: false, text: '$in.b' }, ' c'],
      typed: false,
    });
  });
});
