/** What the rules need to know of each pipeline: its graph, what its expressions read, and what the event carries. */
import { isObject, pointerTo } from '../json.ts';
import type { FormUse } from './draft.ts';
import { type Carried, createNames, followFlow, meet, type Names, passPipe, plus, type Way } from './flow.ts';
import { type Graph, graphOf, heads } from './graph.ts';
import { type NamedPipe, namedPipes } from './named-pipes.ts';
import { emptyReading, type Reading, readParams } from './read-params.ts';
import type { PipelineUse, PipeUse } from './read-pipeline.ts';

export interface Analysis {
  readonly pipeline: PipelineUse;
  readonly graph: Graph;
  readonly names: Names;
  /** What the expressions of a pipe read; empty for a pipe that is wrong. */
  readonly reading: (pipe: PipeUse) => Reading;
  /** What the event carries when it comes to a pipe; undefined where none ever comes. */
  readonly carried: (pipe: PipeUse) => Carried | undefined;
  /** What stands in `$origin`; undefined if that is not known. */
  readonly origin: readonly string[] | undefined;
}

/** A scheduled pipe, and the pipe of the Schedule pipeline that it names. */
export interface Handover {
  readonly analysis: Analysis;
  readonly pipe: PipeUse;
  readonly target: NamedPipe;
}

const MESSAGE_ORIGIN = ['send_message_id', 'launch_id', 'a_id', 'c_id'] as const;
const LISTENER_ORIGIN = ['form', 'body', 'headers', 'method', 'path'] as const;

/** Analyses all pipelines; the Schedule pipeline last, because what enters it comes from the others. */
export function analyse(pipelines: readonly PipelineUse[], forms: readonly FormUse[]): readonly Analysis[] {
  const names = createNames();
  const done: Analysis[] = [];
  const ordered = [...pipelines].sort(
    (left, right) => Number(left.role === 'schedule') - Number(right.role === 'schedule'),
  );
  for (const pipeline of ordered) {
    done.push(
      pipeline.role === 'schedule'
        ? analyseSchedule(pipeline, names, done)
        : analyseOne(pipeline, names, forms),
    );
  }
  return done;
}

/** All scheduled pipes of some pipelines. */
export function handovers(analyses: readonly Analysis[]): readonly Handover[] {
  // In an operation nothing can be scheduled, which is reported as such.
  const lasting = analyses.filter(({ pipeline }) => pipeline.role !== 'operation');
  return lasting.flatMap((analysis) =>
    analysis.graph.pipes.flatMap((pipe) => handedBy(pipe).map((target) => ({ analysis, pipe, target }))),
  );
}

function handedBy({ pipe, params, pointer }: PipeUse): readonly NamedPipe[] {
  return namedPipes(pipe?.params ?? {}, params, pointerTo(pointer, 'params'), 'entry');
}

function analyseOne(pipeline: PipelineUse, names: Names, forms: readonly FormUse[]): Analysis {
  const graph = graphOf(pipeline);
  const [first] = graph.pipes;
  const input = pipeline.role === 'operation' ? inputOf(pipeline, forms) : undefined;
  const origin = input?.all ?? (pipeline.role === 'listener' ? LISTENER_ORIGIN : MESSAGE_ORIGIN);
  const mark = pipeline.role === 'operation' || pipeline.role === 'listener' ? [] : ['$message'];
  const carried: Carried = {
    may: names.of([...origin, ...mark]),
    must: names.of([...(input?.certain ?? origin), ...mark]),
  };
  // The address of a listener names the pipe, so each one to which no other leads is an entry.
  const entries = pipeline.role === 'listener' ? [...new Set([first, ...heads(graph)])] : [first];
  const sound = entries.filter((entry) => entry !== undefined);
  const start = new Map(sound.map((entry) => [entry, carried]));
  return finish(pipeline, graph, names, start, origin, (pipe) => graph.exits(pipe));
}

function inputOf(pipeline: PipelineUse, forms: readonly FormUse[]) {
  const pointer = pipeline.named.pointer.replace(/\/pipeline$/, '/input');
  const fields = forms.find((form) => form.pointer === pointer)?.fields.map((use) => use.field) ?? [];
  const certain = fields.filter((field) => field.required === true || field.default !== undefined);
  return { all: fields.map((field) => field.field), certain: certain.map((field) => field.field) };
}

