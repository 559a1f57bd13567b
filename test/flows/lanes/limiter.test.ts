/** The limiter of a process: who goes, who waits here, who goes back to wait. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { asFailure } from '../../../src/errors.ts';
import { createLimiter, type KeyedLimit, type Limiter } from '../../../src/flows/lanes/limiter.ts';
import type { Runtime } from '../../../src/flows/runtime.ts';
import { createIds } from '../../../src/ids.ts';
import type { Database } from '../../../src/storage/database.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { failureOf } from '../../support/failure-of.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase('embedded', Date.now());
});
afterAll(() => test.end());

const made: Limiter[] = [];
afterEach(async () => {
  for (const limiter of made.splice(0)) await limiter.stop();
});

const errors: string[] = [];
function newLimiter(query: Database['query'] = test.database.query): Limiter {
  const clock = { now: Date.now };
  const log = { error: (_fields: object, text: string) => errors.push(text) };
  const database = { ...test.database, query };
  const runtime = { database, clock, ids: createIds(clock), log, random: () => 0.5 } as unknown as Runtime;
  const limiter = createLimiter(runtime, { leaseMs: 10_000 });
  made.push(limiter);
  return limiter;
}

let keys = 0;
function newLimit(requests: number, perSeconds: number, burst = requests): KeyedLimit {
  keys += 1;
  return { key: `limit ${keys}`, limit: { requests, perSeconds, scope: 'channel', burst } };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const refusal = (limiter: Limiter, ...limits: KeyedLimit[]) =>
  failureOf(() => limiter.within(limits, async () => 'sent'));

/** Sends as the engine does: who is refused comes again. */
async function insist(limiter: Limiter, limit: KeyedLimit, send: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await limiter.within([limit], send);
      return;
    } catch (thrown) {
      const { code, details } = asFailure(thrown);
      expect(code).toBe('RATE_LIMITED');
      await pause(details.retryAfterMs ?? Number.NaN);
    }
  }
}

describe('a limit', () => {
  it('lets through what it may, and sends back what would wait long', async () => {
    const limiter = newLimiter();
    const limit = newLimit(3, 600);
    const sent = await Promise.all([1, 2, 3].map((each) => limiter.within([limit], async () => each)));
    expect(sent).toEqual([1, 2, 3]);
    const refused = await refusal(limiter, limit);
    expect(refused).toMatchObject({ code: 'RATE_LIMITED', details: { kind: 'limit' } });
    // Asked again each minute, however long the window: the limit may be another one by then.
    expect(refused.details.retryAfterMs).toBeGreaterThan(50_000);
    expect(refused.details.retryAfterMs).toBeLessThan(62_000);
  });

  it('holds for all processes, whatever each of them does', async () => {
    const limit = newLimit(5, 0.5);
    const processes = [newLimiter(), newLimiter(), newLimiter()];
    const answered: { sentMs: number; answeredMs: number }[] = [];
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        insist(processes[index % 3] as Limiter, limit, async () => {
          const sentMs = performance.now();
          await pause((index * 7) % 40);
          answered.push({ sentMs, answeredMs: performance.now() });
        }),
      ),
    );
    expect(answered).toHaveLength(30);
    // Each request came to its provider at an instant that nobody here knows; whichever it was, the limit held.
    for (const { answeredMs } of answered) {
      const inWindow = answered.filter((each) => each.sentMs < answeredMs + 500 && each.sentMs >= answeredMs);
      expect(inWindow.length).toBeLessThanOrEqual(5);
    }
    const windows = answered.map(
      ({ answeredMs }) =>
        answered.filter((each) => each.answeredMs >= answeredMs && each.sentMs < answeredMs + 500).length,
    );
    expect(Math.max(...windows)).toBeLessThanOrEqual(5);
  });

  it('gives what fails, and counts it', async () => {
    const limiter = newLimiter();
    const limit = newLimit(1, 600);
    await expect(limiter.within([limit], () => Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    );
    expect((await refusal(limiter, limit)).code).toBe('RATE_LIMITED');
  });

  it('gives back its token where another limit says no', async () => {
    const limiter = newLimiter();
    const [wide, narrow] = [newLimit(1, 600), newLimit(1, 600)];
    await limiter.within([narrow], async () => {});
    expect((await refusal(limiter, wide, narrow)).code).toBe('RATE_LIMITED');
    await pause(300);
    expect(await newLimiter().within([wide], async () => 'sent')).toBe('sent');
  });

  it('is kept while its provider rests', async () => {
    const limiter = newLimiter();
    const limit = newLimit(10, 1);
    await limiter.within([limit], async () => {});
    await limiter.hold([limit.key], 30_000);
    for (const each of [limiter, newLimiter()]) {
      const refused = await refusal(each, limit);
      expect(refused.details.retryAfterMs).toBeGreaterThan(25_000);
      expect(refused.details.retryAfterMs).toBeLessThan(31_000);
    }
  });
});

