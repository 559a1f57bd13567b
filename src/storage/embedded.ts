/**
 * The embedded database: PGlite in a worker thread of its own, because it blocks the thread it is on.
 * It has one connection, so a transaction holds the others back, and no lock of its own, so we bring one.
 */
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Failure } from '../errors.ts';
import type { Database, Sql, SqlValue } from './database.ts';
import { lockFolder } from './folder-lock.ts';

interface Answer {
  readonly id: number;
  readonly rows?: unknown[];
  readonly error?: { readonly message: string; readonly code?: string; readonly detail?: string };
}

/**
 * Opens the database in a folder, whose parent is the data folder and gets locked; without a folder, a database in memory:
 * empty, or as it is in `image`, a file with a dump of such a folder. Throws DATA_FOLDER_IN_USE, and DATABASE_UNREACHABLE
 * if it cannot be opened.
 */
export async function openEmbedded(folder?: string, image?: string): Promise<Database> {
  const unlock = folder === undefined ? () => {} : await lockFolder(dirname(folder));
  const worker = new Worker(new URL('./embedded-worker.ts', import.meta.url), {
    workerData: { folder, image },
  });
  const pending = new Map<number, { resolve: (rows: unknown[]) => void; reject: (error: unknown) => void }>();
  const listeners = new Set<(topic: string) => void>();
  let lastId = 0;
  let closed = false;
  const fail = (error: unknown) => {
    closed = true;
    for (const each of pending.values()) each.reject(error);
    pending.clear();
  };
  worker.on('message', (answer: Answer) => {
    const asked = pending.get(answer.id);
    pending.delete(answer.id);
    if (answer.error === undefined) asked?.resolve(answer.rows ?? []);
    else asked?.reject(Object.assign(new Error(answer.error.message), answer.error));
  });
  worker.on('error', fail);
  worker.on('exit', () => fail(new Failure('SHUTDOWN', 'The embedded database is closed.')));

  const ask = (kind: 'query' | 'script' | 'close', text: string, values: readonly SqlValue[]) =>
    new Promise<unknown[]>((resolve, reject) => {
      if (closed) {
        reject(new Failure('SHUTDOWN', 'The embedded database is closed.'));
        return;
      }
      lastId += 1;
      pending.set(lastId, { resolve, reject });
      worker.postMessage({ id: lastId, kind, text, values });
    });

  // Transactions run one after another; statements outside wait while one is open.
  let turn: Promise<unknown> = Promise.resolve();
  let open = 0;
  const exclusive = <T>(run: () => Promise<T>): Promise<T> => {
    open += 1;
    const mine = turn.then(run, run).finally(() => {
      open -= 1;
    });
    turn = mine.catch(() => {});
    return mine;
  };
  const inside: Sql = {
    query: async <Row>(text: string, values: readonly SqlValue[] = []) =>
      (await ask('query', text, values)) as Row[],
  };
  const query: Sql['query'] = <Row>(text: string, values: readonly SqlValue[] = []) =>
    open === 0 ? inside.query<Row>(text, values) : exclusive(() => inside.query<Row>(text, values));

  try {
    await ask('query', 'select 1', []);
  } catch (thrown) {
    await worker.terminate();
    unlock();
    throw folder === undefined ? thrown : notOpened(folder, thrown);
  }
  return Object.freeze<Database>({
    kind: 'embedded',
    query,
    transaction: <T>(run: (tx: Sql) => Promise<T>) =>
      exclusive(async () => {
        await inside.query('begin');
        try {
          const value = await run(inside);
          await inside.query('commit');
          return value;
        } catch (thrown) {
          await inside.query('rollback');
          throw thrown;
        }
      }),
    script: (text) => exclusive(() => ask('script', text, []).then(() => undefined)),
    wake: async (topic) => {
      for (const listener of listeners) listener(topic);
    },
    onWake: async (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      if (!closed) await exclusive(() => ask('close', '', []));
      await worker.terminate();
      unlock();
    },
  });
}

function notOpened(folder: string, thrown: unknown): Failure {
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new Failure(
    'DATABASE_UNREACHABLE',
    `The embedded database in ${folder} could not be opened (${reason}). Its files are damaged, or the disk is full or not writable. Fix that, or restore the folder from a backup; if it is moved away, a new and empty one is made.`,
    { cause: thrown },
  );
}
