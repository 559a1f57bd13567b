/** What is wrong with the data folder is said to the operator, and nothing in it is changed. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOfCommand } from './run.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluiceway-folder-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a data folder that cannot be used', () => {
  it.each([
    ['file', 'there is a file of this name'],
    ['file/below', 'a part of its path is a file'],
  ])('%s: %s', async (name, reason) => {
    await writeFile(join(folder, 'file'), '');
    const data = join(folder, name);
    for (const command of [['migrate'], ['serve']]) {
      expect(await failureOfCommand(command, { SLUICEWAY_DATA: data, SLUICEWAY_PORT: '0' })).toBe(
        `The data folder ${data} cannot be used: ${reason}. Fix that, or name another folder in SLUICEWAY_DATA.`,
      );
    }
  });

  it('a key that is cut short is not taken, and stays as it is', async () => {
    const path = join(folder, 'secret.key');
    await writeFile(path, 'c2hvcnQ=');
    const message = await failureOfCommand(['serve'], { SLUICEWAY_DATA: folder, SLUICEWAY_PORT: '0' });
    expect(message).toContain(`${path} must hold a key of 32 bytes in base64, but is damaged.`);
    expect(await readFile(path, 'utf8')).toBe('c2hvcnQ=');
  });

  it('a database whose files are damaged is named, and its lock is free again', async () => {
    const database = join(folder, 'database');
    await mkdir(database);
    await writeFile(join(database, 'PG_VERSION'), 'none');
    const message = await failureOfCommand(['migrate'], { SLUICEWAY_DATA: folder });
    expect(message).toContain(`The embedded database in ${database} could not be opened`);
    expect(await failureOfCommand(['migrate'], { SLUICEWAY_DATA: folder })).toBe(message);
    expect(await readFile(join(database, 'PG_VERSION'), 'utf8')).toBe('none');
  });
});
