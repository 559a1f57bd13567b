import { describe, expect, test } from 'vitest';
import { storeGet } from '../../src/pipes/store-get.ts';
import { MAX_KEY_LENGTH } from '../../src/pipes/store-key.ts';
import { MAX_STORED_BYTES } from '../../src/pipes/store-set.ts';
import { runExample } from '../support/run-example.ts';

const set = (params: Readonly<Record<string, unknown>>, input = {}) =>
  runExample('store_set', {
    name: '',
    params: { ttl: 60, ...params },
    in: input,
    expect: { exit: 'success' },
  });

describe('store_set', () => {
  test.each([['text'], [7], [false], [null], [{ a: [1] }], [Buffer.from('bytes')]])(
    'one whole reference keeps the type of %j',
    async (value) => {
      const played = await set({ key: 'k', value: '$in.value' }, { value });
      expect(played.store).toEqual({ k: value });
    },
  );

  test('inside a longer text or an object a reference is text', async () => {
    expect((await set({ key: 'k', value: 'n $in.n' }, { n: 7 })).store).toEqual({ k: 'n 7' });
    expect((await set({ key: 'k', value: { n: '$in.n' } }, { n: 7 })).store).toEqual({ k: { n: '7' } });
  });

  test('a value is kept up to the limit, in bytes of its stored form', async () => {
    const fitting = await set({ key: 'k', value: '$in.text' }, { text: 'x'.repeat(MAX_STORED_BYTES - 2) });
    expect(fitting.exit).toBe('success');
    const over = await set({ key: 'k', value: '$in.text' }, { text: 'é'.repeat(MAX_STORED_BYTES / 2) });
    expect(over.code).toBe('STORE_VALUE_TOO_LARGE');
    expect(over.store).toEqual({});
  });

  test.each([[''], ['x'.repeat(MAX_KEY_LENGTH + 1)]])('the key %j is refused', async (key) => {
    expect((await set({ key: '$in.key', value: 1 }, { key })).code).toBe('PIPE_PARAMS');
  });

  test.each([[0], [-1], [0.5]])('a ttl of %d is refused', async (ttl) => {
    expect((await set({ key: 'k', value: 1, ttl })).code).toBe('PIPE_PARAMS');
  });
});

describe('store_get', () => {
  test('a stored null is a record', async () => {
    const params = { key: 'k', not_found: 5 };
    const played = await runExample('store_get', {
      name: '',
      params,
      store: { k: null },
      expect: { exit: 'success' },
    });
    expect(played.exit).toBe('success');
    expect(played.in).toEqual({ k: null });
  });

  test('the linter is told the name where it is known', () => {
    expect(storeGet.adds({ key: 'session' })).toEqual({ session: 'any' });
    expect(storeGet.adds({ key: 'code-$in.phone' })).toEqual({});
    expect(storeGet.adds({ key: 'code-$in.phone', name: 'code' })).toEqual({ code: 'any' });
  });

  test('a name of the prototype is an ordinary member', async () => {
    const params = { key: 'k', name: '__proto__' };
    const played = await runExample('store_get', {
      name: '',
      params,
      store: { k: 'v' },
      expect: { exit: 'success' },
    });
    expect(Object.entries(played.in)).toEqual([['__proto__', 'v']]);
    expect(Object.getPrototypeOf(played.in)).toBe(Object.prototype);
  });
});
