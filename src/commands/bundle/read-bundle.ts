/** Reads a bundle: a JSON file, or a folder of channels with a `bundle.json` for the rest beside them. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { PIPELINE_NAMES } from '../../channel/document.ts';
import { type ChannelFolder, readChannels } from '../../channel/load.ts';
import { compileShape } from '../../channel/shape.ts';
import { parseSource, type SourceText } from '../../channel/source-text.ts';
import { Failure } from '../../errors.ts';
import { own } from '../../json.ts';
import { refusedBy } from '../find-channel.ts';
import { readText } from '../read-json.ts';
import type { Bundle, BundleChannel, BundleDocument, BundleMembers } from './document.ts';
import { bundleSchema } from './schema.ts';

const BESIDE = 'bundle.json';

const NOTHING: BundleMembers = Object.freeze<BundleMembers>({
  senders: [],
  resources: [],
  templates: [],
  connectors: [],
  providerConfigs: [],
  senderRules: [],
  sendingRules: undefined,
  webhooks: [],
});

/** Throws NOT_FOUND, DOCUMENT_NOT_JSON, DOCUMENT_INVALID. */
export async function readBundle(path: string): Promise<Bundle> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new Failure('NOT_FOUND', `There is no bundle or folder "${path}".`);
  const bundle = found.isDirectory() ? await readFolder(path) : await readFile(path);
  refuseTwice(bundle, path);
  return bundle;
}

async function readFile(path: string): Promise<Bundle> {
  const source = parseSource(path, await readText(path));
  const errors = source.findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw refusedBy(errors, `The bundle ${path} cannot be read`);
  const problems = compileShape(bundleSchema())(source.value).map(({ pointer, message, of }) => {
    const { line, column } = source.locate(pointer, of);
    return { pointer, message, place: `${path}:${line}:${column}` };
  });
  if (problems.length > 0) {
    const lines = problems.map(({ place, message }) => `  ${place} ${message}`);
    throw new Failure('DOCUMENT_INVALID', `The bundle ${path} is not right:\n${lines.join('\n')}`, {
      problems,
    });
  }
  // The schema has seen that it is one.
  const { channels = [], sluiceway: _version, ...members } = source.value as BundleDocument;
  const find = pipelinesIn(channels);
  return {
    ...NOTHING,
    ...members,
    channels: channels.map((value, index): BundleChannel => {
      return { sid: String(value.sid), source: inside(source, `/channels/${index}`, value), pipelines: find };
    }),
  };
}

/** A part of a document with the places that it has in the whole. */
function inside(outer: SourceText, prefix: string, value: unknown): SourceText {
  return {
    file: outer.file,
    findings: [],
    value,
    locate: (pointer, of) => outer.locate(prefix + pointer, of),
  };
}

/** A channel of the bundle may name the pipelines of another. */
function pipelinesIn(channels: readonly unknown[]): BundleChannel['pipelines'] {
  return (name) => {
    const [sid, pipeline = ''] = name.split('/');
    if (!PIPELINE_NAMES.some((each) => each === pipeline)) return undefined;
    const channel = channels.find((each) => own(each, 'sid') === sid);
    const found = own(own(channel, 'pipelines'), pipeline);
    return Array.isArray(found) ? { file: `${name}.json`, text: JSON.stringify(found, null, 2) } : undefined;
  };
}

async function readFolder(path: string): Promise<Bundle> {
  const names = await readdir(path);
  const absolute = resolve(path);
  const folder: ChannelFolder = names.includes('channel.json')
    ? { channels: dirname(absolute), kind: 'custom', only: [basename(absolute)] }
    : { channels: absolute, kind: 'custom' };
  const { sources, findings } = await readChannels([folder]);
  if (findings.some(({ severity }) => severity === 'error')) {
    throw refusedBy(findings, `The channels in ${path} cannot be read`);
  }
  const beside = names.includes(BESIDE) ? await readFile(join(path, BESIDE)) : undefined;
  if (sources.length === 0 && beside === undefined) {
    throw new Failure(
      'NOT_FOUND',
      `There is no channel in "${path}": no <sid>/channel.json, and no ${BESIDE}.`,
    );
  }
  const channels = sources.map(({ file, text, sid = '', pipelines }): BundleChannel => {
    return { sid, source: parseSource(file, text), pipelines };
  });
  return { ...NOTHING, ...beside, channels: [...channels, ...(beside?.channels ?? [])] };
}

/** Of two members with one name nobody could say which one counts. */
function refuseTwice(bundle: Bundle, path: string): void {
  const names = [
    ...bundle.channels.map(({ sid }) => `channel ${sid}`),
    ...bundle.senders.map(({ channel, sid }) => `sender ${channel}/${sid}`),
    ...bundle.resources.map(({ sid }) => `resource ${sid}`),
    ...bundle.templates.map(({ channel, sid }) => `template ${channel}/${sid}`),
    ...bundle.connectors.map(({ sid }) => `connector ${sid}`),
    ...bundle.providerConfigs.map(({ channel }) => `provider-config ${channel}`),
    ...bundle.senderRules.map(({ channel }) => `sender-rules ${channel}`),
  ];
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length === 0) return;
  throw new Failure(
    'DOCUMENT_INVALID',
    `${path} holds some members twice: ${twice.join(', ')}. Keep one of each.`,
  );
}
