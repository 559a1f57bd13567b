/**
 * A process that locks data folders. With a folder as argument it locks that one and keeps it. Without, it reads lines: a
 * folder to lock, in which it is alone for a moment, and answers `held`, `refused: …`, or `not alone`.
 */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockFolder } from '../../src/storage/folder-lock.ts';

const INSIDE_MS = 5;

async function answer(folder: string): Promise<string> {
  let unlock: () => void;
  try {
    unlock = await lockFolder(folder);
  } catch (thrown) {
    return `refused: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
  const mark = join(folder, 'inside');
  try {
    await (await open(mark, 'wx')).close();
    await sleep(INSIDE_MS);
    await rm(mark);
    return 'held';
  } catch (thrown) {
    return `not alone: ${String(thrown)}`;
  } finally {
    unlock();
  }
}

const [folder] = process.argv.slice(2);
if (folder !== undefined) {
  const unlock = await lockFolder(folder);
  process.stdout.write(`held by ${process.pid}\n`);
  process.once('SIGTERM', () => {
    unlock();
    process.exit(0);
  });
  setInterval(() => {}, 60_000);
} else {
  process.stdout.write('ready\n');
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${await answer(line)}\n`);
  }
}
