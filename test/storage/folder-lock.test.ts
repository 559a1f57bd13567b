/** The lock on a data folder: one holder at a time, whatever its pid is called, and none once the holder is dead. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbedded } from '../../src/storage/embedded.ts';
import { lockFolder } from '../../src/storage/folder-lock.ts';
import { makeEmbedded } from '../support/embedded-image.ts';
import { ROOT, until } from '../support/engine.ts';
import { pidNamespace } from '../support/namespaces.ts';

const PROGRAM = join(ROOT, 'test/support/hold-folder.ts');
const RACERS = 4;
const RACES = 50;

let folder: string;
const children: ChildProcessWithoutNullStreams[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluiceway-lock-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

interface Process {
  readonly child: ChildProcessWithoutNullStreams;
  readonly nextLine: () => Promise<string>;
  readonly errors: () => string;
}

/** Starts a program; its lines come one at a time, and the end of its output is the line `ended`. */
function start(program: string, args: readonly string[]): Process {
  const child = spawn(program, args, { env: { PATH: process.env.PATH ?? '' } });
  children.push(child);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => (await lines.next()).value ?? 'ended';
  return { child, nextLine, errors: () => errors };
}

/** Asks another process to lock the folder for a moment, and returns its answer. */
async function tryElsewhere(prefix: readonly string[] = []): Promise<string> {
  const [program = '', ...args] = [...prefix, process.execPath, PROGRAM];
  const { child, nextLine, errors } = start(program, args);
  expect(await nextLine()).toBe('ready');
  child.stdin.write(`${folder}\n`);
  const answer = await nextLine();
  child.stdin.end();
  expect(errors()).toBe('');
  return answer;
}

/** Starts a process that holds the folder, and returns its pid in its own namespace. */
async function holdElsewhere(prefix: readonly string[] = []): Promise<Process & { pid: number }> {
  const [program = '', ...args] = [...prefix, process.execPath, PROGRAM, folder];
  const holder = start(program, args);
  const [, pid] = /^held by (\d+)$/.exec(await holder.nextLine()) ?? [];
  expect(holder.errors()).toBe('');
  return { ...holder, pid: Number(pid) };
}

const refusal = (pid: number) =>
  new RegExp(
    `^refused: The data folder ${folder} is used by process ${pid} on host ${hostname()} since \\d{4}-.*Z\\. Stop that process`,
  );

describe('the lock on a data folder', () => {
  it('is refused to another process, which is told who has it, and free after its release', async () => {
    const unlock = await lockFolder(folder);
    expect(await tryElsewhere()).toMatch(refusal(process.pid));
    unlock();
    expect(await tryElsewhere()).toBe('held');
  });

  it('is refused to the process that has it already', async () => {
    const unlock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
    expect(await tryElsewhere()).toMatch(/^refused/);
    unlock();
    (await lockFolder(folder))();
  });

  it('is gone at once with a process that was killed', async () => {
    const { child, pid } = await holdElsewhere();
    expect(await tryElsewhere()).toMatch(refusal(pid));
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
    expect(await tryElsewhere()).toBe('held');
  });

  it('is not decided by what the file about the holder says', async () => {
    const holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
    for (const text of ['', '{', JSON.stringify(holder)]) {
      await writeFile(join(folder, 'sluiceway.holder.json'), text);
      expect(await tryElsewhere()).toBe('held');
    }
    const unlock = await lockFolder(folder);
    await rm(join(folder, 'sluiceway.holder.json'));
    expect(await tryElsewhere()).toContain('is used by another process. Stop that process');
    unlock();
  });

  it('is kept while the database in the folder is opened, written and checkpointed', async () => {
    const path = join(folder, 'database');
    await makeEmbedded(path);
    const database = await openEmbedded(path);
    await database.query("insert into setting (key, value) values ('a', 'b')");
    await database.query('checkpoint');
    expect(await tryElsewhere()).toMatch(refusal(process.pid));
    await database.close();
    expect(await tryElsewhere()).toBe('held');
  });

  it(`is had by one at a time in ${RACES} races of ${RACERS} processes`, async () => {
    const racers = Array.from({ length: RACERS }, () => start(process.execPath, [PROGRAM]));
    for (const each of racers) expect(await each.nextLine()).toBe('ready');
    for (let race = 0; race < RACES; race += 1) {
      const arena = join(folder, `race-${race}`);
      for (const { child } of racers) child.stdin.write(`${arena}\n`);
      const answers = await Promise.all(racers.map((each) => each.nextLine()));
      expect(answers).toEqual(racers.map(() => 'held'));
    }
  });
});

const namespace = pidNamespace();

describe.skipIf(namespace === undefined)('the lock across pid namespaces (needs unshare)', () => {
  it('is refused to a process of another namespace', async () => {
    const unlock = await lockFolder(folder);
    expect(await tryElsewhere(namespace)).toMatch(refusal(process.pid));
    unlock();
    expect(await tryElsewhere(namespace)).toBe('held');
  });

  it('is seen from outside, and between two that are both called process 1', async () => {
    const { child, pid } = await holdElsewhere(namespace);
    expect(pid).toBe(1);
    expect(await tryElsewhere()).toMatch(refusal(1));
    expect(await tryElsewhere(namespace)).toMatch(refusal(1));
    // The namespace ends with the one that made it, and with it all who are in it.
    child.kill('SIGKILL');
    expect(await tryElsewhere(namespace)).toBe('held');
  });
});

describe.skipIf(!existsSync('/proc/self/stat'))('the lock of a zombie (needs /proc)', () => {
  it('is free although the killed holder was not yet reaped', async () => {
    // A shell that has become `sleep` never asks for the end of its child.
    const script = '"$0" "$1" "$2" & exec sleep 600';
    const { nextLine } = start('/bin/sh', ['-c', script, process.execPath, PROGRAM, folder]);
    const [, pid] = /^held by (\d+)$/.exec(await nextLine()) ?? [];
    expect(await tryElsewhere()).toMatch(refusal(Number(pid)));
    process.kill(Number(pid), 'SIGKILL');
    const stateOf = async () => (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.[0];
    await until(async () => (await stateOf()) === 'Z');
    expect(await tryElsewhere()).toBe('held');
    expect(await stateOf()).toBe('Z');
  });
});
