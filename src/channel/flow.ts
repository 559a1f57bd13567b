/**
 * What the event carries when it comes to each pipe: which members of `$in` are there on every way, and which on some.
 * A set of names is a number with a bit per name, so that even large pipelines are followed in an instant.
 */
import type { Exit } from './graph.ts';
import type { PipeUse } from './read-pipeline.ts';

/** Marks that travel with the event beside the members of `$in`. */
export type Mark =
  /** An error exit led here. */
  | '$error'
  /** The event belongs to a message. */
  | '$message'
  /** A result was set. */
  | '$result'
  /** Members may have come in whose names are not known. */
  | '$open';

export interface Carried {
  readonly may: bigint;
  readonly must: bigint;
}

/** Gives each name its bit. */
export interface Names {
  readonly of: (names: Iterable<string>) => bigint;
  readonly list: (bits: bigint) => readonly string[];
}

export function createNames(): Names {
  const bits = new Map<string, bigint>();
  const bit = (name: string) => {
    const known = bits.get(name) ?? 1n << BigInt(bits.size);
    bits.set(name, known);
    return known;
  };
  return {
    of: (names) => [...names].reduce((all, name) => all | bit(name), 0n),
    list: (all) =>
      [...bits].filter(([name, each]) => (all & each) !== 0n && !name.startsWith('$')).map(([name]) => name),
  };
}

/** What is on all ways that meet. */
export function meet(left: Carried | undefined, right: Carried): Carried {
  return left === undefined ? right : { may: left.may | right.may, must: left.must & right.must };
}

/** More that is carried for certain. */
export function plus(carried: Carried, bits: bigint): Carried {
  return { may: carried.may | bits, must: carried.must | bits };
}

/** An exit in use; `later` is the way of an event that a scheduled pipe hands to its own pipeline. */
export type Way = Pick<Exit, 'to'> & { readonly kind: Exit['kind'] | 'later'; readonly pointer: string };

/** Follows the event from the entries over all ways until nothing new comes. */
export function followFlow(
  ways: (pipe: PipeUse) => readonly Way[],
  entries: ReadonlyMap<PipeUse, Carried>,
  pass: (pipe: PipeUse, way: Way, carried: Carried) => Carried,
): ReadonlyMap<PipeUse, Carried> {
  const at = new Map<PipeUse, Carried>(entries);
  const waiting = new Set<PipeUse>(entries.keys());
  for (const pipe of waiting) {
    waiting.delete(pipe);
    const carried = at.get(pipe);
    if (carried === undefined) continue;
    for (const way of ways(pipe)) {
      if (way.to === undefined) continue;
      const known = at.get(way.to);
      const next = meet(known, pass(pipe, way, carried));
      if (known !== undefined && next.may === known.may && next.must === known.must) continue;
      at.set(way.to, next);
      waiting.add(way.to);
    }
  }
  return at;
}

/** What a pipe adds to what is carried, on each of its exits. */
export function passPipe(names: Names, guards: (pipe: PipeUse) => bigint) {
  const error = names.of(['$error']);
  const open = names.of(['$open']);
  const result = names.of(['$result']);
  return (use: PipeUse, kind: Exit['kind'], before: Carried): Carried => {
    const { pipe, params } = use;
    // What a selector asked for is no longer a surprise behind it.
    const carried = { may: before.may, must: before.must | (before.may & guards(use)) };
    if (pipe === undefined || !use.sound) {
      const blind = plus(carried, open);
      return kind === 'error' ? plus(blind, error) : blind;
    }
    const added = names.of(Object.keys(pipe.adds(params)));
    if (kind === 'error') {
      // A request adds its answer after an error too, where there was one.
      const may = pipe.needs.includes('http') ? carried.may | added : carried.may;
      return plus({ may, must: carried.must }, error);
    }
    // The element of a split is there only on the way that runs per element; other further exits add nothing.
    const adding = pipe.needs.includes('branch') ? 'exit' : 'success';
    if (kind !== adding) return carried;
    const unnamed = pipe.type === 'store_get' && added === 0n ? open : 0n;
    return plus(carried, added | unnamed | (pipe.type === 'result' ? result : 0n));
  };
}
