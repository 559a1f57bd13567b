/** Finds the channels that a person names by a folder or file, and the files of tests beside them. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { ChannelFolder } from '../channel/load.ts';
import { Failure } from '../errors.ts';

const TESTS = '.test.json';

export interface TestTarget {
  readonly folder: ChannelFolder;
  /** Only this file of tests. */
  readonly file?: string;
}

/** What ships with the product: its channels are system channels. */
export interface ShippedFolders {
  readonly channels: string;
  readonly pipelines: string;
}

/** What a path stands for: a folder of channels, one channel, or one file of tests. Throws NOT_FOUND. */
export async function targetOf(path: string, shipped: ShippedFolders): Promise<TestTarget> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new Failure(
      'NOT_FOUND',
      `There is no file or folder "${path}"; name a folder of channels, a channel, or a ${TESTS} file.`,
    );
  }
  const absolute = resolve(path);
  if (found.isFile())
    return { folder: channelFolder(dirname(absolute), shipped), ...testFile(path, absolute) };
  if (await isFile(join(absolute, 'channel.json'))) return { folder: channelFolder(absolute, shipped) };
  const isShipped = absolute === resolve(shipped.channels);
  return { folder: isShipped ? { ...shipped, kind: 'system' } : { channels: absolute, kind: 'custom' } };
}

function testFile(path: string, absolute: string): { readonly file?: string } {
  if (basename(absolute) === 'channel.json') return {};
  if (absolute.endsWith(TESTS)) return { file: absolute };
  throw new Failure(
    'NOT_FOUND',
    `"${path}" is neither a channel.json nor a ${TESTS} file, so there is nothing to test in it.`,
  );
}

function channelFolder(folder: string, shipped: ShippedFolders): ChannelFolder {
  const channels = dirname(folder);
  const only = [basename(folder)];
  return channels === resolve(shipped.channels)
    ? { ...shipped, kind: 'system', only }
    : { channels, kind: 'custom', only };
}

/** The files of tests beside a channel document, by name. */
export async function testFilesOf(channelFile: string, target: TestTarget): Promise<readonly string[]> {
  if (target.file !== undefined) return [fromHere(target.file)];
  const folder = dirname(channelFile);
  const names = await readdir(folder);
  return names
    .filter((name) => name.endsWith(TESTS))
    .sort()
    .map((name) => fromHere(join(folder, name)));
}

/** The path as people know it: from here, where it is below. */
function fromHere(path: string): string {
  const short = relative(process.cwd(), resolve(path));
  return short.startsWith('..') ? path : short;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
