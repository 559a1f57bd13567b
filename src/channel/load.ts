/**
 * Finds channels on disk: `<channels>/<sid>/channel.json`, and their named pipelines.
 *
 * The pipeline "acme_sms/message" is looked for in this order: `<pipelines>/acme_sms/message.json` where a folder of
 * pipelines is given; `<channels>/acme_sms/pipelines/message.json`, beside its channel; and
 * `<channels>/../pipelines/acme_sms/message.json`. A folder that holds `channels` stands for that folder.
 * Files are read once, so that what is checked is what is loaded.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { ChannelSource } from './check.ts';
import type { ChannelKind } from './document.ts';
import type { Finding } from './finding.ts';
import { type FindingCode, findingOf } from './rules/codes.ts';

export interface ChannelFolder {
  readonly channels: string;
  readonly pipelines?: string;
  readonly kind: ChannelKind;
  /** Only these channels of the folder; all where it is left out. */
  readonly only?: readonly string[];
}

export interface LoadedChannels {
  /** By folder, then by sid. */
  readonly sources: readonly ChannelSource[];
  readonly findings: readonly Finding[];
  /** Pipeline files of the loaded channels that none of them has named; of use after all were checked. */
  readonly unnamed: () => readonly Finding[];
}

/** A larger file is not even read. */
const MAX_BYTES = 16 * 1024 * 1024;

interface PipelineFile {
  readonly file: string;
  readonly text: string;
}

/** Reads the channels of some folders. Never throws because of what it finds there. */
export async function readChannels(folders: readonly ChannelFolder[]): Promise<LoadedChannels> {
  const loading = await Promise.all(folders.map(async (folder) => readFolder(await resolveFolder(folder))));
  return {
    sources: loading.flatMap((each) => each.sources),
    findings: loading.flatMap((each) => each.findings),
    unnamed: () => loading.flatMap((each) => each.unnamed()),
  };
}

async function resolveFolder(folder: ChannelFolder): Promise<ChannelFolder> {
  const inner = join(folder.channels, 'channels');
  if (folder.only !== undefined || !(await isFolder(inner)) || (await isFile(join(inner, 'channel.json'))))
    return folder;
  return { ...folder, channels: inner, pipelines: folder.pipelines ?? join(folder.channels, 'pipelines') };
}

async function readFolder(folder: ChannelFolder): Promise<LoadedChannels> {
  const findings: Finding[] = [];
  const complain = (code: FindingCode, file: string, message: string) => {
    findings.push(findingOf(code, { file, line: 1, column: 1, pointer: '', message }));
  };
  const sids = await foldersIn(folder.channels, complain);
  const wanted = sids.filter((sid) => folder.only?.includes(sid) ?? true);
  const pipelines = await readPipelines(folder, sids, complain);
  const named = new Set<string>();
  const find = (name: string) => {
    named.add(name);
    return pipelines.get(name);
  };
  const sources: ChannelSource[] = [];
  for (const sid of wanted) {
    const file = shown(join(folder.channels, sid, 'channel.json'));
    if (!(await isFile(file))) {
      complain(
        'channel-file-missing',
        shown(join(folder.channels, sid)),
        `The folder has no channel.json; every folder here is a channel, and "${sid}" is none.`,
      );
      continue;
    }
    const text = await readText(file, complain);
    if (text !== undefined) sources.push({ file, text, kind: folder.kind, sid, pipelines: find });
  }
  const unnamed = () =>
    [...pipelines]
      .filter(([name]) => !named.has(name) && wanted.includes(name.split('/')[0] ?? ''))
      .map(([name, { file }]) => {
        const message = `No channel names the pipeline "${name}"; name it in "pipelines", or remove the file.`;
        return findingOf('pipeline-file-unused', { file, line: 1, column: 1, pointer: '', message });
      });
  return { sources, findings, unnamed };
}

type Complain = (code: FindingCode, file: string, message: string) => void;

/** All pipelines that channels of a folder can name. */
async function readPipelines(
  folder: ChannelFolder,
  sids: readonly string[],
  complain: Complain,
): Promise<ReadonlyMap<string, PipelineFile>> {
  const found = new Map<string, PipelineFile>();
  const readRoot = async (root: string) => {
    if (!(await isFolder(root))) return;
    for (const sid of await foldersIn(root, complain)) await readInto(found, sid, join(root, sid), complain);
  };
  // What is looked for first is read last, so that it stays.
  await readRoot(join(folder.channels, '..', 'pipelines'));
  for (const sid of sids) await readInto(found, sid, join(folder.channels, sid, 'pipelines'), complain);
  if (folder.pipelines !== undefined) await readRoot(folder.pipelines);
  return found;
}

async function readInto(
  found: Map<string, PipelineFile>,
  sid: string,
  folder: string,
  complain: Complain,
): Promise<void> {
  if (!(await isFolder(folder))) return;
  const names = (await readdir(folder))
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .sort();
  for (const name of names) {
    const file = shown(join(folder, name));
    const text = await readText(file, complain);
    if (text !== undefined) found.set(`${sid}/${name.slice(0, -'.json'.length)}`, { file, text });
  }
}

async function foldersIn(path: string, complain: Complain): Promise<readonly string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const names: string[] = [];
    for (const entry of entries) {
      // A link may lead to a folder as well.
      const isDirectory =
        entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(join(path, entry.name))));
      if (isDirectory && !entry.name.startsWith('.')) names.push(entry.name);
    }
    return names.sort();
  } catch (thrown) {
    complain(
      'folder-unreadable',
      shown(path),
      `The folder cannot be read (${reasonOf(thrown)}); check its name and its rights.`,
    );
    return [];
  }
}

async function readText(file: string, complain: Complain): Promise<string | undefined> {
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) {
      complain(
        'too-large',
        file,
        `The file has ${size} bytes; a document has at most 2 MiB. Check that this is the right file.`,
      );
      return undefined;
    }
    return await readFile(file, 'utf8');
  } catch (thrown) {
    complain('file-unreadable', file, `The file cannot be read (${reasonOf(thrown)}); check its rights.`);
    return undefined;
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown reason';
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/** The path as people know it: from here, where it is below. */
function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short === '' || short.startsWith('..') ? path : short;
}
