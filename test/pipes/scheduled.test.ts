import { expect, test } from 'vitest';
import { scheduled } from '../../src/pipes/scheduled.ts';
import { runExample } from '../support/run-example.ts';

const play = (params: Readonly<Record<string, unknown>>, input = {}) =>
  runExample('scheduled', {
    name: '',
    params: { pipe_id: 3, ...params },
    in: input,
    expect: { exit: 'success' },
  });

test('bytes and types travel whole', async () => {
  const body = Buffer.from([0, 255]);
  expect((await play({}, { body, n: 1 })).outcome.later).toEqual([
    { pipe: 3, delaySeconds: 60, value: { body, n: 1 } },
  ]);
});

test('an empty time means the delay', async () => {
  expect((await play({ at: '${in.at?}' })).outcome.later).toMatchObject([{ delaySeconds: 60 }]);
});

test.each([['$in.text'], ['$in.list'], ['a text']])('the template %j gives no object', async (template) => {
  const played = await play({ template }, { text: 'x', list: [1] });
  expect(played.code).toBe('PIPE_PARAMS');
  expect(played.outcome.later).toEqual([]);
});

test('a delay below zero is refused', async () => {
  expect((await play({ delay: '$in.delay' }, { delay: '-1' })).code).toBe('PIPE_PARAMS');
  expect((await play({ delay: '$in.delay' }, { delay: '90' })).outcome.later).toMatchObject([
    { delaySeconds: 90 },
  ]);
});

test('one time only', () => {
  expect(scheduled.check?.({ pipe_id: 3, delay: 5, at: '$now' })).toHaveLength(1);
  expect(scheduled.check?.({ pipe_id: 3, at: '$now' })).toEqual([]);
});
