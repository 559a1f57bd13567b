/** Connections to one foreign database, used again while they are good and closed when unused. */
import { Failure } from '../errors.ts';
import type { SqlConnection } from './sql-connection.ts';

export interface SqlPoolOptions {
  /** Opens a connection within this time. */
  readonly open: (timeoutMs: number) => Promise<SqlConnection>;
  readonly host: string;
  readonly maxConnections: number;
  readonly idleMs: number;
  /** Called when the last connection is closed. */
  readonly onEmpty: () => void;
}

export interface SqlPool {
  /** Lends a connection to `use`. `again` false: the connection is closed after it. Throws SQL_TIMEOUT where none gets free in time. */
  readonly lend: <T>(
    timeoutMs: number,
    again: boolean,
    use: (connection: SqlConnection) => Promise<T>,
  ) => Promise<T>;
  /** Ends all connections; running statements are cancelled. Never throws. */
  readonly close: () => Promise<void>;
}

interface Waiter {
  readonly go: () => void;
}

/** A pool that opens connections as they are needed. */
export function createSqlPool(options: SqlPoolOptions): SqlPool {
  const { maxConnections, idleMs, host } = options;
  const idle: { readonly connection: SqlConnection; readonly timer: NodeJS.Timeout }[] = [];
  const waiting = new Set<Waiter>();
  const lent = new Set<SqlConnection>();
  let count = 0;
  let closed = false;

  const gone = (): void => {
    count -= 1;
    const [next] = waiting;
    next?.go();
    if (count === 0 && waiting.size === 0) options.onEmpty();
  };

  const takeIdle = (): SqlConnection | undefined => {
    for (let entry = idle.pop(); entry !== undefined; entry = idle.pop()) {
      clearTimeout(entry.timer);
      if (entry.connection.alive()) return entry.connection;
      count -= 1;
    }
    return undefined;
  };

  const giveBack = (connection: SqlConnection, again: boolean): void => {
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
        reject(noneFree(host, maxConnections, timeoutMs));
      }, timeoutMs);
      waiting.add(waiter);
    });

  const take = async (timeoutMs: number): Promise<SqlConnection> => {
    const startMs = performance.now();
    for (;;) {
      if (closed)
        throw new Failure(
          'SHUTDOWN',
          `The statement for ${host} was not sent, because the engine is stopping.`,
        );
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

  return Object.freeze<SqlPool>({
    lend: async (timeoutMs, again, use) => {
      const connection = await take(timeoutMs);
      lent.add(connection);
      try {
        // It may have taken until after the end to get it.
        if (closed) throw stopping(host);
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

/** The engine ends before a statement was sent. */
export function stopping(host: string): Failure {
  return new Failure('SHUTDOWN', `The statement for ${host} was not sent, because the engine is stopping.`);
}

function noneFree(host: string, connections: number, timeoutMs: number): Failure {
  return new Failure(
    'SQL_TIMEOUT',
    `All ${connections} connections to the database at ${host} were busy for ${timeoutMs / 1000} s. Make the statements faster, or raise connection_timeout.`,
    { kind: 'timeout', ambiguous: false },
  );
}
