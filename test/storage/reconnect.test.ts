/** How a process asks a server again that closed its connections. */
import { expect, test } from 'vitest';
import { createReconnect } from '../../src/storage/reconnect.ts';

function connection(random: number) {
  let nowMs = 0;
  const wait = createReconnect(
    () => nowMs,
    () => random,
  );
  return {
    /** The connection closes; gives the milliseconds until it is opened again, which then have passed. */
    closes: () => {
      const waitMs = wait() * 1_000;
      nowMs += waitMs;
      return waitMs;
    },
    pass: (ms: number) => {
      nowMs += ms;
    },
    now: () => nowMs,
  };
}

test('a server that refuses each connection at once is asked once in one or two seconds', () => {
  const { closes, now } = connection(0);
  let asked = 0;
  while (now() < 60_000) {
    closes();
    asked += 1;
  }
  expect(asked).toBeLessThan(70);
  expect(closes()).toBe(1_000);
  expect(connection(1).closes()).toBe(10);
});

test('a single connection that closes after a calm time is opened again at once', () => {
  const { closes, pass } = connection(1);
  for (let time = 0; time < 12; time += 1) closes();
  expect(closes()).toBe(2_000);
  pass(10_000);
  expect(closes()).toBe(10);
});
