/** Limits are exact whatever the pattern of requests: simulated time, two processes, one database. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { asFailure } from '../../src/errors.ts';
import type { Ground } from '../../src/flows/ground.ts';
import { createLimiter } from '../../src/flows/limiter.ts';
import type { RateLimit } from '../../src/pipes/contract.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';

const NOW_MS = Date.UTC(2026, 5, 1, 12);
let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase('embedded', NOW_MS);
});
afterAll(() => test.end());

let keys = 0;
/** When each of the requests goes that come after these pauses, at either of two processes. */
async function timesOf(
  limit: RateLimit,
  arrivals: readonly { pauseMs: number; process: number }[],
): Promise<number[]> {
  let nowMs = NOW_MS;
  const ground = { database: test.database, clock: { now: () => nowMs } } as unknown as Ground;
  const sleep = async (ms: number) => {
    nowMs += ms;
  };
  const processes = [createLimiter(ground, sleep), createLimiter(ground, sleep)];
  keys += 1;
  const times: number[] = [];
  let comesMs = NOW_MS;
  for (const { pauseMs, process } of arrivals) {
    comesMs += pauseMs;
    nowMs = comesMs;
    for (;;) {
      try {
        await processes[process]?.pass(`key ${keys}`, limit);
        times.push(nowMs);
        break;
      } catch (thrown) {
        const { code, details } = asFailure(thrown);
        expect(code).toBe('RATE_LIMITED');
        nowMs += details.retryAfterMs ?? Number.NaN;
      }
    }
  }
  return times.sort((a, b) => a - b);
}

const most = (times: readonly number[], windowMs: number) =>
  Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length));

/** Crowds with pauses between them, in which a line of requests may or may not run empty. */
const pattern = fc
  .array(
    fc.record({
      pauseMs: fc.integer({ min: 0, max: 4_000 }),
      crowd: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 30 }),
    }),
    { minLength: 2, maxLength: 8 },
  )
  .map((crowds) =>
    crowds.flatMap(({ pauseMs, crowd }) =>
      crowd.map((process, place) => ({ pauseMs: place === 0 ? pauseMs : 0, process })),
    ),
  );

it.each<[string, RateLimit]>([
  ['20 a second', { requests: 20, perSeconds: 1, scope: 'channel' }],
  ['20 a second, 5 at once', { requests: 20, perSeconds: 1, scope: 'channel', burst: 5 }],
  ['3 in two seconds', { requests: 3, perSeconds: 2, scope: 'sender' }],
  ['one in half a second', { requests: 1, perSeconds: 0.5, scope: 'sender' }],
])('lets no more than %s out in any window', async (_name, limit) => {
  await fc.assert(
    fc.asyncProperty(pattern, async (arrivals) => {
      const times = await timesOf(limit, arrivals);
      expect(times).toHaveLength(arrivals.length);
      expect(most(times, limit.perSeconds * 1_000)).toBeLessThanOrEqual(limit.requests);
    }),
    { numRuns: 40, seed: 11 },
  );
});

it('uses what it may: a full queue goes at the rate of the limit', async () => {
  const times = await timesOf(
    { requests: 50, perSeconds: 1, scope: 'channel' },
    Array.from({ length: 200 }, (_, index) => ({ pauseMs: 0, process: index % 2 })),
  );
  const seconds = ((times.at(-1) ?? 0) - NOW_MS) / 1_000;
  expect(200 / seconds).toBeGreaterThan(45);
});
