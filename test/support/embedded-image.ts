/**
 * The embedded database as it is when it has just been made, kept as a file: making one takes seconds, loading one does
 * not, and hundreds of tests begin with one. The file is named by what it was made of, so that a new migration or another
 * version of PGlite makes another.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { openEmbedded } from '../../src/storage/embedded.ts';
import { migrate } from '../../src/storage/migrate.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MIGRATIONS = join(ROOT, 'src/storage/migrations');
const CACHE = join(ROOT, 'node_modules/.cache/sluiceway');

/** Vitest calls this once before all tests; `TEST_EMBEDDED_IMAGE` then names the file. */
export async function setup(): Promise<void> {
  const path = join(CACHE, `embedded-${await fingerprint()}.tar`);
  if (!existsSync(path)) await make(path);
  process.env.TEST_EMBEDDED_IMAGE = path;
}

/** Makes a data folder with the database of the image, as it is after `migrate`. */
export async function makeEmbedded(folder: string): Promise<void> {
  const image = await readFile(process.env.TEST_EMBEDDED_IMAGE ?? '');
  const pglite = await PGlite.create({ dataDir: folder, loadDataDir: new Blob([image]) });
  await pglite.close();
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  hash.update(await readFile(join(ROOT, 'node_modules/@electric-sql/pglite/package.json')));
  for (const name of (await readdir(MIGRATIONS)).sort()) {
    hash.update(name).update(await readFile(join(MIGRATIONS, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function make(path: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sluiceway-image-'));
  try {
    const database = await openEmbedded(join(folder, 'database'));
    await migrate(database);
    await database.close();
    const pglite = await PGlite.create(join(folder, 'database'));
    const image = await pglite.dumpDataDir('none');
    await pglite.close();
    await mkdir(CACHE, { recursive: true });
    for (const old of await readdir(CACHE)) await rm(join(CACHE, old));
    // Under another name first: runs that start together must not read half of it.
    const unfinished = `${path}.${randomBytes(4).toString('hex')}`;
    await writeFile(unfinished, Buffer.from(await image.arrayBuffer()));
    await rename(unfinished, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
