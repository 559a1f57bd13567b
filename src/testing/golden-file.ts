/** Reads files of golden tests, and writes back what `--update` changes. */
import { readFile, writeFile } from 'node:fs/promises';
import { channelTestSchema } from '../channel/schema.ts';
import { compileShape, type Shape } from '../channel/shape.ts';
import { Failure } from '../errors.ts';
import { projection } from './compare.ts';
import type { TestReport } from './golden.ts';
import type { Expectation, GoldenFile } from './golden-test.ts';

let shape: Shape | undefined;

/** Checks the text of a test file. Throws DOCUMENT_NOT_JSON or DOCUMENT_INVALID with a pointer for each mistake. */
export function parseGoldenFile(text: string, file: string): GoldenFile {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (thrown) {
    throw new Failure(
      'DOCUMENT_NOT_JSON',
      `${file} is not JSON: ${thrown instanceof Error ? thrown.message : ''}.`,
    );
  }
  shape ??= compileShape(channelTestSchema());
  const problems = shape(document).map(({ pointer, message }) => ({ pointer, message }));
  if (problems.length === 0) return document as GoldenFile;
  const lines = problems.map(({ pointer, message }) => `at ${pointer || '/'}: ${message}`);
  throw new Failure('DOCUMENT_INVALID', `${file} is not a file of tests: ${lines.join(' ')}`, { problems });
}

/** Reads a test file. Throws as `parseGoldenFile`. */
export async function readGoldenFile(file: string): Promise<GoldenFile> {
  return parseGoldenFile(await readFile(file, 'utf8'), file);
}

/**
 * The file with each `expect` as it happened. What an author chose to look at stays chosen; an empty `expect` gets
 * everything. Secrets were masked in the reports, so none can get in.
 */
export function updatedFile(document: GoldenFile, reports: readonly TestReport[]): GoldenFile {
  const tests = document.tests.map((test, index) => {
    const report = reports[index];
    const { exactly = false, ...sections } = test.expect;
    const unsaid = Object.keys(sections).length === 0;
    if (report === undefined || (report.passed && !unsaid) || Object.keys(report.happened).length === 0)
      return test;
    const everything = exactly || unsaid;
    const happened = projection(sections, report.happened, everything) as Expectation;
    return { ...test, expect: { ...(exactly && { exactly }), ...happened } };
  });
  return { ...document, tests };
}

/** Writes the file back where the update changed it; true if it did. */
export async function updateGoldenFile(
  file: string,
  document: GoldenFile,
  reports: readonly TestReport[],
): Promise<boolean> {
  const updated = updatedFile(document, reports);
  if (JSON.stringify(updated) === JSON.stringify(document)) return false;
  await writeFile(file, `${JSON.stringify(updated, null, 2)}\n`);
  return true;
}