function analyseSchedule(pipeline: PipelineUse, names: Names, others: readonly Analysis[]): Analysis {
  const graph = graphOf(pipeline);
  const start = new Map<PipeUse, Carried>();
  const origin = new Set<string>();
  let open = false;
  const hand = (pipe: PipeUse, carried: Carried): Carried => {
    const handed = handedOver(pipe, carried, names);
    for (const name of names.list(handed.may)) origin.add(name);
    open ||= (handed.may & names.of(['$open'])) !== 0n;
    return handed;
  };
  for (const { analysis, pipe, target } of handovers(others)) {
    const entry = graph.byId.get(target.id);
    const carried = analysis.carried(pipe);
    if (entry !== undefined && carried !== undefined)
      start.set(entry, meet(start.get(entry), hand(pipe, carried)));
  }
  const ways = (pipe: PipeUse): readonly Way[] => [
    ...graph.exits(pipe),
    ...handedBy(pipe).map(({ id, pointer }) => ({ kind: 'later' as const, pointer, to: graph.byId.get(id) })),
  ];
  const analysis = finish(pipeline, graph, names, start, [], ways, hand);
  return { ...analysis, origin: open ? undefined : [...origin] };
}

function finish(
  pipeline: PipelineUse,
  graph: Graph,
  names: Names,
  start: ReadonlyMap<PipeUse, Carried>,
  origin: readonly string[],
  ways: (pipe: PipeUse) => readonly Way[],
  hand?: (pipe: PipeUse, carried: Carried) => Carried,
): Analysis {
  const readings = new Map(graph.pipes.map((pipe) => [pipe, readPipe(pipe)]));
  const reading = (pipe: PipeUse) => readings.get(pipe) ?? emptyReading();
  const pass = passPipe(names, (pipe) => guarded(pipe, reading(pipe), names));
  const carried = followFlow(ways, start, (pipe, { kind }, before) => {
    if (kind !== 'later') return pass(pipe, kind, before);
    return hand?.(pipe, before) ?? before;
  });
  return {
    pipeline,
    graph,
    names,
    reading,
    carried: (pipe) => carried.get(pipe),
    origin,
  };
}

function readPipe({ pipe, params, pointer, sound }: PipeUse): Reading {
  const reading = emptyReading();
  if (pipe !== undefined && sound) readParams(pipe.params, params, pointerTo(pointer, 'params'), reading);
  return reading;
}

/** The names that a selector asks about: behind it, their absence is the author's decision. */
function guarded(use: PipeUse, { references }: Reading, names: Names): bigint {
  if (use.pipe?.type !== 'selector') return 0n;
  const asked = references.flatMap(({ keyword, path: [first] }) => {
    if (keyword === 'error') return ['status', 'headers', 'body'];
    return keyword === 'in' && typeof first === 'string' ? [first] : [];
  });
  return names.of(asked);
}

/** What a scheduled pipe hands over: the members of its template, or the whole of `$in`. */
function handedOver({ params }: PipeUse, carried: Carried, names: Names): Carried {
  const { template } = params;
  const marks = (bits: bigint) => bits & names.of(['$message']);
  if (template === undefined || template === '$in' || template === '$#in') {
    const error = names.of(['$error']);
    return { may: carried.may & ~error, must: carried.must & ~error };
  }
  const kept = { may: marks(carried.may), must: marks(carried.must) };
  const members = isObject(template) ? Object.keys(template) : ['$'];
  if (members.length === 1 && members[0] === '$') return plus(kept, names.of(['$open']));
  const written = members.map((name) =>
    name.startsWith('$$') ? (/\[([^[\]]+)\]$/.exec(name)?.[1] ?? name) : name,
  );
  const certain = written.filter(
    (_, index) => !isOptional(isObject(template) ? template[members[index] ?? ''] : ''),
  );
  return { may: kept.may | names.of(written), must: kept.must | names.of(certain) };
}

/** A member that is left out where its value is missing. */
function isOptional(value: unknown): boolean {
  return (
    (typeof value === 'string' && /^\$#\{.*\?\}$/s.test(value)) ||
    (isObject(value) && Object.hasOwn(value, '$'))
  );
}
