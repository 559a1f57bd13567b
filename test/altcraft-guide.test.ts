/**
 * A channel as the public guide to Altcraft's custom channels writes them (its pages on pipes, pipelines and the template
 * language): older and newer type names, exits, numeric event ids, templates. It must run here unchanged.
 */
import { expect, it } from 'vitest';
import { checkChannel } from '../src/channel/check.ts';
import type { ChannelDocument } from '../src/channel/document.ts';
import { runGoldenTests } from '../src/testing/golden.ts';
import { parseGoldenFile } from '../src/testing/golden-file.ts';
import guideChannel from './altcraft-guide/channel.json' with { type: 'json' };
import guideTests from './altcraft-guide/guide.test.json' with { type: 'json' };

function checkGuide() {
  const text = JSON.stringify(guideChannel);
  return checkChannel({ file: 'channel.json', text, kind: 'custom', pipelines: () => undefined });
}

it('finds nothing wrong but the older names', () => {
  const { findings } = checkGuide();
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(findings.filter(({ code }) => code === 'pipe-type-old')).toHaveLength(5);
});

it('runs every way through it', async () => {
  const { tests } = parseGoldenFile(JSON.stringify(guideTests), 'guide.test.json');
  const report = await runGoldenTests(checkGuide().document as ChannelDocument, tests);
  expect(
    report.tests.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`)),
  ).toEqual([]);
  expect(report.tests).toHaveLength(tests.length);
  const ordinary = report.outs.filter((exit) => !exit.endsWith(':error'));
  expect(ordinary).toEqual([]);
});
