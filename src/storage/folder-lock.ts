/** A lock on a data folder: a file with the process that holds it. A dead holder's lock is taken over. */

import { rmSync } from 'node:fs';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../errors.ts';

interface Holder {
  readonly pid: number;
  /** When that process began, as the system tells it; a reused pid has another. */
  readonly began: string;
}

/** Takes the lock or throws DATA_FOLDER_IN_USE; gives a function that frees it. */
export async function lockFolder(folder: string): Promise<() => void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'sluiceway.lock');
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      const file = await open(path, 'wx');
      const holder: Holder = { pid: process.pid, began: await beganOf(process.pid) };
      await file.writeFile(JSON.stringify(holder));
      await file.close();
      return () => rmSync(path, { force: true });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    }
    const holder = await readHolder(path);
    if (holder !== undefined && (await isAlive(holder))) {
      throw new Failure(
        'DATA_FOLDER_IN_USE',
        `The data folder ${folder} is used by process ${holder.pid}. Stop that process, or give this one another folder in SLUICEWAY_DATA, or use a server in DATABASE_URL.`,
      );
    }
    await rm(path, { force: true });
  }
  throw new Failure(
    'DATA_FOLDER_IN_USE',
    `The lock of the data folder ${folder} could not be taken; try again.`,
  );
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return (await beganOf(holder.pid)) === holder.began;
}

/** The start time of a process where the system tells it (Linux), otherwise an empty text. */
async function beganOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
