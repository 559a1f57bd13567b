/** Runs statements within their time and size, and has the server stop them when the time is over or the engine ends. */
import type { Socket } from 'node:net';
import type { SqlConnector, SqlRow, SqlStatement } from './sql-connection.ts';
import {
  sqlFailure,
  statementLost,
  statementStopped,
  statementTimeout,
  tooManyBytes,
  tooManyRows,
} from './sql-failures.ts';

/** How long a cancelled statement may take to confirm that it ended. MariaDB's KILL alone may take 2 s to find its thread. */
export const CANCEL_GRACE_MS = 5_000;

/** A request to cancel that comes before the statement began is lost, so it is repeated. */
const CANCEL_AGAIN_MS = 400;

/** How often the size of an answer is looked at while it comes in. */
const MEASURE_MS = 50;

export interface RunnerOptions {
  readonly connector: SqlConnector;
  /** The TCP socket below the connection. */
  readonly socket: Socket;
  /** Runs a statement; `accept` takes each row. */
  readonly start: (statement: SqlStatement, accept: (row: SqlRow) => void) => Promise<void>;
  /** Asks the server to stop what runs on the connection. */
  readonly cancel: () => Promise<void>;
  /** True for the error with which the server confirms a cancelled statement. */
  readonly isCancelled: (thrown: unknown) => boolean;
}

export interface Runner {
  /** The rows. After any limit the socket is gone. Throws SQL_FAILED, SQL_TIMEOUT, SQL_UNREACHABLE, SHUTDOWN. */
  readonly run: (statement: SqlStatement) => Promise<readonly SqlRow[]>;
  /** Has a running statement stopped, and waits until it is. Never throws. */
  readonly stop: () => Promise<void>;
}

type Reason = 'time' | 'stop';

/** One statement at a time. */
export function createRunner(options: RunnerOptions): Runner {
  const { connector, socket } = options;
  let stopRunning: (() => void) | undefined;
  let over: Promise<unknown> = Promise.resolve();

  const execute = (statement: SqlStatement): Promise<readonly SqlRow[]> =>
    new Promise((resolve, reject) => {
      const rows: SqlRow[] = [];
      const before = socket.bytesRead;
      let reason: Reason | undefined;
      let done = false;
      let grace: NodeJS.Timeout | undefined;
      let asking: NodeJS.Timeout | undefined;

      /** A cancel request may still be on its way and would hit whatever runs next: the connection ends with it. */
      const finish = (keep: boolean): void => {
        done = true;
        stopRunning = undefined;
        clearTimeout(timer);
        clearTimeout(grace);
        clearTimeout(asking);
        clearInterval(measure);
        if (!keep || reason !== undefined) socket.destroy();
      };
      const giveUp = (failure: Error): void => {
        finish(false);
        reject(failure);
      };
      const cancel = (why: Reason): void => {
        if (reason !== undefined) return;
        reason = why;
        const lost =
          why === 'time' ? statementTimeout(connector, statement, false) : statementLost(connector);
        grace = setTimeout(() => giveUp(lost), CANCEL_GRACE_MS);
        // Where cancelling fails, the grace time ends the wait.
        const ask = async (): Promise<void> => {
          await options.cancel().catch(() => {});
          if (!done) asking = setTimeout(ask, CANCEL_AGAIN_MS);
        };
        void ask();
      };
      const fits = (): boolean => {
        if (done || socket.bytesRead - before <= statement.maxBytes) return !done;
        giveUp(tooManyBytes(connector, statement));
        return false;
      };
      const timer = setTimeout(() => cancel('time'), statement.timeoutMs);
      const measure = setInterval(fits, MEASURE_MS);
      stopRunning = () => cancel('stop');

      const accept = (row: SqlRow): void => {
        if (!fits()) return;
        if (rows.length < statement.maxRows) rows.push(row);
        else giveUp(tooManyRows(connector, statement));
      };
      options.start(statement, accept).then(
        () => {
          if (!fits()) return;
          finish(true);
          resolve(rows);
        },
        (thrown: unknown) => {
          if (done) return;
          finish(true);
          const cancelled = reason !== undefined && options.isCancelled(thrown);
          if (!cancelled) reject(sqlFailure(thrown, connector, true));
          else if (reason === 'time') reject(statementTimeout(connector, statement, true));
          else reject(statementStopped(connector));
        },
      );
    });

  return Object.freeze<Runner>({
    run: (statement) => {
      const running = execute(statement);
      over = running.catch(() => {});
      return running;
    },
    stop: async () => {
      stopRunning?.();
      await over;
    },
  });
}
