/** The one channel that an argument names: by its folder or document, or by its sid. */
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type ChannelSource, checkChannel } from '../channel/check.ts';
import type { ChannelDocument } from '../channel/document.ts';
import type { Finding } from '../channel/finding.ts';
import { type ChannelFolder, readChannels } from '../channel/load.ts';
import { readTargets } from '../channel/targets.ts';
import { Failure } from '../errors.ts';
import { didYouMean, listed, nearName } from '../near.ts';
import type { CommandContext } from './command.ts';

/** What ships with the product. */
export const SHIPPED = Object.freeze({
  channels: fileURLToPath(new URL('../../channels', import.meta.url)),
  pipelines: fileURLToPath(new URL('../../pipelines', import.meta.url)),
});

/** Finds and checks a channel. Throws NOT_FOUND, and DOCUMENT_INVALID with every error at its place. */
export async function findChannel(
  name: string,
  environment: CommandContext['environment'],
): Promise<ChannelDocument> {
  const source = /^[a-z][a-z0-9_]*$/.test(name)
    ? await bySid(name, environment)
    : await byPath(name, `There is no file or folder "${name}". Name the folder of a channel, or its sid.`);
  const { document, findings } = checkChannel(source);
  if (document !== undefined) return document;
  throw refusedBy(findings, `Channel "${source.sid ?? name}" has errors`);
}

/** The failure of documents with errors, each on a line of its own. */
export function refusedBy(findings: readonly Finding[], what: string): Failure {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const lines = errors.map(({ file, line, column, message }) => `  ${file}:${line}:${column} ${message}`);
  return new Failure('DOCUMENT_INVALID', `${what}; fix them first:\n${lines.join('\n')}`, {
    problems: errors,
  });
}

/** A folder of that name here comes first, as a path does. */
async function bySid(sid: string, environment: CommandContext['environment']): Promise<ChannelSource> {
  if ((await stat(sid).catch(() => undefined)) !== undefined) return byPath(sid, '');
  const own = (environment.SLUICEWAY_CHANNELS ?? '').split(',').map((path) => path.trim());
  const folders: ChannelFolder[] = [
    { ...SHIPPED, kind: 'system' },
    ...own.filter((path) => path !== '').map((channels) => ({ channels, kind: 'custom' as const })),
  ];
  const { sources } = await readChannels(folders);
  const found = sources.find((source) => source.sid === sid);
  if (found !== undefined) return found;
  const known = sources.flatMap((source) => source.sid ?? []);
  throw new Failure(
    'NOT_FOUND',
    `There is no channel "${sid}": no folder here has this name, and the channels of the product and of SLUICEWAY_CHANNELS are ${listed(known)}.${didYouMean(nearName(sid, known))}`,
  );
}

async function byPath(path: string, absent: string): Promise<ChannelSource> {
  if ((await stat(path).catch(() => undefined)) === undefined) throw new Failure('NOT_FOUND', absent);
  const { sources, findings } = await readTargets([path], SHIPPED.channels);
  const [source] = sources;
  if (source !== undefined && sources.length === 1) return source;
  if (sources.length > 1) {
    const sids = sources.flatMap((each) => each.sid ?? []);
    throw new Failure(
      'REQUEST_INVALID',
      `"${path}" holds ${sources.length} channels; name the folder of one: ${listed(sids)}.`,
    );
  }
  throw refusedBy(findings, `"${path}" is no channel`);
}
