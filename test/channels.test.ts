/** All channels that ship: clean for the linter, every golden test passes, and together they take every exit. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkChannel } from '../src/channel/check.ts';
import { readChannels } from '../src/channel/load.ts';
import { testChannels } from '../src/testing/test-channels.ts';

const ROOT = join(import.meta.dirname, '..');

describe.each([
  {
    name: 'channels',
    folder: { channels: join(ROOT, 'channels'), pipelines: join(ROOT, 'pipelines'), kind: 'system' as const },
    sids: ['slack_webhook', 'telegram_bot'],
  },
  {
    name: 'examples',
    folder: { channels: join(ROOT, 'examples'), kind: 'custom' as const },
    sids: ['example_board', 'example_sms'],
  },
])('$name', ({ folder, sids }) => {
  it('have no findings', async () => {
    const loaded = await readChannels([folder]);
    const findings = loaded.sources.flatMap((source) => checkChannel(source).findings);
    expect([...loaded.findings, ...findings, ...loaded.unnamed()]).toEqual([]);
  });

  it('pass their golden tests, which take every exit', async () => {
    const reports = await testChannels({ folder }, false);
    expect(reports.map(({ channel }) => channel.split('/').at(-2))).toEqual(expect.arrayContaining(sids));
    for (const { channel, problems, files, outs } of reports) {
      const failed = files.flatMap(({ file, tests }) =>
        tests.flatMap((test) => test.problems.map((problem) => `${file}: ${test.name}: ${problem}`)),
      );
      expect([...problems, ...failed]).toEqual([]);
      expect({ channel, outs }).toEqual({ channel, outs: [] });
      expect(files.flatMap(({ tests }) => tests).length, channel).toBeGreaterThan(0);
    }
  });
});
