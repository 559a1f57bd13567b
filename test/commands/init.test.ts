import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOfCommand, runCommand } from './run.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluiceway-init-'));
});

afterEach(() => rm(folder, { recursive: true }));

describe('sluiceway init', () => {
  it('makes a channel that passes check without a warning, and test with every exit walked', async () => {
    const made = await runCommand(['init', 'acme_texts', '--folder', folder]);
    expect(made.code).toBe(0);
    expect(made.output).toContain(`made ${join(folder, 'acme_texts', 'channel.json')}\n`);
    expect(await runCommand(['check', folder])).toEqual({
      code: 0,
      output: '1 channel checked: 0 errors, 0 warnings.\n',
    });
    expect(await runCommand(['test', folder, '--outs'])).toEqual({ code: 0, output: '9 passed, 0 failed\n' });
  });

  it('makes several in one folder, none in the way of another', async () => {
    await runCommand(['init', 'acme_one', '--folder', folder]);
    await runCommand(['init', 'acme_two', '--folder', folder]);
    expect((await runCommand(['check', folder])).output).toBe('2 channels checked: 0 errors, 0 warnings.\n');
  });

  it('leads editors to the schemas, wherever the folder is', async () => {
    const { output } = await runCommand(['init', 'acme_texts', '--folder', folder, '--json']);
    const { files } = JSON.parse(output) as { files: string[] };
    const schemas: string[] = [];
    for (const file of files.filter((each) => /(channel|\.test)\.json$/.test(each))) {
      const { $schema } = JSON.parse(await readFile(file, 'utf8')) as { $schema: string };
      expect((await stat(join(folder, 'acme_texts', $schema))).isFile()).toBe(true);
      schemas.push($schema);
    }
    expect(schemas).toHaveLength(3);
  });

  it('never writes into a folder that is there', async () => {
    await mkdir(join(folder, 'acme_texts'));
    expect(await failureOfCommand(['init', 'acme_texts', '--folder', folder])).toContain(
      'There is already a folder',
    );
    await expect(stat(join(folder, 'acme_texts', 'channel.json'))).rejects.toThrow('ENOENT');
  });

  it('refuses names that no channel may have', async () => {
    expect(await failureOfCommand(['init', 'Acme', '--folder', folder])).toContain('begins with a letter');
    expect(await failureOfCommand(['init', '../x', '--folder', folder])).toContain('"../x" does not');
    expect(await failureOfCommand(['init', 'telegram_bot', '--folder', folder])).toContain(
      'The product has a channel "telegram_bot" already',
    );
    const shipped = join(import.meta.dirname, '../../channels');
    expect(await failureOfCommand(['init', 'acme', '--folder', shipped])).toContain(
      'channels of the product',
    );
  });
});
