/** Tests channels as they lie on disk: loads them, checks them, runs the tests beside them. */
import { type ChannelSource, checkChannel } from '../channel/check.ts';
import type { ChannelDocument } from '../channel/document.ts';
import { readChannels } from '../channel/load.ts';
import { Failure } from '../errors.ts';
import type { ExitName } from './exits.ts';
import { type TestTarget, testFilesOf } from './find-tests.ts';
import { runGoldenTests, type TestReport } from './golden.ts';
import { readGoldenFile, updateGoldenFile } from './golden-file.ts';
import type { GoldenFile } from './golden-test.ts';

export interface FileReport {
  readonly file: string;
  readonly tests: readonly TestReport[];
  /** `--update` wrote it again. */
  readonly updated: boolean;
}

export interface ChannelReport {
  /** The file of the channel document. */
  readonly channel: string;
  readonly files: readonly FileReport[];
  /** Wired exits that no test took. */
  readonly outs: readonly ExitName[];
  /** Why the tests could not run, or are missing. */
  readonly problems: readonly string[];
}

/** Runs the tests of all channels of a target; `update` writes down what happened. */
export async function testChannels(target: TestTarget, update: boolean): Promise<readonly ChannelReport[]> {
  const { sources, findings } = await readChannels([target.folder]);
  const unreadable = findings.filter(({ severity }) => severity === 'error');
  const reports: ChannelReport[] = unreadable.map(({ file, message }) => refused(file, [message]));
  for (const source of sources) reports.push(await testChannel(source, target, update));
  return reports;
}

async function testChannel(
  source: ChannelSource,
  target: TestTarget,
  update: boolean,
): Promise<ChannelReport> {
  const { document, findings } = checkChannel(source);
  if (document === undefined) {
    const errors = findings.filter(({ severity }) => severity === 'error');
    return refused(
      source.file,
      errors.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`),
    );
  }
  const names = await testFilesOf(source.file, target);
  if (names.length === 0 && source.kind === 'system') {
    return refused(source.file, [
      'A system channel must have tests; put a *.test.json beside its channel.json.',
    ]);
  }
  try {
    return await testFiles(source.file, document, names, update);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return refused(source.file, [thrown.message]);
  }
}

async function testFiles(
  channel: string,
  document: ChannelDocument,
  names: readonly string[],
  update: boolean,
): Promise<ChannelReport> {
  const files: { name: string; golden: GoldenFile }[] = [];
  for (const name of names) files.push({ name, golden: await readGoldenFile(name) });
  const all = await runGoldenTests(
    document,
    files.flatMap(({ golden }) => golden.tests),
  );
  const reports: FileReport[] = [];
  let start = 0;
  for (const { name, golden } of files) {
    const tests = all.tests.slice(start, start + golden.tests.length);
    start += golden.tests.length;
    const updated = update && (await updateGoldenFile(name, golden, tests));
    reports.push({ file: name, tests, updated });
  }
  return { channel, files: reports, outs: all.outs, problems: [] };
}

function refused(channel: string, problems: readonly string[]): ChannelReport {
  return { channel, files: [], outs: [], problems };
}
