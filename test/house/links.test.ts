/** Links of the documents lead to files and headings that are there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const below = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(ROOT, folder, file));
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].map((file) => join(ROOT, file)),
  ...['docs', 'channels', 'examples'].flatMap(below),
];

const withoutCode = (text: string) => text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, 'x');

/** The names under which the headings of a page are reached. */
function headingsOf(page: string): ReadonlySet<string> {
  const lines =
    readFileSync(page, 'utf8')
      .replaceAll(/^```[\s\S]*?^```/gm, '')
      .match(/^#{1,6} .*$/gm) ?? [];
  return new Set(
    lines.map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

it('none of them is broken', () => {
  const broken: string[] = [];
  for (const page of PAGES) {
    for (const [, target = ''] of withoutCode(readFileSync(page, 'utf8')).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/i.test(target)) continue;
      const [file = '', heading] = target.split('#');
      const place = file === '' ? page : resolve(dirname(page), file);
      const there = existsSync(place) && (heading === undefined || headingsOf(place).has(heading));
      if (!there) broken.push(`${relative(ROOT, page)}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
  expect(PAGES.length).toBeGreaterThan(10);
});
