import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runTest } from '../../src/commands/test.ts';
import { Failure } from '../../src/errors.ts';
import { testChannels } from '../../src/testing/test-channels.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');
const TESTS = 'example_board/message.test.json';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluiceway-test-'));
  await cp(join(EXAMPLES, 'example_board'), join(folder, 'example_board'), { recursive: true });
});

afterEach(() => rm(folder, { recursive: true }));

async function run(...args: string[]): Promise<{ code: number; output: string }> {
  const stdout = new PassThrough();
  const code = await runTest(args, { stdout });
  stdout.end();
  return { code, output: await text(stdout) };
}

async function change(file: string, from: string, to: string): Promise<void> {
  const path = join(folder, file);
  const before = await readFile(path, 'utf8');
  expect(before).toContain(from);
  await writeFile(path, before.replaceAll(from, to));
}

describe('sluiceway test', () => {
  it('passes, and closes with the count', async () => {
    expect(await run(folder)).toEqual({ code: 0, output: '5 passed, 0 failed\n' });
    expect(await run(join(folder, 'example_board'))).toEqual({ code: 0, output: '5 passed, 0 failed\n' });
    expect(await run(join(folder, 'example_board/channel.json'))).toEqual({
      code: 0,
      output: '5 passed, 0 failed\n',
    });
    expect(await run(join(folder, TESTS))).toEqual({ code: 0, output: '5 passed, 0 failed\n' });
  });

  it('names the test that fails and shows the difference', async () => {
    await change('example_board/pipelines/message.json', '"title": "$#{template.title?}",', '');
    const { code, output } = await run(folder);
    expect(code).toBe(1);
    expect(output).toContain(`${TESTS}: a text is posted\n`);
    expect(output).toContain(
      '    at /expect/requests/0/json/title\n      expected: "Hours"\n      happened: (nothing)\n',
    );
    expect(output).toMatch(/4 passed, 1 failed\n$/);
  });

  it('writes down what happened with --update, and nothing else', async () => {
    const before = await readFile(join(folder, TESTS), 'utf8');
    await change(
      'example_board/pipelines/message.json',
      '"text": "$template.text"',
      '"text": "$template.text!"',
    );
    const { code, output } = await run(folder, '--update');
    expect(code).toBe(0);
    expect(output).toContain('was updated');
    const after = await readFile(join(folder, TESTS), 'utf8');
    const changed = after.split('\n').filter((line, index) => line !== before.split('\n')[index]);
    expect(changed.map((line) => line.trim())).toEqual(['"text": "Open until 18:00!"']);
    expect(await run(folder)).toEqual({ code: 0, output: '5 passed, 0 failed\n' });
  });

  it('leaves a file alone where nothing changed', async () => {
    const compact = JSON.stringify(JSON.parse(await readFile(join(folder, TESTS), 'utf8')));
    await writeFile(join(folder, TESTS), compact);
    expect((await run(folder, '--update')).code).toBe(0);
    expect(await readFile(join(folder, TESTS), 'utf8')).toBe(compact);
  });

  it('never updates a test that is wrong in itself', async () => {
    const before = await readFile(join(folder, TESTS), 'utf8');
    await writeFile(
      join(folder, TESTS),
      before
        .replace('"status": 201', '"fail": "network"')
        .replaceAll('"answers": {\n          "2"', '"answers": {\n          "7"'),
    );
    const broken = await readFile(join(folder, TESTS), 'utf8');
    const { code, output } = await run(folder, '--update');
    expect(code).toBe(1);
    expect(output).toContain('got no answer; give one in given.answers."2"');
    expect(await readFile(join(folder, TESTS), 'utf8')).toBe(broken);
  });

  it('lists the exits that no test walked with --outs', async () => {
    const tests = JSON.parse(await readFile(join(folder, TESTS), 'utf8'));
    await writeFile(join(folder, TESTS), JSON.stringify({ tests: tests.tests.slice(0, 1) }));
    const { code, output } = await run(folder, '--outs');
    expect(code).toBe(0);
    expect(output).toContain('    message 2:error\n    message 4:success\n    message 4:5\n');
  });

  it('speaks JSON with --json', async () => {
    const { code, output } = await run(folder, '--json', '--outs');
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({
      passed: 5,
      failed: 0,
      channels: [{ problems: [], outs: [] }],
    });
  });

  it('fails where the channel is wrong, and says where', async () => {
    await change('example_board/pipelines/message.json', '"success": 3', '"success": 33');
    const { code, output } = await run(folder);
    expect(code).toBe(1);
    expect(output).toMatch(/message\.json:\d+:\d+ .*33/);
    expect(output).toMatch(/0 passed, 1 failed\n$/);
  });

  it('fails where a file of tests has an unknown member, and says what is known', async () => {
    await change(TESTS, '"expect"', '"expects"');
    const { code, output } = await run(folder);
    expect(code).toBe(1);
    expect(output).toContain('Did you mean "expect"?');
  });

  it('refuses what is not there or not known', async () => {
    await expect(run(join(folder, 'nothing'))).rejects.toThrow(Failure);
    await expect(run(join(folder, 'example_board/README.md'))).rejects.toThrow('nothing to test in it');
    await expect(run('--outz')).rejects.toThrow('Use: sluiceway test');
  });
});

it('fails a system channel without tests, and lets a custom one pass', async () => {
  await rm(join(folder, TESTS));
  const problems = async (kind: 'system' | 'custom') =>
    (await testChannels({ folder: { channels: folder, kind } }, false)).flatMap((report) => report.problems);
  expect(await problems('custom')).toEqual([]);
  await change('example_board/channel.json', '"id": 10002', '"id": 999');
  await change('example_board/channel.json', '100001', '1');
  await change('example_board/channel.json', '100002', '2');
  expect(await problems('system')).toEqual([
    'A system channel must have tests; put a *.test.json beside its channel.json.',
  ]);
});
