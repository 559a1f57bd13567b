/** Reads a pipeline of a document, inline or by name: its pipes, each checked for itself, and where they stand. */
import { isObject, own, pointerTo } from '../json.ts';
import { didYouMean, listed, nearName } from '../near.ts';
import { pipeOf, pipeTypes } from '../pipes/catalog.ts';
import type { Pipe } from '../pipes/contract.ts';
import type { PipelineDocument, PipelineName } from './document.ts';
import type { Report } from './report.ts';
import { MAX_PIPES } from './schema/pipeline.ts';
import { paramsShapeOf, shapeOf } from './shapes.ts';
import type { SourceText } from './source-text.ts';

/** A pipe and where it stands. */
export interface PipeUse {
  readonly id: number;
  /** Undefined for an unknown type. */
  readonly pipe: Pipe | undefined;
  /** As written, even where they are wrong. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly outs: { readonly success?: number; readonly error?: number };
  readonly pointer: string;
  /** False where something in it is wrong, so that what it does is not known. */
  readonly sound: boolean;
}

/** A pipeline in the place where the channel uses it. */
export interface PipelineUse {
  readonly role: PipelineName | 'operation';
  /** `message`, or `<entity>/<operation>`. */
  readonly title: string;
  /** The text it stands in: the channel's own, or that of a pipeline file. */
  readonly source: SourceText;
  readonly pointer: string;
  /** Where the channel document names it. */
  readonly named: { readonly source: SourceText; readonly pointer: string };
  readonly pipes: readonly PipeUse[];
  /** False where a pipe is missing here because not even its id could be read. */
  readonly whole: boolean;
  readonly document: PipelineDocument;
}

/** What is known of the place that names a pipeline. */
export interface PipelinePlace {
  readonly role: PipelineUse['role'];
  readonly title: string;
  readonly source: SourceText;
  readonly pointer: string;
}

/** Finds a named pipeline: its text, or undefined if there is no such file. */
export type FindPipeline = (name: string) => SourceText | undefined;

/** Reads a pipeline; undefined if there is none to read, which is reported. */
export function readPipeline(
  value: unknown,
  place: PipelinePlace,
  find: FindPipeline,
  report: Report,
): PipelineUse | undefined {
  const { role, title } = place;
  const named = { source: place.source, pointer: place.pointer };
  const found = typeof value === 'string' ? find(value) : place.source;
  if (found === undefined) {
    const message = `There is no pipeline file for "${String(value)}"; it would be ${String(value)}.json in the folder of pipelines.`;
    report.add('pipeline-file-missing', named, message);
    return undefined;
  }
  const pointer = typeof value === 'string' ? '' : place.pointer;
  const pipes = typeof value === 'string' ? found.value : value;
  report.take(found.findings);
  if (pipes === undefined) return undefined;
  const here = { source: found, pointer };
  if (!Array.isArray(pipes)) {
    report.add('wrong-type', here, 'A pipeline is an array of pipes: [ { "id": 1, "type": … }, … ].');
    return undefined;
  }
  if (pipes.length === 0 || pipes.length > MAX_PIPES) {
    const message = `A pipeline has 1 to ${MAX_PIPES} pipes, but this one has ${pipes.length}.`;
    report.add('pipeline-size', here, message);
    return undefined;
  }
  const uses = pipes.map((each: unknown, index) => readPipe(each, pointerTo(pointer, index), found, report));
  return {
    role,
    title,
    source: found,
    pointer,
    named,
    pipes: uses.filter((each) => each !== undefined),
    whole: uses.every((each) => each !== undefined),
    document: pipes as PipelineDocument,
  };
}

function readPipe(value: unknown, pointer: string, source: SourceText, report: Report): PipeUse | undefined {
  let sound = true;
  const complain = (misfits: ReturnType<ReturnType<typeof shapeOf>>, at: string) => {
    for (const { code, pointer: inner, of, message, suggestion } of misfits) {
      report.add(code, { source, pointer: at + inner, of }, message, suggestion);
      sound = false;
    }
  };
  complain(shapeOf('pipe')(value), pointer);
  const id = own(value, 'id');
  const type = own(value, 'type');
  const params = own(value, 'params') ?? {};
  const pipe = typeof type === 'string' ? pipeOf(type) : undefined;
  if (typeof type === 'string') {
    const typeAt = { source, pointer: pointerTo(pointer, 'type') };
    if (pipe === undefined) {
      const near = nearName(type, pipeTypes);
      const message = `There is no pipe of type "${type}".${didYouMean(near) || ` There are: ${listed(pipeTypes)}.`}`;
      report.add('pipe-type-unknown', typeAt, message, near);
    } else if (pipe.type !== type) {
      report.add('pipe-type-old', typeAt, `"${type}" is an older name; write "${pipe.type}".`, pipe.type);
    }
  }
  if (pipe !== undefined && isObject(params)) {
    const at = own(value, 'params') === undefined ? pointer : pointerTo(pointer, 'params');
    complain(paramsShapeOf(pipe.type)(params), at);
    if (sound) {
      for (const problem of pipe.check?.(params) ?? []) {
        report.add('pipe-params', { source, pointer: at + problem.pointer }, problem.message);
      }
    }
  }
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 1) return undefined;
  return {
    id,
    pipe,
    params: isObject(params) ? params : {},
    outs: readOuts(own(value, 'outs')),
    pointer,
    sound: sound && pipe !== undefined,
  };
}

function readOuts(value: unknown): PipeUse['outs'] {
  const success = own(value, 'success');
  const error = own(value, 'error');
  return {
    ...(typeof success === 'number' && { success }),
    ...(typeof error === 'number' && { error }),
  };
}
