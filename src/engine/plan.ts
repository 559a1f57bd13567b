/** A pipeline compiled to a plan: closures and direct references, so that running costs no lookup. */
import { namedPipes } from '../channel/named-pipes.ts';
import { Failure, type Problem } from '../errors.ts';
import type { Scope } from '../expression/scope.ts';
import { pointerTo } from '../json.ts';
import type { Pipe, RetryRule } from '../pipes/contract.ts';
import { compileParams } from './params.ts';

/** The members of a pipe document that the plan reads. */
export interface PipeSource {
  readonly id: number;
  readonly type: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly outs?: { readonly success?: number; readonly error?: number };
}

export interface PlanPipe {
  readonly id: number;
  readonly type: string;
  /** Its pipeline and id: no other pipe of the channel has the same. */
  readonly place: string;
  readonly pipe: Pipe;
  readonly render: (scope: Scope) => unknown;
  readonly async: boolean;
  readonly success: PlanPipe | undefined;
  readonly error: PlanPipe | undefined;
  /** Pipes named in params, by id. */
  readonly exits: ReadonlyMap<number, PlanPipe>;
  readonly retry: RetryRule | undefined;
  /** A run lost after it entered here may have sent something that must not be repeated unasked. */
  readonly unsafe: boolean;
}

export interface Plan {
  readonly name: string;
  /** The first pipe; undefined for an empty pipeline. */
  readonly entry: PlanPipe | undefined;
  readonly pipes: ReadonlyMap<number, PlanPipe>;
}

/**
 * Compiles a checked pipeline. `lookup` gives the pipe of a type.
 * Throws DOCUMENT_INVALID if the pipeline could not run; the linter finds the same and more, with places.
 */
export function compilePlan(
  name: string,
  pipeline: readonly PipeSource[],
  lookup: (type: string) => Pipe | undefined,
): Plan {
  const pipes = new Map<number, Mutable<PlanPipe> & { readonly unsafeItself: boolean }>();
  const sources = new Map<number, { source: PipeSource; pipe: Pipe }>();
  const problems: Problem[] = [];
  pipeline.forEach((source, index) => {
    const pointer = `/${index}`;
    const pipe = lookup(source.type);
    if (pipe === undefined) {
      problems.push({ pointer: `${pointer}/type`, message: `There is no pipe of type "${source.type}".` });
      return;
    }
    if (pipes.has(source.id)) {
      problems.push({
        pointer: `${pointer}/id`,
        message: `The pipe id ${source.id} stands twice in "${name}".`,
      });
      return;
    }
    const written = source.params ?? {};
    const params = compileParams(pipe.params, written, pointerTo(pointer, 'params'));
    problems.push(...params.problems);
    const retry = pipe.retry?.(written);
    sources.set(source.id, { source, pipe });
    pipes.set(source.id, {
      id: source.id,
      type: pipe.type,
      place: `${name}/${source.id}`,
      pipe,
      render: params.render,
      async: params.async,
      success: undefined,
      error: undefined,
      exits: new Map(),
      retry,
      unsafe: false,
      unsafeItself: retry !== undefined && !retry.safe,
    });
  });
  const target = (id: number, pointer: string) => {
    const found = pipes.get(id);
    if (found === undefined) {
      problems.push({ pointer, message: `The exit leads to pipe ${id}, which does not exist in "${name}".` });
    }
    return found;
  };
  pipeline.forEach((source, index) => {
    const planned = pipes.get(source.id);
    const known = sources.get(source.id);
    if (planned === undefined || known?.source !== source) return;
    const { success, error } = source.outs ?? {};
    if (success !== undefined) planned.success = target(success, `/${index}/outs/success`);
    if (error !== undefined) planned.error = target(error, `/${index}/outs/error`);
    const exits = new Map<number, PlanPipe>();
    for (const exit of namedPipes(known.pipe.params, source.params ?? {}, `/${index}/params`, 'exit')) {
      const found = target(exit.id, exit.pointer);
      if (found !== undefined) exits.set(exit.id, found);
    }
    planned.exits = exits;
  });
  if (problems.length > 0) {
    const [first] = problems;
    throw new Failure('DOCUMENT_INVALID', `Pipeline "${name}" cannot run: ${first?.message}`, { problems });
  }
  for (const planned of pipes.values()) planned.unsafe = reachesUnsafe(planned, new Set());
  const first = pipeline[0];
  return { name, entry: first === undefined ? undefined : pipes.get(first.id), pipes };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function reachesUnsafe(from: PlanPipe & { unsafeItself?: boolean }, seen: Set<PlanPipe>): boolean {
  if (seen.has(from)) return false;
  seen.add(from);
  if (from.unsafeItself === true) return true;
  return [from.success, from.error, ...from.exits.values()].some(
    (next) => next !== undefined && reachesUnsafe(next, seen),
  );
}
