import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkAll } from '../../src/channel/check.ts';
import { readChannels } from '../../src/channel/load.ts';
import { runCheck } from '../../src/commands/check.ts';
import { direct, indirect, wallMessage } from './documents.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluiceway-load-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function put(files: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  }
}

async function checked(folder: string) {
  const loaded = await readChannels([{ channels: join(root, folder), kind: 'custom' }]);
  const results = checkAll(loaded.sources);
  const findings = [...loaded.findings, ...results.flatMap((each) => each.findings), ...loaded.unnamed()];
  return {
    sids: results.flatMap(({ document }) => document?.sid ?? []),
    said: findings.map(({ code, file }) => `${code} ${file.slice(root.length + 1)}`),
  };
}

describe('channels on disk', () => {
  it('one folder each, pipelines beside the folder of channels', async () => {
    await put({
      'channels/acme_sms/channel.json': direct(),
      'channels/acme_sms/README.md': 'x',
      'channels/acme_wall/channel.json': indirect(),
      'pipelines/acme_wall/message.json': wallMessage(),
    });
    expect(await checked('channels')).toEqual({ sids: ['acme_sms', 'acme_wall'], said: [] });
    expect(await checked('.')).toEqual({ sids: ['acme_sms', 'acme_wall'], said: [] });
  });

  it('or pipelines beside their channel, which go first', async () => {
    await put({
      'mine/acme_wall/channel.json': indirect(),
      'mine/acme_wall/pipelines/message.json': wallMessage(),
      'pipelines/acme_wall/message.json': [],
    });
    expect(await checked('mine')).toEqual({ sids: ['acme_wall'], said: [] });
  });

  it('a link to a folder is a folder, a hidden one is none', async () => {
    await put({ 'elsewhere/acme_sms/channel.json': direct(), 'channels/.git/config': 'x' });
    await symlink(join(root, 'elsewhere/acme_sms'), join(root, 'channels/acme_sms'));
    expect(await checked('channels')).toEqual({ sids: ['acme_sms'], said: [] });
  });

  it('says what is wrong with the folders', async () => {
    await put({
      'channels/empty/README.md': 'x',
      'channels/other/channel.json': direct(),
      'channels/large/channel.json': 'x'.repeat(17_000_000),
      'pipelines/other/spare.json': [{ id: 1, type: 'log', params: { message: 'x' } }],
    });
    const { said } = await checked('channels');
    expect(said).toEqual([
      'channel-file-missing channels/empty',
      'too-large channels/large/channel.json',
      'folder-name channels/other/channel.json',
      'pipeline-file-unused pipelines/other/spare.json',
    ]);
    expect((await checked('nowhere')).said).toEqual(['folder-unreadable nowhere']);
  });

  it('says which file of a named pipeline is wrong, and where', async () => {
    const message = JSON.stringify(wallMessage(), null, 2).replace('$template.text', '$template.txt');
    await put({ 'channels/acme_wall/channel.json': indirect(), 'pipelines/acme_wall/message.json': message });
    expect((await checked('channels')).said).toEqual(['reference-unknown pipelines/acme_wall/message.json']);
  });
});

describe('sluiceway check', () => {
  async function run(args: readonly string[], environment: Record<string, string> = {}) {
    let output = '';
    const stdout = new Writable({
      write: (chunk, _encoding, done) => {
        output += String(chunk);
        done();
      },
    });
    const code = await runCheck(args, { stdin: () => Readable.from([]), stdout, environment });
    return { code, output: output.replaceAll(`${root}/`, '') };
  }

  it('is silent about sound channels and ends with 0', async () => {
    await put({ 'channels/acme_sms/channel.json': direct() });
    expect(await run([join(root, 'channels')])).toEqual({
      code: 0,
      output: '1 channel checked: 0 errors, 0 warnings.\n',
    });
  });

  it('prints file, line, column, severity, code and sentence, and ends with 1', async () => {
    const text = JSON.stringify(direct(), null, 2).replace('$template.text', '$template.txt');
    await put({ 'channels/acme_sms/channel.json': text });
    const line = text.split('\n').findIndex((each) => each.includes('$template.txt')) + 1;
    const { code, output } = await run([join(root, 'channels/acme_sms/channel.json')]);
    expect(code).toBe(1);
    expect(output).toBe(
      `channels/acme_sms/channel.json:${line}:21 error reference-unknown $template.txt: the template fields have no "txt". Did you mean "text"?\n1 channel checked: 1 error, 0 warnings.\n`,
    );
  });

  it.each([
    ['a folder with channels and pipelines', '.'],
    ['a folder of channels', 'channels'],
    ['the folder of a channel', 'channels/acme_wall'],
    ['a channel.json', 'channels/acme_wall/channel.json'],
    ['a test beside it', 'channels/acme_wall/a.test.json'],
    ['a pipeline', 'pipelines/acme_wall/message.json'],
  ])('takes %s', async (_what, path) => {
    await put({
      'channels/acme_wall/channel.json': indirect(),
      'channels/acme_wall/a.test.json': { tests: [] },
      'pipelines/acme_wall/message.json': wallMessage(),
    });
    expect(await run([join(root, path)])).toEqual({
      code: 0,
      output: '1 channel checked: 0 errors, 0 warnings.\n',
    });
  });

  it('takes any file as a channel document', async () => {
    await put({ 'draft.json': direct() });
    expect((await run([join(root, 'draft.json')])).code).toBe(0);
  });

  it('checks a channel once, however often it is named', async () => {
    await put({ 'channels/acme_sms/channel.json': direct() });
    const { output } = await run([
      join(root, 'channels/acme_sms'),
      join(root, 'channels/acme_sms/channel.json'),
    ]);
    expect(output).toBe('1 channel checked: 0 errors, 0 warnings.\n');
  });

  it('gives JSON to machines', async () => {
    await put({ 'channels/acme_sms/channel.json': { ...direct(), eventz: [] } });
    const { code, output } = await run([join(root, 'channels'), '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(output)).toMatchObject({
      channels: 1,
      errors: 1,
      warnings: 0,
      findings: [{ severity: 'error', code: 'unknown-member', pointer: '/eventz', suggestion: 'events' }],
    });
  });

  it('checks the folders of SLUICEWAY_CHANNELS with the system channels', async () => {
    await put({ 'mine/acme_sms/channel.json': '{' });
    const { code, output } = await run([], { SLUICEWAY_CHANNELS: join(root, 'mine') });
    expect(code).toBe(1);
    expect(output).toContain('mine/acme_sms/channel.json:1:2 error not-json');
  });

  it('says that a path or an option does not exist', async () => {
    expect((await run([join(root, 'none')])).output).toContain('There is no file or folder "none".');
    await expect(run(['--jsn'])).rejects.toThrow('--jsn');
  });
});
