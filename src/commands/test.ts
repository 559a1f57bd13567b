/** `sluiceway test`: runs the golden tests beside channels, offline. */

import { targetOf } from '../testing/find-tests.ts';
import { type ChannelReport, testChannels } from '../testing/test-channels.ts';
import { readArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { SHIPPED } from './find-channel.ts';

interface TestOptions {
  readonly update: boolean;
  readonly outs: boolean;
  readonly json: boolean;
}

/**
 * Runs the tests of the named folders and files, or of the channels that ship with the product.
 * Gives exit code 1 where a test fails or could not run.
 */
export async function runTest(
  args: readonly string[],
  { stdout }: Pick<CommandContext, 'stdout'>,
): Promise<number> {
  const { places: paths, options } = readArguments('test', args);
  const reports: ChannelReport[] = [];
  for (const path of paths.length > 0 ? paths : [SHIPPED.channels]) {
    reports.push(...(await testChannels(await targetOf(path, SHIPPED), options.update)));
  }
  const tests = reports.flatMap(({ files }) => files.flatMap((file) => file.tests));
  const failing = reports.flatMap(({ files }) => files.flatMap(failures)).length;
  // A channel whose tests could not run counts as one that failed.
  const failed = failing + reports.filter(({ problems }) => problems.length > 0).length;
  const passed = tests.length - failing;
  stdout.write(
    options.json
      ? `${JSON.stringify({ passed, failed, channels: reports.map((report) => asJson(report, options)) }, null, 2)}\n`
      : `${reports.map((report) => asText(report, options)).join('')}${passed} passed, ${failed} failed\n`,
  );
  return failed > 0 ? 1 : 0;
}

/** Where the file was written again, only tests that are wrong in themselves are left. */
function failures({ tests, updated }: ChannelReport['files'][number]) {
  return tests.filter((test) => !test.passed && !(updated && Object.keys(test.happened).length > 0));
}

function asText(report: ChannelReport, { outs }: TestOptions): string {
  const lines = report.problems.flatMap((problem) => [`✗ ${report.channel}`, indented(problem)]);
  for (const file of report.files) {
    if (file.updated) lines.push(`${file.file} was updated; read the difference before you keep it.`);
    for (const test of failures(file)) {
      lines.push(`✗ ${file.file}: ${test.name}`, ...test.problems.map(indented));
    }
  }
  if (outs && report.outs.length > 0) {
    lines.push(`${report.channel}: exits that no test walked`, ...report.outs.map(indented));
  }
  return lines.map((line) => `${line}\n`).join('');
}

function indented(text: string): string {
  return `    ${text.replaceAll('\n', '\n    ')}`;
}

function asJson({ channel, files, outs, problems }: ChannelReport, options: TestOptions) {
  return {
    channel,
    problems,
    files: files.map(({ file, updated, tests }) => ({
      file,
      updated,
      tests: tests.map(({ name, pipeline, passed, problems: found }) => ({
        name,
        pipeline,
        passed,
        problems: found,
      })),
    })),
    ...(options.outs && { outs }),
  };
}