describe('tokens that come when nobody waits for them any more', () => {
  it('go back: the provider asked for rest while they were asked for', async () => {
    let asked = () => {};
    let answer = () => {};
    const asking = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const limiter = newLimiter(async (text, values) => {
      const rows = await test.database.query(text, values);
      if (!text.includes('turn_rate_limits')) return rows as never;
      asked();
      await answered;
      return rows as never;
    });
    const limit = newLimit(2, 600);
    const refusals = [refusal(limiter, limit), refusal(limiter, limit)];
    await asking;
    await limiter.hold([limit.key], 1);
    answer();
    for (const refused of await Promise.all(refusals)) expect(refused.code).toBe('RATE_LIMITED');
    const { key } = limit;
    await vi.waitFor(async () => {
      const [row] = await test.database.query<{ taken: number }>(
        'select sum(taken)::int as taken from rate_holder where key = $1',
        [key],
      );
      expect(row).toEqual({ taken: 0 });
    });
    // They did not leave, so they are there at once.
    expect(await newLimiter().within([limit], async () => 'sent')).toBe('sent');
  });
});

describe('a database that fails', () => {
  it('makes wait, and nothing fails', async () => {
    const limiter = newLimiter(() => Promise.reject(new Error('down')));
    const refused = await refusal(limiter, newLimit(1, 1));
    expect(refused).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfterMs: 1_000 } });
    expect(errors.at(-1)).toContain('a rate limit could not be asked');
  });

  it('whose answer was lost has given nothing away', async () => {
    let lost = 0;
    const limiter = newLimiter(async (text, values) => {
      const rows = await test.database.query(text, values);
      lost += 1;
      if (lost === 1) throw new Error('lost');
      return rows as never;
    });
    const limit = newLimit(1, 600);
    expect((await refusal(limiter, limit)).details.retryAfterMs).toBe(1_000);
    await pause(1_000);
    expect(await limiter.within([limit], async () => 'sent')).toBe('sent');
  });
});

describe('a process that stands still for longer than its lease', () => {
  it.each([
    ['', false],
    [' and renews its lease after that', true],
  ])(
    'while it waits for the second of two limits%s: sends nothing on the first, which others may have by now',
    async (_text, renews) => {
      const [first, second] = [newLimit(2, 600), newLimit(1, 600)];
      const now = performance.now.bind(performance);
      let stoodStillMs = 0;
      let renewing: Promise<void> | undefined;
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + stoodStillMs);
      let sent = 0;
      const send = async () => {
        sent += 1;
      };
      const limiter: Limiter = newLimiter(async (text, values) => {
        const rows = await test.database.query(text, values);
        if (stoodStillMs > 0 || !JSON.stringify(values).includes(second.key)) return rows as never;
        stoodStillMs = 3_600_000;
        if (renews) renewing = limiter.within([first], send);
        return [{ granted: 0, wait_ms: 10, soon: 1 }] as never;
      });
      const refused = await failureOf(() => limiter.within([first, second], send));
      await renewing;
      clock.mockRestore();
      expect(refused.code).toBe('RATE_LIMITED');
      expect(sent).toBe(renews ? 1 : 0);
    },
  );
});
