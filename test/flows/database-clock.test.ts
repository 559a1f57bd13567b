/** The clock of the database: whatever the machine says, and however slowly the database answers. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type DatabaseClock, followClock } from '../../src/flows/database-clock.ts';
import type { Sql } from '../../src/storage/database.ts';
import { until } from '../support/engine.ts';

const HOUR_MS = 3_600_000;
let clock: DatabaseClock | undefined;
afterEach(() => clock?.stop());

/** A database whose clock is so far from this machine's. */
function booksThat(aheadMs: number) {
  const books = { aheadMs, reads: 0, again: 0, fails: false, failed: 0 };
  const sql: Sql = {
    query: async (text) => {
      if (books.fails) {
        books.failed += 1;
        throw new Error('down');
      }
      if (text.startsWith('update lane')) {
        books.again += 1;
        return [];
      }
      books.reads += 1;
      return [{ now: Date.now() + books.aheadMs }] as never;
    },
  };
  return { books, sql };
}
const log = { warn: () => {}, debug: () => {} };
const offMs = (aheadMs: number) => Math.abs((clock?.now() ?? 0) - Date.now() - aheadMs);

describe('the clock of the database', () => {
  it('is that of the database', async () => {
    const { sql, books } = booksThat(-2 * HOUR_MS);
    clock = await followClock(sql, log, 5);
    expect(Number.isInteger(clock.now())).toBe(true);
    await until(async () => books.reads > 3);
    expect(offMs(-2 * HOUR_MS)).toBeLessThan(60_000);
    expect(books.again).toBe(0);
  });

  it('is as exact as the quickest reading: slow ones move it only where it cannot be right', async () => {
    let nowMs = 1_000_000;
    const own = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    let reads = 0;
    let askMs = 60;
    const sql: Sql = {
      query: async () => {
        reads += 1;
        nowMs += askMs;
        return [{ now: nowMs + HOUR_MS }] as never;
      },
    };
    const off = () => (clock?.now() ?? 0) - nowMs - HOUR_MS;
    const read = async () => {
      const before = reads;
      // The second one began after this, and the third one after its end.
      await until(async () => reads >= before + 3);
    };
    clock = await followClock(sql, log, 1);
    expect(off()).toBe(30);
    askMs = 0;
    await read();
    expect(off()).toBe(0);
    askMs = 60;
    await read();
    expect(off()).toBe(0);
    own.mockRestore();
  });

  it('follows a jump, and has everyone look for what was written in the meantime', async () => {
    const { sql, books } = booksThat(0);
    clock = await followClock(sql, log, 5);
    for (const aheadMs of [HOUR_MS, -HOUR_MS]) {
      const { again } = books;
      books.aheadMs = aheadMs;
      await until(async () => books.again > again);
      expect(offMs(aheadMs)).toBeLessThan(60_000);
    }
    expect(books.again).toBe(2);
  });

  it('goes on while the database is away', async () => {
    const { sql, books } = booksThat(HOUR_MS);
    clock = await followClock(sql, log, 5);
    books.fails = true;
    await until(async () => books.failed > 1);
    expect(offMs(HOUR_MS)).toBeLessThan(60_000);
    books.fails = false;
    books.aheadMs = 0;
    await until(async () => offMs(0) < 60_000);
  });
});
