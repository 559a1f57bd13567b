/** What the types of the house promise: a file of mistakes does not compile, each of its marked lines and no other. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = 'test/house/must-not-compile';
const MARK = '// must fail';

const marked = readdirSync(join(ROOT, FOLDER))
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) =>
    readFileSync(join(ROOT, FOLDER, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => (line.endsWith(MARK) ? [`${file}:${index + 1}`] : [])),
  );

/** The lines that the compiler finds wrong, each once. */
function linesFoundWrong(): Promise<string[]> {
  const compiler = join(ROOT, 'node_modules/.bin/tsc');
  return new Promise((resolve) => {
    execFile(compiler, ['--project', FOLDER, '--pretty', 'false'], { cwd: ROOT }, (_failed, stdout) => {
      const found = [...stdout.matchAll(/^(\S+)\((\d+),\d+\): error/gm)];
      resolve([...new Set(found.map(([, path, line]) => `${path?.replace(`${FOLDER}/`, '')}:${line}`))]);
    });
  });
}

it('finds every mistake in the files that must not compile, and nothing else', async () => {
  expect(marked.length).toBeGreaterThan(0);
  expect((await linesFoundWrong()).sort()).toEqual([...marked].sort());
});
