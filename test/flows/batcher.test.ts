/** The gatherer: what travels together, how many flushes are on their way at once, and what a failed one fails. */
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createBatcher } from '../../src/flows/batcher.ts';

/** A flush that ends when it is told to. */
function held() {
  const flights: { items: number[]; land: () => void; crash: (error: Error) => void }[] = [];
  const flush = (items: number[]) =>
    new Promise<string[]>((resolve, reject) => {
      flights.push({ items, land: () => resolve(items.map((item) => `done ${item}`)), crash: reject });
    });
  return { flights, flush, carried: () => flights.map(({ items }) => items) };
}

describe('a gatherer', () => {
  it('sends together what comes together, and then what came in the meantime', async () => {
    const { flights, flush, carried } = held();
    const gatherer = createBatcher(flush, 10);
    const first = Promise.all([gatherer.add(1), gatherer.add(2)]);
    await turn();
    const second = Promise.all([gatherer.add(3), gatherer.add(4)]);
    await turn();
    expect(carried()).toEqual([[1, 2]]);
    flights[0]?.land();
    expect(await first).toEqual(['done 1', 'done 2']);
    expect(carried()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    flights[1]?.land();
    expect(await second).toEqual(['done 3', 'done 4']);
  });

  it('has no more in one flush, and no more flushes on their way, than it was told', async () => {
    const { flights, flush, carried } = held();
    const gatherer = createBatcher(flush, 2, 2);
    const all = Promise.all([1, 2, 3, 4, 5].map((item) => gatherer.add(item)));
    await turn();
    expect(carried()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    flights[1]?.land();
    await turn();
    expect(carried()).toEqual([[1, 2], [3, 4], [5]]);
    for (const each of flights) each.land();
    expect(await all).toEqual([1, 2, 3, 4, 5].map((item) => `done ${item}`));
  });

  it('fails what a failed flush carried, and nothing else', async () => {
    const { flights, flush } = held();
    const gatherer = createBatcher(flush, 1, 2);
    const [lost, kept] = [gatherer.add(1), gatherer.add(2)];
    await turn();
    flights[0]?.crash(new Error('the disk is full'));
    flights[1]?.land();
    await expect(lost).rejects.toThrow('the disk is full');
    expect(await kept).toBe('done 2');
  });

  it('is drained when nothing waits and nothing is on its way', async () => {
    const { flights, flush } = held();
    const gatherer = createBatcher(flush, 1);
    const all = Promise.all([gatherer.add(1), gatherer.add(2)]);
    let drained = false;
    const draining = gatherer.drain().then(() => {
      drained = true;
    });
    await turn();
    flights[0]?.land();
    await turn();
    expect(drained).toBe(false);
    flights[1]?.land();
    await draining;
    expect(await all).toEqual(['done 1', 'done 2']);
    await gatherer.drain();
  });
});
