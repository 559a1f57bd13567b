/** A channel document on its way through the check: the parts that are sound, with their places and defaults. */
import { isObject, own, pointerTo } from '../json.ts';
import type { RateLimit } from '../pipes/contract.ts';
import { assignIds } from './assign-ids.ts';
import {
  type ChannelDocument,
  type ChannelEvent,
  type ChannelKind,
  type Entity,
  type EntityOperation,
  FIELD_GROUPS,
  type FieldGroup,
  type FieldRow,
  PIPELINE_NAMES,
  type PipelineDocument,
  type PipelineName,
} from './document.ts';
import { type FieldUse, readRows } from './read-fields.ts';
import { type FindPipeline, type PipelineUse, readPipeline } from './read-pipeline.ts';
import type { Report } from './report.ts';
import { shapeOf } from './shapes.ts';
import type { SourceText } from './source-text.ts';

/** An event and where it stands. */
export interface EventUse {
  readonly event: ChannelEvent;
  readonly pointer: string;
  /** The id was left out in the document. */
  readonly assigned: boolean;
}

/** A form: a group of the channel, the fields of an entity, or the input of an operation. */
export interface FormUse {
  readonly group: FieldGroup | 'entity' | 'input';
  readonly pointer: string;
  readonly fields: readonly FieldUse[];
  readonly whole: boolean;
}

export interface EntityUse {
  readonly entity: Entity;
  readonly pointer: string;
}

export interface Draft {
  readonly source: SourceText;
  /** The document as written. */
  readonly written: Readonly<Record<string, unknown>>;
  /** As far as it is sound; where nothing is wrong, the whole of it. */
  readonly document: ChannelDocument;
  readonly idAssigned: boolean;
  readonly events: readonly EventUse[];
  readonly forms: readonly FormUse[];
  readonly entities: readonly EntityUse[];
  readonly pipelines: readonly PipelineUse[];
}

export interface DraftOptions {
  readonly kind: ChannelKind;
  readonly find: FindPipeline;
  /** Ids of other channels. */
  readonly ids: Iterable<number>;
  readonly previous: ChannelDocument | undefined;
}

interface Reading extends DraftOptions {
  readonly source: SourceText;
  readonly report: Report;
  readonly forms: FormUse[];
  readonly pipelines: PipelineUse[];
}

/** Reads a document part by part; undefined if it is no object at all. */
export function readDraft(source: SourceText, options: DraftOptions, report: Report): Draft | undefined {
  const misfits = shapeOf('channel')(source.value);
  for (const { code, pointer, of, message, suggestion } of misfits) {
    report.add(code, { source, pointer, of }, message, suggestion);
  }
  if (!isObject(source.value)) return undefined;
  // A member that is wrong is left out, so that the rules see only what they can rely on.
  const wrong = new Set(misfits.map((misfit) => misfit.pointer.split('/')[1]));
  const written = Object.fromEntries(
    Object.entries(source.value).filter(([name]) => !wrong.has(name) || CONTAINERS.has(name)),
  );
  const reading: Reading = { ...options, source, report, forms: [], pipelines: [] };
  const fields = readForms(written.fields, reading);
  const pipelines = readPipelines(written.pipelines, reading);
  const entities = readEntities(written.entities, reading);
  const events = readEvents(written.events, reading);
  const id = typeof written.id === 'number' ? written.id : undefined;
  const assigned = assignIds(
    { ...(id !== undefined && { id }), events: events.map(({ value }) => value) },
    options.kind,
    { ids: options.ids, previous: options.previous },
  );
  const uses = events.map(({ value, pointer }, index) => ({
    event: { ...value, id: assigned.eventIds[index] ?? 0 },
    pointer,
    assigned: value.id === undefined,
  }));
  const { $schema: _schema, limits, ...rest } = written;
  const document = {
    ...DEFAULTS,
    ...rest,
    kind: options.kind,
    id: assigned.id,
    events: uses.map(({ event }) => event),
    fields,
    pipelines,
    entities: entities.map(({ entity }) => entity),
    delivery: { ...DEFAULTS.delivery, ...(isObject(written.delivery) && written.delivery) },
    ...(isObject(limits) && { limits: limitOf(limits) }),
  } as ChannelDocument;
  return {
    source,
    written: source.value,
    document,
    idAssigned: id === undefined,
    events: uses,
    entities,
    forms: reading.forms,
    pipelines: reading.pipelines,
  };
}

