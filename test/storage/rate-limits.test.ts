/** Tokens of limits, with time played: whatever processes do, no window at the provider holds more than the limit. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  holdRateLimits,
  type RateGrant,
  type RateTurn,
  turnRateLimits,
} from '../../src/storage/rate-limits.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';

const NOW_MS = Date.UTC(2026, 5, 1, 12);
const LEASE_MS = 2_000;
let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase('embedded', NOW_MS);
});
afterAll(() => test.end());

let keys = 0;
const newKey = () => {
  keys += 1;
  return `key ${keys}`;
};

const turn = async (
  name: string,
  nowMs: number,
  asked: Partial<RateTurn> & { readonly key: string },
): Promise<RateGrant> => {
  const holder = { name, leaseMs: LEASE_MS, horizonMs: 200, nowMs };
  const usual = { requests: 10, windowMs: 1_000, burst: 10, held: 0, used: 0, wanted: 0 };
  const [grant] = await turnRateLimits(test.database, holder, [{ ...usual, ...asked }]);
  return grant as RateGrant;
};

describe('a token', () => {
  it('is free again one window after the answer, not after it was taken', async () => {
    const key = newKey();
    expect(await turn('a', NOW_MS, { key, wanted: 10 })).toEqual({ granted: 10, waitMs: 0, soon: 0 });
    // Nobody knows when those that are out will be back: no earlier than a window from now.
    expect(await turn('b', NOW_MS + 400, { key, wanted: 1 })).toMatchObject({ granted: 0, waitMs: 1_000 });
    await turn('a', NOW_MS + 500, { key, used: 10 });
    const refused = await turn('b', NOW_MS + 1_495, { key, wanted: 10 });
    expect(refused).toMatchObject({ granted: 0, soon: 10 });
    expect(refused.waitMs).toBeGreaterThan(5);
    expect(refused.waitMs).toBeLessThan(15);
    expect((await turn('b', NOW_MS + 1_515, { key, wanted: 10 })).granted).toBe(10);
  });

  it('that was not used is free at once', async () => {
    const key = newKey();
    await turn('a', NOW_MS, { key, wanted: 10 });
    await turn('a', NOW_MS + 10, { key, held: 4, used: 2 });
    expect((await turn('b', NOW_MS + 2_000, { key, wanted: 10, burst: 10 })).granted).toBe(6);
  });

  it('of a dead process is free one window after its lease', async () => {
    const key = newKey();
    await turn('a', NOW_MS, { key, wanted: 10 });
    expect((await turn('b', NOW_MS + LEASE_MS, { key, wanted: 1 })).granted).toBe(0);
    const found = await turn('b', NOW_MS + LEASE_MS + 10, { key, wanted: 1 });
    expect(found.waitMs).toBeGreaterThan(1_000);
    expect((await turn('b', NOW_MS + LEASE_MS + 1_005, { key, wanted: 1 })).granted).toBe(0);
    expect((await turn('b', NOW_MS + LEASE_MS + 1_020, { key, wanted: 10 })).granted).toBe(10);
  });

  it('is taken in the order of the keys, and given in the order of the turns', async () => {
    const [one, two] = [newKey(), newKey()];
    const holder = { name: 'a', leaseMs: LEASE_MS, horizonMs: 200, nowMs: NOW_MS };
    const usual = { requests: 10, windowMs: 1_000, burst: 10, held: 0, used: 0 };
    const grants = await turnRateLimits(test.database, holder, [
      { ...usual, key: two, wanted: 2 },
      { ...usual, key: one, wanted: 1 },
    ]);
    expect(grants.map((grant) => grant.granted)).toEqual([2, 1]);
  });

  it('waits while the provider rests', async () => {
    const key = newKey();
    await turn('a', NOW_MS, { key });
    await holdRateLimits(test.database, [key], 30_000, NOW_MS);
    expect(await turn('b', NOW_MS + 1_000, { key, wanted: 1 })).toMatchObject({ granted: 0, waitMs: 29_000 });
    expect((await turn('b', NOW_MS + 30_000, { key, wanted: 1 })).granted).toBe(1);
  });
});

describe('the pace', () => {
  it('lets a tenth out at once, and all of a window within the window', async () => {
    const key = newKey();
    const leaves: number[] = [];
    for (let ms = 0; ms < 1_000; ms += 5) {
      const { granted } = await turn('a', NOW_MS + ms, {
        key,
        requests: 100,
        burst: null,
        held: leaves.length,
        wanted: 100,
      });
      for (let each = 0; each < granted; each += 1) leaves.push(ms);
    }
    expect(leaves.filter((ms) => ms === 0)).toHaveLength(10);
    const half = leaves.filter((ms) => ms < 500).length;
    expect(half).toBeGreaterThan(60);
    expect(half).toBeLessThanOrEqual(10 + 62);
    expect(leaves).toHaveLength(100);
  });

  it('lets out at once what the author says', async () => {
    expect((await turn('a', NOW_MS, { key: newKey(), burst: 1, wanted: 9 })).granted).toBe(1);
    expect((await turn('a', NOW_MS, { key: newKey(), burst: 7, wanted: 9 })).granted).toBe(7);
    expect((await turn('a', NOW_MS, { key: newKey(), burst: 99, wanted: 99 })).granted).toBe(10);
  });
});

describe('a limit that changes', () => {
  it('is the smaller of both while both are asked for', async () => {
    const key = newKey();
    const old = { key, requests: 20, burst: 20 };
    const fewer = { key, requests: 5, burst: 20 };
    expect((await turn('a', NOW_MS, { ...old, wanted: 8 })).granted).toBe(8);
    expect((await turn('a', NOW_MS + 100, { ...fewer, wanted: 5 })).granted).toBe(0);
    await turn('a', NOW_MS + 100, { ...old, used: 8 });
    expect((await turn('a', NOW_MS + 1_200, { ...old, wanted: 20 })).granted).toBe(5);
    await turn('a', NOW_MS + 1_200, { ...old, used: 5 });
    const more = { key, requests: 30, burst: 30, wanted: 30 };
    expect((await turn('b', NOW_MS + 2_500, more)).granted).toBe(5);
    // The others are no longer asked for: from now on the new one alone counts.
    expect((await turn('b', NOW_MS + 6_000, more)).granted).toBe(30);
  });

  it.each([
    ['the shorter window, where it keeps to both', [20, 1_000], [1_000, 60_000], [16, 1_000]],
    ['the longer window, where the shorter one cannot', [1, 1_000], [30, 60_000], [1, 60_000]],
    ['the fewer in the same window', [20, 1_000], [7, 1_000], [7, 1_000]],
    ['whichever comes first', [1_000, 60_000], [20, 1_000], [16, 1_000]],
  ])('of two windows goes by %s', async (_name, [n1, w1], [n2, w2], together) => {
    const key = newKey();
    await turn('a', NOW_MS, { key, requests: n1 as number, windowMs: w1 as number });
    await turn('b', NOW_MS, { key, requests: n2 as number, windowMs: w2 as number });
    const [row] = await test.database.query('select requests, window_ms from rate_limit where key = $1', [
      key,
    ]);
    expect(row).toEqual({ requests: together[0], window_ms: together[1] });
  });
});

interface Sent {
  readonly sentMs: number;
  /** Where between sending and answer it arrives. */
  readonly where: number;
}

