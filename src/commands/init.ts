/** `sluiceway init <sid> [--folder f]`: the folder of a new channel, which passes `check` and `test` from the start. */
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../errors.ts';
import { readArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { SHIPPED } from './find-channel.ts';
import { channelFiles } from './init-files.ts';

const SID = /^[a-z][a-z0-9_]{1,62}$/;
const SCHEMAS = fileURLToPath(new URL('../../docs/schemas', import.meta.url));

/** Throws CONFLICT if there is such a folder already; it is never written into. */
export async function runInit(args: readonly string[], { stdout }: CommandContext): Promise<number> {
  const { places, options } = readArguments('init', args);
  const [sid = ''] = places;
  if (!SID.test(sid)) {
    throw new Failure(
      'REQUEST_INVALID',
      `A sid has 2 to 63 lower-case letters, digits and underscores and begins with a letter; "${sid}" does not.`,
    );
  }
  if (resolve(options.folder) === resolve(SHIPPED.channels)) {
    throw new Failure(
      'REQUEST_INVALID',
      'This folder holds the channels of the product. Name one of your own with --folder.',
    );
  }
  if ((await readdir(SHIPPED.channels)).includes(sid)) {
    throw new Failure('CONFLICT', `The product has a channel "${sid}" already; choose another sid.`);
  }
  const folder = join(options.folder, sid);
  if ((await stat(folder).catch(() => undefined)) !== undefined)
    throw new Failure('CONFLICT', `There is already a folder ${folder}; remove it, or choose another sid.`);
  const files = channelFiles(sid, relative(resolve(folder), SCHEMAS).replaceAll(sep, '/'));
  for (const [name, text] of files) {
    const path = join(folder, name);
    await write(path, text);
  }
  const names = [...files.keys()].map((name) => join(folder, name));
  stdout.write(
    options.json
      ? `${JSON.stringify({ sid, folder, files: names }, null, 2)}\n`
      : `${names.map((name) => `made ${name}\n`).join('')}\nNow make it yours:\n  sluiceway check ${folder}\n  sluiceway test ${folder}\nand start the engine with SLUICEWAY_CHANNELS=${options.folder}\n`,
  );
  return 0;
}

async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: 'wx' });
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown reason';
    throw new Failure(
      'REQUEST_INVALID',
      `${path} cannot be written (${code}); check the rights of the folder.`,
    );
  }
}
