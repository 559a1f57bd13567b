/**
 * Gathers what arrives while a write is under way and writes it together: one flush in flight, or so many as are said,
 * while the next gathers. This is what makes a disk with slow commits fast.
 */
export interface Batcher<Item, Result = void> {
  /** Adds an item; resolves with its result once it is written. */
  readonly add: (item: Item) => Promise<Result>;
  /** Resolves when nothing is waiting or under way. */
  readonly drain: () => Promise<void>;
}

/**
 * `flush` writes many items and gives their results in the same order (or nothing, where results do not matter).
 * A failed flush fails all its items.
 */
export function createBatcher<Item, Result = void>(
  flush: (items: Item[]) => Promise<readonly Result[] | undefined>,
  mostItems: number,
  mostFlights = 1,
): Batcher<Item, Result> {
  type Entry = { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void };
  let batched: Entry[] = [];
  let flights = 0;
  let asked = false;
  let drained: (() => void)[] = [];

  const fly = async (batch: Entry[]) => {
    flights += 1;
    try {
      const results = await flush(batch.map((entry) => entry.item));
      for (let index = 0; index < batch.length; index += 1) {
        (batch[index] as Entry).resolve(results?.[index] as Result);
      }
    } catch (thrown) {
      for (const entry of batch) entry.reject(thrown);
    }
    flights -= 1;
    start();
  };

  const start = () => {
    while (batched.length > 0 && flights < mostFlights) {
      const batch = batched.length <= mostItems ? batched : batched.slice(0, mostItems);
      batched = batched.length <= mostItems ? [] : batched.slice(mostItems);
      void fly(batch);
    }
    if (flights > 0) return;
    for (const each of drained) each();
    drained = [];
  };

  /** One turn of the event loop lets what arrived in the same moment travel together. */
  const ask = () => {
    if (asked || flights === mostFlights) return;
    asked = true;
    setImmediate(() => {
      asked = false;
      start();
    });
  };

  return Object.freeze<Batcher<Item, Result>>({
    add: (item) =>
      new Promise<Result>((resolve, reject) => {
        batched.push({ item, resolve, reject });
        ask();
      }),
    drain: async () => {
      while (flights > 0 || batched.length > 0) {
        await new Promise<void>((resolve) => {
          drained.push(resolve);
        });
      }
    },
  });
}
