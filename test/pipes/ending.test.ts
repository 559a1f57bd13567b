import { describe, expect, test } from 'vitest';
import { runExample } from '../support/run-example.ts';

describe('result', () => {
  const play = (params: Readonly<Record<string, unknown>>, data: unknown) =>
    runExample('result', { name: '', params, in: { data }, expect: { exit: 'success' } });

  test.each([['$in.data'], ['$#in.data'], ['${in.data}'], ['$#{in.data}'], [{ $: '$in.data' }]])(
    '%j gives the value itself',
    async (path) => {
      const data = [{ id: 1, on: true }];
      expect((await play({ path }, data)).outcome.result).toEqual({ value: data });
    },
  );

  test.each([['text'], [7], [null], [[1, 2]], [[{ a: 1 }, null]], [Buffer.from('{}')]])(
    '%j is no result',
    async (data) => {
      const played = await play({}, data);
      expect(played.code).toBe('PIPE_PARAMS');
      expect(played.outcome.result).toBeUndefined();
    },
  );

  test('an empty list is one', async () => {
    expect((await play({}, [])).outcome.result).toEqual({ value: [] });
  });
});

describe('error', () => {
  const play = (params: Readonly<Record<string, unknown>>, input = {}) =>
    runExample('error', { name: '', params, in: input, expect: { exit: 'error' } });

  test('carries its code and message', async () => {
    const { failure } =
      (await play({ code: '$in.code', message: 'Because of $in.why.' }, { code: 42, why: 'x' })).outcome
        .trail[0] ?? {};
    expect(failure?.message).toBe('Because of x.');
    expect(failure?.details.extra).toEqual({ code: '42' });
  });

  test('a number as code, and no message', async () => {
    const { failure } = (await play({ code: 404, message: '${in.text?}' })).outcome.trail[0] ?? {};
    expect(failure?.details.extra).toEqual({ code: '404' });
    expect(failure?.message).toBe('The operation failed with code 404.');
  });
});