/** Members whose sound parts are still worth checking. */
const CONTAINERS: ReadonlySet<string> = new Set(['events', 'fields', 'pipelines', 'entities']);

const DEFAULTS = Object.freeze({
  sid: '',
  name: '',
  type: 'other',
  communication: 'direct',
  mailing_types: ['regular'],
  moderate: false,
  delivery: { mode: 'pipeline' },
  lane: 'sender',
  unknown: 'hold',
});

function limitOf(written: Readonly<Record<string, unknown>>): RateLimit {
  const { requests, per, scope = 'channel', burst } = written;
  return { requests, perSeconds: per, scope, ...(burst !== undefined && { burst }) } as RateLimit;
}

function readForm(
  value: unknown,
  group: FormUse['group'],
  pointer: string,
  reading: Reading,
): readonly FieldRow[] {
  const { rows, fields, whole } = readRows(value, pointer, reading.source, reading.report);
  reading.forms.push({ group, pointer, fields, whole });
  return rows;
}

function readForms(value: unknown, reading: Reading): ChannelDocument['fields'] {
  const forms: { [G in FieldGroup]?: readonly FieldRow[] } = {};
  for (const group of FIELD_GROUPS) {
    const rows = own(value, group);
    if (rows !== undefined) forms[group] = readForm(rows, group, `/fields/${group}`, reading);
  }
  return forms;
}

function readPipelines(value: unknown, reading: Reading): ChannelDocument['pipelines'] {
  const pipelines: { [N in PipelineName]?: PipelineDocument } = {};
  for (const name of PIPELINE_NAMES) {
    const written = own(value, name);
    if (typeof written !== 'string' && !Array.isArray(written)) continue;
    const use = readUse(written, name, name, `/pipelines/${name}`, reading);
    if (use !== undefined) pipelines[name] = use.document;
  }
  return pipelines;
}

function readUse(
  value: unknown,
  role: PipelineUse['role'],
  title: string,
  pointer: string,
  reading: Reading,
): PipelineUse | undefined {
  const place = { role, title, source: reading.source, pointer };
  const use = readPipeline(value, place, reading.find, reading.report);
  if (use !== undefined) reading.pipelines.push(use);
  return use;
}

function fits(
  part: 'event' | 'entity' | 'operation',
  value: unknown,
  pointer: string,
  reading: Reading,
): boolean {
  const misfits = shapeOf(part)(value);
  for (const { code, pointer: inner, of, message, suggestion } of misfits) {
    reading.report.add(code, { source: reading.source, pointer: pointer + inner, of }, message, suggestion);
  }
  return misfits.length === 0;
}

type WrittenEvent = Omit<ChannelEvent, 'id'> & { readonly id?: number };

function readEvents(value: unknown, reading: Reading): { value: WrittenEvent; pointer: string }[] {
  return elements(value, '/events').flatMap(({ each, pointer }) =>
    fits('event', each, pointer, reading) ? [{ value: each as WrittenEvent, pointer }] : [],
  );
}

function readEntities(value: unknown, reading: Reading): EntityUse[] {
  return elements(value, '/entities').flatMap(({ each, pointer }) => {
    if (!fits('entity', each, pointer, reading) || !isObject(each)) return [];
    const fields = readForm(each.fields, 'entity', pointerTo(pointer, 'fields'), reading);
    const operations = elements(each.operations, pointerTo(pointer, 'operations')).flatMap((inner) =>
      readOperation(inner.each, String(each.sid), inner.pointer, reading),
    );
    return [{ entity: { ...each, fields, operations } as unknown as Entity, pointer }];
  });
}

function readOperation(value: unknown, entity: string, pointer: string, reading: Reading): EntityOperation[] {
  if (!fits('operation', value, pointer, reading) || !isObject(value)) return [];
  const input =
    value.input === undefined
      ? undefined
      : readForm(value.input, 'input', pointerTo(pointer, 'input'), reading);
  const title = `${entity}/${String(value.sid)}`;
  const use = readUse(value.pipeline, 'operation', title, pointerTo(pointer, 'pipeline'), reading);
  const { sid, name } = value as unknown as EntityOperation;
  return [{ sid, name, ...(input !== undefined && { input }), pipeline: use?.document ?? [] }];
}

function elements(value: unknown, pointer: string): { each: unknown; pointer: string }[] {
  return (Array.isArray(value) ? value : []).map((each: unknown, index) => ({
    each,
    pointer: pointerTo(pointer, index),
  }));
}
