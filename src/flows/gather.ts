/**
 * Gathers what arrives while a write is under way and writes it together: one flush in flight while the next gathers.
 * This is what makes a disk with slow commits fast.
 */
export interface Gatherer<Item, Result = void> {
  /** Adds an item; resolves with its result once it is written. */
  readonly add: (item: Item) => Promise<Result>;
  /** Resolves when nothing is waiting or under way. */
  readonly drain: () => Promise<void>;
}

/**
 * `flush` writes many items and gives their results in the same order (or nothing, where results do not matter).
 * A failed flush fails all its items.
 */
export function createGatherer<Item, Result = void>(
  flush: (items: Item[]) => Promise<readonly Result[] | undefined>,
  mostItems: number,
): Gatherer<Item, Result> {
  type Entry = { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void };
  let gathered: Entry[] = [];
  let running: Promise<void> | undefined;

  const run = async () => {
    // One turn of the event loop lets what arrived in the same moment travel together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (gathered.length > 0) {
      const batch = gathered.length <= mostItems ? gathered : gathered.slice(0, mostItems);
      gathered = gathered.length <= mostItems ? [] : gathered.slice(mostItems);
      try {
        const results = await flush(batch.map((entry) => entry.item));
        for (let index = 0; index < batch.length; index += 1) {
          (batch[index] as Entry).resolve(results?.[index] as Result);
        }
      } catch (thrown) {
        for (const entry of batch) entry.reject(thrown);
      }
    }
    running = undefined;
  };

  return Object.freeze<Gatherer<Item, Result>>({
    add: (item) =>
      new Promise<Result>((resolve, reject) => {
        gathered.push({ item, resolve, reject });
        running ??= run();
      }),
    drain: async () => {
      while (running !== undefined) await running;
    },
  });
}
