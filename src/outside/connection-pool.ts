/** Connections to one server, used again while they are good and closed when unused. */
import type { Failure } from '../errors.ts';

export interface Pooled {
  readonly alive: () => boolean;
  /** Never throws. */
  readonly close: () => Promise<void>;
}

export interface ConnectionPoolOptions<C extends Pooled> {
  /** Opens a connection within this time. */
  readonly open: (timeoutMs: number) => Promise<C>;
  readonly maxConnections: number;
  readonly idleMs: number;
  /** What is thrown where no connection gets free in time. */
  readonly busy: (timeoutMs: number) => Failure;
  /** What is thrown once the pool is closed. */
  readonly stopping: () => Failure;
  /** Called when the last connection is closed. */
  readonly onEmpty: () => void;
}

export interface ConnectionPool<C extends Pooled> {
  /** Lends a connection to `use`. `again` false: the connection is closed after it. Throws `busy` where none gets free in time. */
  readonly lend: <T>(timeoutMs: number, again: boolean, use: (connection: C) => Promise<T>) => Promise<T>;
  /** Ends all connections; running statements are cancelled. Never throws. */
  readonly close: () => Promise<void>;
}

interface Waiter {
  readonly go: () => void;
}

/** A pool that opens connections as they are needed. */
export function createConnectionPool<C extends Pooled>(options: ConnectionPoolOptions<C>): ConnectionPool<C> {
  const { maxConnections, idleMs } = options;
  const idle: { readonly connection: C; readonly timer: NodeJS.Timeout }[] = [];
  const waiting = new Set<Waiter>();
  const lent = new Set<C>();
  let count = 0;
  let closed = false;

  const gone = (): void => {
    count -= 1;
    const [next] = waiting;
    next?.go();
    if (count === 0 && waiting.size === 0) options.onEmpty();
  };

  const takeIdle = (): C | undefined => {
    for (let entry = idle.pop(); entry !== undefined; entry = idle.pop()) {
      clearTimeout(entry.timer);
      if (entry.connection.alive()) return entry.connection;
      count -= 1;
    }
    return undefined;
  };

  const giveBack = (connection: C, again: boolean): void => {
    lent.delete(connection);
    if (closed || !again || !connection.alive()) {
      void connection.close();
      gone();
      return;
    }
    const timer = setTimeout(() => {
      idle.splice(
        idle.findIndex((entry) => entry.connection === connection),
        1,
      );
      void connection.close();
      gone();
    }, idleMs);
    timer.unref();
    idle.push({ connection, timer });
    const [next] = waiting;
    next?.go();
  };

  const room = (timeoutMs: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const waiter: Waiter = {
        go: () => {
          waiting.delete(waiter);
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        waiting.delete(waiter);
        reject(options.busy(timeoutMs));
      }, timeoutMs);
      waiting.add(waiter);
    });

  const take = async (timeoutMs: number): Promise<C> => {
    const startMs = performance.now();
    for (;;) {
      if (closed) throw options.stopping();
      const connection = takeIdle();
      if (connection !== undefined) return connection;
      const leftMs = Math.max(1, Math.ceil(timeoutMs - (performance.now() - startMs)));
      if (count < maxConnections) {
        count += 1;
        try {
          return await options.open(leftMs);
        } catch (thrown) {
          gone();
          throw thrown;
        }
      }
      await room(leftMs);
    }
  };

  return Object.freeze<ConnectionPool<C>>({
    lend: async (timeoutMs, again, use) => {
      const connection = await take(timeoutMs);
      lent.add(connection);
      try {
        // It may have taken until after the end to get it.
        if (closed) throw options.stopping();
        return await use(connection);
      } finally {
        giveBack(connection, again);
      }
    },
    close: async () => {
      closed = true;
      const ending = [...lent].map((connection) => connection.close());
      for (const { connection, timer } of idle.splice(0)) {
        clearTimeout(timer);
        count -= 1;
        ending.push(connection.close());
      }
      for (const waiter of waiting) waiter.go();
      await Promise.all(ending);
    },
  });
}
