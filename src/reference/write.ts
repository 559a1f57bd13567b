/** Writes everything generated: `npm run reference`. With `--check` it writes nothing and fails where something is stale. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { commandsPage } from './commands-page.ts';
import { contentPage } from './content-page.ts';
import { openapiDocument } from './openapi-document.ts';
import { operatorEventsPage } from './operator-events-page.ts';
import { pipesPage } from './pipes-page.ts';
import { routesPage } from './routes-page.ts';
import { schemaFiles } from './schemas.ts';
import { errorsPage, findingsPage, settingsPage } from './table-pages.ts';
import { readTables } from './tables.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Returns every generated file by its path below the root of the repository. Takes a few seconds. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const docs = [...referenceFiles()].map(([name, text]) => [`docs/${name}`, text] as const);
  return new Map([...docs, ['src/storage/schema.ts', await readTables()]]);
}

/** Every generated file of the documentation by its path below `docs`. */
export function referenceFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['openapi.json', `${JSON.stringify(openapiDocument(), null, 2)}\n`],
    ...Object.entries(schemaFiles()).map(([name, text]) => [`schemas/${name}`, text] as const),
    ['reference/pipes.md', pipesPage()],
    ['reference/routes.md', routesPage()],
    ['reference/content.md', contentPage()],
    ['reference/errors.md', errorsPage()],
    ['reference/findings.md', findingsPage()],
    ['reference/settings.md', settingsPage()],
    ['reference/commands.md', commandsPage()],
    ['reference/operator-events.md', operatorEventsPage()],
  ]);
}

/** Writes the files below `folder`, or with `check` only names the stale ones. Returns the exit code. */
export async function writeReference(options: {
  readonly check: boolean;
  readonly stdout: Writable;
  readonly files: ReadonlyMap<string, string>;
  readonly folder?: string;
}): Promise<number> {
  const { check, stdout, files, folder = ROOT } = options;
  const stale: string[] = [];
  for (const [name, text] of files) {
    const path = join(folder, name);
    const current = await readFile(path, 'utf8').catch(() => undefined);
    if (current === text) continue;
    stale.push(name);
    if (check) continue;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  for (const name of stale) stdout.write(`${check ? 'stale' : 'written'}: ${name}\n`);
  if (check && stale.length > 0) stdout.write('Run "npm run reference" and commit what it writes.\n');
  return check && stale.length > 0 ? 1 : 0;
}

if (import.meta.main) {
  process.exitCode = await writeReference({
    check: process.argv.includes('--check'),
    stdout: process.stdout,
    files: await generatedFiles(),
  });
}
