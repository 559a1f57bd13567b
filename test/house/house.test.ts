/** The house itself: docs/architecture.md says who may import whom, and the sources keep to it. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SRC = join(ROOT, 'src');
const ENTRIES = new Set(['app.ts', 'cli.ts', 'main.ts']);
const BANNED =
  /(^|-)(manager|helper|helpers|util|utils|service|handler|processor|common|misc|base|data|info|impl)(-|\.|$)/;

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join(SRC, file), 'utf8') }));

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'";]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g;

function importsOf(text: string): string[] {
  return [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** `src/<folder>` of a file, or the file itself at the root. */
function folderOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] as string) : file;
}

/** Files of src that a file imports, by their path in src. */
function targetsOf(file: string, text: string): string[] {
  return importsOf(text)
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(SRC, resolve(SRC, dirname(file), name)));
}

function tableAfter(heading: string): string[][] {
  const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
  const section = page.slice(page.indexOf(heading));
  const rows: string[][] = [];
  for (const line of section.split('\n')) {
    if (line.startsWith('|'))
      rows.push(
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    else if (rows.length > 0) break;
  }
  return rows.slice(2);
}

describe('the import table', () => {
  const allowed = new Map<string, Set<string>>();
  for (const [folders = '', may = ''] of tableAfter('| folder | may import |')) {
    for (const folder of folders.split(',')) allowed.set(folder.trim(), new Set(may.split(' ')));
  }

  it('knows every folder', () => {
    const folders = new Set(
      files.map(({ file }) => folderOf(file)).filter((folder) => !folder.endsWith('.ts')),
    );
    expect([...folders].filter((folder) => !allowed.has(folder))).toEqual([]);
  });

  it('is kept', () => {
    const broken: string[] = [];
    for (const { file, text } of files) {
      const folder = folderOf(file);
      const may = folder.endsWith('.ts')
        ? ENTRIES.has(file)
          ? new Set(['anything'])
          : new Set(['root'])
        : allowed.get(folder);
      if (may === undefined || may.has('anything')) continue;
      for (const name of importsOf(text)) {
        if (!name.startsWith('.')) continue;
        const target = folderOf(relative(SRC, resolve(SRC, dirname(file), name)));
        const group = target.endsWith('.ts') ? (ENTRIES.has(target) ? target : 'root') : target;
        // log.ts gives flows their log; it may know the type.
        if (group === folder || may.has(group) || file === 'log.ts') continue;
        broken.push(`${file} imports ${name}`);
      }
    }
    expect(broken).toEqual([]);
  });

  it('lets no pipe import another pipe, the engine, or what does I/O', () => {
    const pipeFiles = files.filter(
      ({ file, text }) => file.startsWith('pipes/') && text.includes('definePipe({'),
    );
    const names = new Set(pipeFiles.map(({ file }) => `./${file.slice('pipes/'.length)}`));
    const broken = pipeFiles.flatMap(({ file, text }) =>
      importsOf(text)
        .filter(
          (name) =>
            names.has(name) ||
            /engine|storage|flows|node:(fs|net|http|https|child_process)|undici/.test(name),
        )
        .map((name) => `${file} imports ${name}`),
    );
    expect(pipeFiles.length).toBe(15);
    expect(broken).toEqual([]);
  });
});

describe('the rooms of flows', () => {
  const rank = new Map<string, number>();
  for (const [index, [rooms = '']] of tableAfter('| rooms of flows, in their order |').entries()) {
    for (const room of rooms.split(' ')) rank.set(room, index);
  }
  const roomOf = (file: string) => file.split('/').slice(1, -1)[0];

  it('are all in the table', () => {
    const rooms = files.flatMap(({ file }) => (file.startsWith('flows/') ? (roomOf(file) ?? []) : []));
    expect([...new Set(rooms)].filter((room) => !rank.has(room))).toEqual([]);
  });

  it('keep their order', () => {
    const broken: string[] = [];
    for (const { file, text } of files) {
      if (!file.startsWith('flows/')) continue;
      const own = roomOf(file);
      for (const target of targetsOf(file, text)) {
        const room = target.startsWith('flows/') ? roomOf(target) : undefined;
        if (room === undefined || room === own) continue;
        if (own === undefined || (rank.get(room) ?? 0) >= (rank.get(own) ?? 0)) {
          broken.push(`${file} imports ${target}`);
        }
      }
    }
    expect(broken).toEqual([]);
  });
});

it('no imports form a circle', () => {
  const imports = new Map(files.map(({ file, text }) => [file, targetsOf(file, text)]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
    if (done.has(file)) return;
    done.add(file);
    for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
  };
  for (const file of imports.keys()) visit(file, []);
  expect(circles).toEqual([]);
});

describe('outside libraries', () => {
  it('have their owner folders', () => {
    const owners = new Map<string, Set<string>>();
    for (const [libraries = '', folders = ''] of tableAfter('| library | owner |')) {
      for (const library of libraries.split(','))
        owners.set(library.trim(), new Set(folders.split(',').map((each) => each.trim())));
    }
    const broken: string[] = [];
    for (const { file, text } of files) {
      const folder = file.includes('/') ? folderOf(file) : 'root';
      if (ENTRIES.has(file)) continue;
      for (const name of importsOf(text)) {
        if (name.startsWith('.') || name.startsWith('node:')) continue;
        const library = name.startsWith('@')
          ? name.split('/').slice(0, 2).join('/')
          : (name.split('/')[0] as string);
        if (owners.get(library)?.has(folder) !== true) broken.push(`${file} imports ${name}`);
      }
    }
    expect(broken).toEqual([]);
  });
});

describe('names and sizes', () => {
  it('avoids the words that say nothing', () => {
    expect(files.map(({ file }) => file).filter((file) => BANNED.test(file.split('/').at(-1) ?? ''))).toEqual(
      [],
    );
  });

  it('keeps files small: median under 100 lines', () => {
    const lengths = files.map(({ text }) => text.split('\n').length).sort((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThan(100);
  });

  it('has no file of more than 300 lines', () => {
    const long = files.filter(({ text }) => text.trimEnd().split('\n').length > 300);
    expect(long.map(({ file }) => file)).toEqual([]);
  });

  it('has no default exports, enums, or ways around the types', () => {
    const broken = files.filter(({ text }) =>
      /^export default|^(export )?(const )?enum |: any(?=[;,)\]>=])|\bas any\b|@ts-(ignore|expect-error)/m.test(
        text,
      ),
    );
    expect(broken.map(({ file }) => file)).toEqual([]);
  });

  it('ends the process in one place', () => {
    const broken = files.filter(({ file, text }) => file !== 'main.ts' && /process\.exit\(/.test(text));
    expect(broken.map(({ file }) => file)).toEqual([]);
  });

  it('keeps SQL in storage', () => {
    const sql =
      /\b(select\s+[\w*"][^'`]*\sfrom\s|insert\s+into\s+\w|delete\s+from\s+\w|update\s+\w+\s+set\s)/;
    const broken = files.filter(
      ({ file, text }) =>
        !/^(storage|outside)\//.test(file) && sql.test(text.replace(/^\s*(\*|\/\/|\/\*).*$/gm, '')),
    );
    expect(broken.map(({ file }) => file).filter((file) => !file.startsWith('pipes/'))).toEqual([]);
  });
});
