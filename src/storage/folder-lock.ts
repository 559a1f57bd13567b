/**
 * The lock on a data folder. The kernel holds it together with an open file, so every process of the host sees it, in
 * whatever pid namespace it runs, and it is gone when its process is, also one that was killed and is still a zombie.
 * Node has no call for such locks, but the SQLite that it brings takes one for a transaction: fcntl on Linux and macOS,
 * LockFileEx on Windows. The lock file stays empty and is never deleted.
 *
 * Nothing else in this process may open the lock file: POSIX drops all locks of a process on a file as soon as it closes
 * any handle of it. Hence the file is not in the folder of the database, and the holder is described in another one.
 */
import { rmSync } from 'node:fs';
import { access, constants, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../errors.ts';
import { own } from '../json.ts';

const LOCK_FILE = 'sluiceway.lock';
const HOLDER_FILE = 'sluiceway.holder.json';
/** How long the kernel may take to clean up after a killed process, whose lock ends with it. */
const CLEANUP_MS = 2_000;
const RETRY_MS = 25;
/** The primary result code of SQLite when another process or connection has the lock. */
const SQLITE_BUSY = 5;

/** For people only: nothing is decided by it. */
interface Holder {
  /** As it is known in the pid namespace of the holder. */
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
}

/**
 * Takes the lock of a folder and returns a function that releases it. Throws DATA_FOLDER_IN_USE if another process, or
 * this one, has it, and SETTINGS_INVALID if the file system has no locks.
 */
export async function lockFolder(folder: string): Promise<() => void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // A refusal of the file system is told by its own code, which SQLite would hide.
  await access(folder, constants.W_OK);
  const lock = await acquire(folder);
  try {
    await writeHolder(folder);
  } catch (thrown) {
    lock.close();
    throw thrown;
  }
  return () => {
    rmSync(join(folder, HOLDER_FILE), { force: true });
    lock.close();
  };
}

async function acquire(folder: string): Promise<DatabaseSync> {
  const startedMs = performance.now();
  for (;;) {
    const lock = tryLock(folder);
    if (lock !== undefined) return lock;
    if (performance.now() - startedMs >= CLEANUP_MS) throw inUse(folder, await readHolder(folder));
    await sleep(RETRY_MS);
  }
}

/** Undefined if the lock is taken. */
function tryLock(folder: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, LOCK_FILE), { timeout: 0 });
    database.exec('begin exclusive');
    return database;
  } catch (thrown) {
    database?.close();
    if ((Number(own(thrown, 'errcode')) & 0xff) === SQLITE_BUSY) return undefined;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Failure(
      'SETTINGS_INVALID',
      `The data folder ${folder} cannot be locked (${reason}). Put it on a local disk that has locks and free space, where this process may write.`,
      { cause: thrown },
    );
  }
}

function inUse(folder: string, holder: Holder | undefined): Failure {
  const by =
    holder === undefined
      ? 'another process'
      : `process ${holder.pid} on host ${holder.host} since ${holder.since}`;
  return new Failure(
    'DATA_FOLDER_IN_USE',
    `The data folder ${folder} is used by ${by}. Stop that process, or give this one another folder in SLUICEWAY_DATA, or use a server in DATABASE_URL.`,
  );
}

/** Written under another name first, so that nobody reads half of it. */
async function writeHolder(folder: string): Promise<void> {
  const holder: Holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  const path = join(folder, HOLDER_FILE);
  await writeFile(`${path}.new`, JSON.stringify(holder), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

async function readHolder(folder: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, HOLDER_FILE), 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}
