/** What would become of the channels of a bundle. */
import { checkText } from '../../channel/check.ts';
import type { ChannelDocument } from '../../channel/document.ts';
import { writtenForm } from '../../channel/written-form.ts';
import { isObject } from '../../json.ts';
import { differences } from '../../testing/compare.ts';
import type { BundleChannel } from './document.ts';
import { kindOf, type ServerState } from './server-state.ts';
import type { Step } from './step.ts';

export interface PlannedChannels {
  readonly steps: readonly Step[];
  /** By sid, as they will be; those that have errors are missing. */
  readonly documents: ReadonlyMap<string, ChannelDocument>;
}

/** Checks all channels; what is wrong with them is added to `problems`. */
export async function planChannels(
  channels: readonly BundleChannel[],
  state: ServerState,
  problems: string[],
): Promise<PlannedChannels> {
  const steps: Step[] = [];
  const documents = new Map<string, ChannelDocument>();
  // Channels of the bundle take their sids and ids as those of the server do.
  const others = [...state.channels.values()].map(({ sid, id }) => ({ sid, id }));
  const reserved = channels.flatMap(({ source }) => idOf(source.value));
  for (const channel of channels) {
    const held = state.channels.get(channel.sid);
    const previous = await state.document(channel.sid);
    const pipelines = await finderOf(channel, state);
    const checked = checkText(
      channel.source,
      { file: channel.source.file, text: '', kind: kindOf(held?.kind), pipelines },
      { others, reserved, previous },
    );
    const { document } = checked;
    if (document === undefined) {
      for (const { severity, file, line, column, message } of checked.findings) {
        if (severity === 'error') problems.push(`${file}:${line}:${column} ${message}`);
      }
      continue;
    }
    documents.set(channel.sid, document);
    if (held === undefined) others.push({ sid: document.sid, id: document.id });
    const step = stepOf(document, previous, inlined(channel.source.value, pipelines));
    if (step.change !== 'keep' && held !== undefined && (held.kind !== 'custom' || held.shared)) {
      problems.push(
        `Channel "${channel.sid}" differs from the server's, but there it ${held.shared && held.kind === 'custom' ? 'is loaded from a folder' : 'comes with the product'} and cannot be changed by a bundle.`,
      );
    }
    steps.push(step);
  }
  return { steps, documents };
}

function stepOf(document: ChannelDocument, previous: ChannelDocument | undefined, body: unknown): Step {
  const { sid } = document;
  const common = { kind: 'channel', name: sid, examine: body } as const;
  if (previous === undefined) {
    return { ...common, change: 'create', differences: [], write: (api) => api.post('/channels', body) };
  }
  const [after, before] = [writtenForm(document), writtenForm(previous)];
  // The order of members further in may mean something, in XML for example; the server looks at it too.
  const same = orderedText(after) === orderedText(before);
  return {
    ...common,
    change: same ? 'keep' : 'change',
    differences: same ? [] : differences(after, before, '', true),
    write: (api) => api.put(`/channels/${sid}`, body),
  };
}

function orderedText(document: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(document).sort(([left], [right]) => (left < right ? -1 : 1)));
}

function idOf(value: unknown): number[] {
  return isObject(value) && typeof value.id === 'number' ? [value.id] : [];
}

/** Pipelines of the bundle, then those of channels on the server. */
async function finderOf(channel: BundleChannel, state: ServerState): Promise<BundleChannel['pipelines']> {
  const onServer = new Map<string, { file: string; text: string }>();
  for (const name of namesIn(channel.source.value)) {
    if (channel.pipelines(name) !== undefined) continue;
    const [sid = '', pipeline = ''] = name.split('/');
    const document = sid === channel.sid ? undefined : await state.document(sid);
    const found = Object.entries(document?.pipelines ?? {}).find(([role]) => role === pipeline);
    if (found !== undefined) {
      onServer.set(name, { file: `${name}.json`, text: JSON.stringify(found[1], null, 2) });
    }
  }
  return (name) => channel.pipelines(name) ?? onServer.get(name);
}

function namesIn(value: unknown): string[] {
  if (!isObject(value)) return [];
  const entities = Array.isArray(value.entities) ? value.entities.filter(isObject) : [];
  const operations = entities.flatMap(({ operations: list }) =>
    Array.isArray(list) ? list.filter(isObject).map(({ pipeline }) => pipeline) : [],
  );
  const own = isObject(value.pipelines) ? Object.values(value.pipelines) : [];
  return [...own, ...operations].filter((name) => typeof name === 'string');
}

/** The document with its named pipelines inline: the server has no files. */
function inlined(value: unknown, find: BundleChannel['pipelines']): unknown {
  if (!isObject(value)) return value;
  const { $schema: _schema, ...document } = value;
  const pipelineOf = (named: unknown): unknown => {
    const found = typeof named === 'string' ? find(named) : undefined;
    return found === undefined ? named : JSON.parse(found.text);
  };
  const { pipelines, entities } = document;
  return {
    ...document,
    ...(isObject(pipelines) && {
      pipelines: Object.fromEntries(
        Object.entries(pipelines).map(([role, each]) => [role, pipelineOf(each)]),
      ),
    }),
    ...(Array.isArray(entities) && {
      entities: entities.filter(isObject).map((entity) => ({
        ...entity,
        ...(Array.isArray(entity.operations) && {
          operations: entity.operations
            .filter(isObject)
            .map((each) => ({ ...each, pipeline: pipelineOf(each.pipeline) })),
        }),
      })),
    }),
  };
}
