/** The data folder of the embedded mode, which is made if it is missing. What is wrong with it is for the operator to fix. */
import { mkdir } from 'node:fs/promises';
import { Failure } from '../errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this process may not write there',
  EPERM: 'this process may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'there is a file of this name',
  ENOTDIR: 'a part of its path is a file',
};

/** Makes the folder and runs what needs it. Throws SETTINGS_INVALID if the folder cannot be used. */
export async function inDataFolder<T>(folder: string, run: () => Promise<T>): Promise<T> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return await run();
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
    const reason = Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
    if (thrown instanceof Failure || reason === undefined) throw thrown;
    throw new Failure(
      'SETTINGS_INVALID',
      `The data folder ${folder} cannot be used: ${reason}. Fix that, or name another folder in SLUICEWAY_DATA.`,
      { cause: thrown },
    );
  }
}
