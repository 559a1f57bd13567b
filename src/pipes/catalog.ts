/** All pipes, by type: the one place that knows each of them. */
import type { Pipe } from './contract.ts';
import { error } from './error.ts';
import { event } from './event.ts';
import { httpRequest } from './http-request.ts';
import { log } from './log.ts';
import { module } from './module.ts';
import { pack } from './pack.ts';
import { result } from './result.ts';
import { scheduled } from './scheduled.ts';
import { selector } from './selector.ts';
import { split } from './split.ts';
import { sqlPipe } from './sql-pipe.ts';
import { storeGet } from './store-get.ts';
import { storeSet } from './store-set.ts';
import { transform } from './transform.ts';
import { unpack } from './unpack.ts';

/** The pipes, in the order of the docs. */
export const pipes: readonly Pipe[] = Object.freeze([
  pack,
  unpack,
  httpRequest,
  storeSet,
  storeGet,
  selector,
  event,
  scheduled,
  log,
  sqlPipe,
  result,
  error,
  transform,
  split,
]);

/** The types as new documents write them, without aliases. */
export const pipeTypes: readonly string[] = Object.freeze(pipes.map((pipe) => pipe.type));

const byName: ReadonlyMap<string, Pipe> = new Map(
  pipes.flatMap((pipe) => [pipe.type, ...(pipe.aliases ?? [])].map((name) => [name, pipe] as const)),
);

/** The pipe of a type or of an older name for it, as authors write them. */
export function pipeOf(type: string): Pipe | undefined {
  return byName.get(type);
}

/** As `pipeOf`, with the pipe that no author writes: the engine puts it into the plans of built-in channels. */
export function planPipeOf(type: string): Pipe | undefined {
  return type === module.type ? module : pipeOf(type);
}