interface Process {
  name: string;
  limit: { requests: number; windowMs: number };
  open: Sent[];
  used: number;
  turnedMs: number;
}

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 250 }) }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      who: fc.nat(2),
      wanted: fc.constantFrom(0, 1, 3, 30),
      where: fc.constantFrom(0, 0.5, 1),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      who: fc.nat(2),
      count: fc.constantFrom(1, 9, 30),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const), who: fc.nat(2) }) },
);

describe('whatever processes do', () => {
  /** When requests arrive at the provider, over processes that take, wait, are answered and die. */
  async function play(
    limit: { requests: number; windowMs: number },
    burst: number | null,
    steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[],
  ): Promise<number[]> {
    const key = newKey();
    const arrivals: number[] = [];
    let nowMs = NOW_MS;
    let names = 0;
    const born = (): Process => {
      names += 1;
      return { name: `p${names}`, limit, open: [], used: 0, turnedMs: nowMs };
    };
    const processes = [born(), born(), born()];
    const ask = async (process: Process, wanted: number, where: number) => {
      const { granted } = await turn(process.name, nowMs, {
        key,
        ...process.limit,
        burst,
        held: process.open.length,
        used: process.used,
        wanted,
      });
      process.used = 0;
      process.turnedMs = nowMs;
      for (let each = 0; each < granted; each += 1) process.open.push({ sentMs: nowMs, where });
    };
    const arrive = (sent: readonly Sent[]) => {
      for (const { sentMs, where } of sent) arrivals.push(sentMs + where * (nowMs - sentMs));
    };
    for (const each of steps) {
      if (each.do === 'pass') {
        nowMs += each.ms;
        for (const process of processes) {
          if (process.open.length > 0 && nowMs - process.turnedMs > LEASE_MS / 4) await ask(process, 0, 0);
        }
        continue;
      }
      const process = processes[each.who] as Process;
      if (each.do === 'take') await ask(process, each.wanted, each.where);
      else if (each.do === 'answer') {
        const done = process.open.splice(0, each.count);
        arrive(done);
        process.used += done.length;
      } else {
        arrive(process.open);
        processes[each.who] = born();
      }
    }
    for (const process of processes) arrive(process.open);
    return arrivals.sort((a, b) => a - b);
  }

  const most = (times: readonly number[], windowMs: number) =>
    Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length));

  it.each([
    [3, 1_000, null],
    [20, 1_000, 20],
    [7, 300, 3],
    [1, 500, null],
  ])('no window holds more than %i in %i ms', async (requests, windowMs, burst) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 100, maxLength: 150 }), async (steps) => {
        const times = await play({ requests, windowMs }, burst, steps);
        expect(most(times, windowMs)).toBeLessThanOrEqual(requests);
      }),
      { numRuns: 40, seed: 11 },
    );
  });
});
