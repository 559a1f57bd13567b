/** A pipeline as a graph: its exits, where it is entered, and its circles. */
import { pointerTo } from '../json.ts';
import { namedPipes } from './named-pipes.ts';
import type { PipelineUse, PipeUse } from './read-pipeline.ts';

export interface Exit {
  readonly kind: 'success' | 'error' | 'exit';
  readonly id: number;
  readonly pointer: string;
  /** Undefined where there is no such pipe. */
  readonly to: PipeUse | undefined;
}

export interface Graph {
  readonly pipes: readonly PipeUse[];
  readonly byId: ReadonlyMap<number, PipeUse>;
  readonly exits: (pipe: PipeUse) => readonly Exit[];
}

/** The graph of a pipeline; of two pipes with the same id the first one counts. */
export function graphOf(pipeline: PipelineUse): Graph {
  const byId = new Map<number, PipeUse>();
  for (const pipe of pipeline.pipes) if (!byId.has(pipe.id)) byId.set(pipe.id, pipe);
  const exits = new Map([...byId.values()].map((pipe) => [pipe, exitsOf(pipe, byId)]));
  return { pipes: [...byId.values()], byId, exits: (pipe) => exits.get(pipe) ?? [] };
}

function exitsOf(use: PipeUse, byId: ReadonlyMap<number, PipeUse>): readonly Exit[] {
  const { outs, pipe, params, pointer } = use;
  const wired = (['success', 'error'] as const).flatMap((kind) => {
    const id = outs[kind];
    return id === undefined ? [] : [{ kind, id, pointer: `${pointer}/outs/${kind}`, to: byId.get(id) }];
  });
  const named = namedPipes(pipe?.params ?? {}, params, pointerTo(pointer, 'params'), 'exit').map((each) => ({
    kind: 'exit' as const,
    ...each,
    to: byId.get(each.id),
  }));
  return [...wired, ...named];
}

/** The pipes to which no other pipe leads. */
export function heads(graph: Graph): readonly PipeUse[] {
  const led = new Set<PipeUse | undefined>();
  for (const pipe of graph.pipes) for (const { to } of graph.exits(pipe)) if (to !== pipe) led.add(to);
  return graph.pipes.filter((pipe) => !led.has(pipe));
}

/** All pipes to which ways lead from some; `follow` says which exits count. */
export function reached(
  graph: Graph,
  from: Iterable<PipeUse>,
  follow: (pipe: PipeUse, exit: Exit) => boolean = () => true,
): ReadonlySet<PipeUse> {
  const seen = new Set(from);
  for (const pipe of seen) {
    for (const exit of graph.exits(pipe)) if (exit.to !== undefined && follow(pipe, exit)) seen.add(exit.to);
  }
  return seen;
}

/** One circle through each knot of pipes that lead to each other, in the order of passing. */
export function circles(graph: Graph, passes: (pipe: PipeUse) => boolean): readonly (readonly PipeUse[])[] {
  const found: (readonly PipeUse[])[] = [];
  const left = knots(graph, passes);
  for (const start of left) {
    const circle = circleThrough(graph, start, (pipe) => left.has(pipe));
    for (const pipe of circle ?? [start]) left.delete(pipe);
    if (circle !== undefined) found.push(circle);
  }
  return found;
}

/** The pipes that could lie on a circle: those that stay when pipes to which nothing leads are taken away, again and again. */
function knots(graph: Graph, passes: (pipe: PipeUse) => boolean): Set<PipeUse> {
  const left = new Set(graph.pipes.filter(passes));
  const next = new Map(
    [...left].map((pipe) => [
      pipe,
      new Set(
        graph
          .exits(pipe)
          .map(({ to }) => to)
          .filter((to) => to !== pipe),
      ),
    ]),
  );
  const into = new Map<PipeUse | undefined, number>();
  for (const targets of next.values()) for (const to of targets) into.set(to, (into.get(to) ?? 0) + 1);
  const free = [...left].filter((pipe) => !into.has(pipe));
  for (const pipe of free) {
    left.delete(pipe);
    for (const to of next.get(pipe) ?? []) {
      const count = (into.get(to) ?? 0) - 1;
      into.set(to, count);
      if (count === 0 && to !== undefined && left.has(to)) free.push(to);
    }
  }
  return left;
}

/** The shortest way from a pipe back to itself over at least one other pipe. */
function circleThrough(
  graph: Graph,
  start: PipeUse,
  passes: (pipe: PipeUse) => boolean,
): readonly PipeUse[] | undefined {
  const before = new Map<PipeUse, PipeUse>();
  const queue = [start];
  for (const pipe of queue) {
    for (const { to } of graph.exits(pipe)) {
      if (to === undefined || to === pipe || !passes(to)) continue;
      if (to === start) return wayTo(pipe, before);
      if (before.has(to)) continue;
      before.set(to, pipe);
      queue.push(to);
    }
  }
  return undefined;
}

function wayTo(pipe: PipeUse, before: ReadonlyMap<PipeUse, PipeUse>): readonly PipeUse[] {
  const way = [pipe];
  for (let each = before.get(pipe); each !== undefined; each = before.get(each)) way.unshift(each);
  return way;
}
