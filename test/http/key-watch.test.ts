/** What a call does that finds its key in use, look by look. */
import { expect, it } from 'vitest';
import { createKeyWatch, type KeyPace } from '../../src/http/key-watch.ts';

const PACE: KeyPace = {
  beatMs: 100,
  silentMs: 500,
  waitMs: 2_000,
  firstPollMs: 20,
  longestPollMs: 200,
  retryAfterMs: 1_000,
};

/** `at` in milliseconds, who holds the key (null: nobody), the beat, and whether a failure is said. */
type Look = readonly [at: number, holder: string | null, beat: number, failed?: 'failed'];

it.each<[string, readonly Look[], string]>([
  ['nobody works on it', [[0, null, 0]], 'take'],
  ['an earlier call failed before this one came', [[0, null, 0, 'failed']], 'take'],
  ['somebody works on it', [[0, 'a', 0]], 'wait'],
  [
    'the one that was waited for failed',
    [
      [0, 'a', 0],
      [100, null, 0, 'failed'],
    ],
    'failed',
  ],
  [
    'the one that was waited for let go without a word',
    [
      [0, 'a', 0],
      [100, null, 0],
    ],
    'take',
  ],
  ['it lives', Array.from({ length: 9 }, (_, index): Look => [index * 200, 'a', index]), 'wait'],
  [
    'it lives and takes too long',
    Array.from({ length: 12 }, (_, index): Look => [index * 200, 'a', index]),
    'late',
  ],
  ['it has shown no life for long', [0, 200, 400, 600].map((at): Look => [at, 'a', 3]), 'take'],
  ['it has shown no life for a moment', [0, 200, 400].map((at): Look => [at, 'a', 3]), 'wait'],
  [
    'it has shown no life, then did',
    [0, 200, 400, 600].map((at): Look => [at, 'a', at > 400 ? 4 : 3]),
    'wait',
  ],
  [
    'another one took over',
    [
      [0, 'a', 3],
      [300, 'a', 3],
      [600, 'b', 4],
    ],
    'wait',
  ],
  [
    'the database did not answer for a minute, so nobody could show life',
    [
      [0, 'a', 3],
      [60_000, 'a', 3],
    ],
    'late',
  ],
])('%s', (_, looks, last) => {
  const watch = createKeyWatch(PACE);
  const verdicts = looks.map(([at, holder, beat, failed]) =>
    watch.look({ holder, beat, failure: failed ?? null }, 1_000 + at),
  );
  expect(verdicts.at(-1)).toBe(last);
  expect(verdicts.slice(0, -1).every((verdict) => verdict === 'wait' || verdict === last)).toBe(true);
});

it('looks less and less often', () => {
  const { pollMs } = createKeyWatch(PACE);
  expect([pollMs(), pollMs(), pollMs(), pollMs(), pollMs(), pollMs()]).toEqual([20, 40, 80, 160, 200, 200]);
});
