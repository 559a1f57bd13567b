/** From the paths of a command line to the folders of channels they mean. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ChannelSource } from './check.ts';
import type { ChannelKind } from './document.ts';
import type { Finding } from './finding.ts';
import { type ChannelFolder, readChannels } from './load.ts';
import { findingOf } from './rules/codes.ts';

export interface Targets {
  readonly sources: readonly ChannelSource[];
  readonly findings: readonly Finding[];
  readonly unnamed: () => readonly Finding[];
}

/**
 * Reads the channels that paths mean: a folder of channels, the folder of one channel, its `channel.json`, one of its
 * pipeline or test files, or any other file as a channel document. `product` is the folder of the system channels.
 */
export async function readTargets(paths: readonly string[], product: string): Promise<Targets> {
  const folders: ChannelFolder[] = [];
  const loose: ChannelSource[] = [];
  const findings: Finding[] = [];
  for (const path of paths) {
    const target = await targetOf(resolve(path), product);
    if (target === undefined) {
      const message = `There is no file or folder "${path}".`;
      findings.push(findingOf('file-unreadable', { file: path, line: 1, column: 1, pointer: '', message }));
    } else if ('text' in target) loose.push(target);
    else if (!folders.some((each) => same(each, target))) folders.push(target);
  }
  const loaded = await readChannels(folders);
  return {
    sources: [...loaded.sources, ...loose],
    findings: [...findings, ...loaded.findings],
    unnamed: loaded.unnamed,
  };
}

function same(left: ChannelFolder, right: ChannelFolder): boolean {
  return left.channels === right.channels && left.only?.join() === right.only?.join();
}

async function targetOf(path: string, product: string): Promise<ChannelFolder | ChannelSource | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  const one = (folder: string) => folderOf(dirname(folder), product, basename(folder));
  if (found.isDirectory()) {
    return (await isFile(join(path, 'channel.json'))) ? one(path) : folderOf(path, product);
  }
  const folder = dirname(path);
  if (await isFile(join(folder, 'channel.json'))) return one(folder);
  // <channels>/<sid>/pipelines/<file>, or <root>/pipelines/<sid>/<file> beside <root>/channels/<sid>
  if (await isFile(join(folder, '..', 'channel.json'))) return one(dirname(folder));
  const beside = join(folder, '..', '..', 'channels', basename(folder));
  if (await isFile(join(beside, 'channel.json'))) return one(beside);
  const text = await readFile(path, 'utf8');
  return { file: path, text, kind: kindOf(folder, product), pipelines: () => undefined };
}

function folderOf(channels: string, product: string, only?: string): ChannelFolder {
  return { channels, kind: kindOf(channels, product), ...(only !== undefined && { only: [only] }) };
}

function kindOf(path: string, product: string): ChannelKind {
  const own = resolve(product);
  return path === own || path === dirname(own) ? 'system' : 'custom';
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
