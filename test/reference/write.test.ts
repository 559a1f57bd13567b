import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FINDING_CODES } from '../../src/channel/rules/codes.ts';
import { COMMANDS } from '../../src/cli.ts';
import { SETTINGS } from '../../src/config.ts';
import { FAILURES } from '../../src/errors.ts';
import { pipes } from '../../src/pipes/catalog.ts';
import { generatedFiles, referenceFiles, writeReference } from '../../src/reference/write.ts';

let files: ReadonlyMap<string, string> = new Map();
beforeAll(async () => {
  files = await generatedFiles();
});

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reference-'));
  return () => rm(folder, { recursive: true });
});

const write = async (check: boolean) => {
  const stdout = new PassThrough();
  const exit = await writeReference({ check, stdout, files, folder });
  return { exit, said: await text(stdout.end()) };
};

describe('the reference', () => {
  it('is written once and then up to date', async () => {
    expect((await write(false)).said).toContain('written: docs/openapi.json');
    expect(await write(true)).toEqual({ exit: 0, said: '' });
    expect(await write(false)).toEqual({ exit: 0, said: '' });
  });

  it('says what is stale, and leaves it', async () => {
    await write(false);
    const path = join(folder, 'docs', 'reference', 'errors.md');
    await writeFile(path, 'edited by hand');
    const { exit, said } = await write(true);
    expect(exit).toBe(1);
    expect(said).toBe(
      'stale: docs/reference/errors.md\nRun "npm run reference" and commit what it writes.\n',
    );
    expect(await readFile(path, 'utf8')).toBe('edited by hand');
  });

  it('leaves nothing out', () => {
    const pages = referenceFiles();
    const holds = (name: string, words: readonly string[]) =>
      expect(words.filter((word) => !pages.get(`reference/${name}`)?.includes(word))).toEqual([]);
    holds('errors.md', Object.keys(FAILURES));
    holds('findings.md', Object.keys(FINDING_CODES));
    holds(
      'commands.md',
      [...COMMANDS.values()].flatMap(({ usage, options }) => [
        `sluiceway ${usage}\n`,
        ...Object.keys(options).map((name) => `| \`--${name}`),
      ]),
    );
    holds(
      'settings.md',
      SETTINGS.map((setting) => setting.name),
    );
    holds(
      'pipes.md',
      pipes.flatMap((pipe) => [`## ${pipe.type}\n`, pipe.summary, ...pipe.errors]),
    );
    holds(
      'pipes.md',
      pipes.flatMap((pipe) => Object.keys(pipe.params).map((name) => `| \`${name}\` |`)),
    );
    for (const name of ['channel', 'pipeline', 'channel-test']) {
      expect(JSON.parse(referenceFiles().get(`schemas/${name}.schema.json`) ?? '')).toHaveProperty('title');
    }
  });
});
