/** The pipes that the params of a pipe name: further exits, and entries of the Schedule pipeline. */
import { isObject, pointerTo } from '../json.ts';
import type { Param, Params } from '../pipes/params.ts';

/** A pipe id in params, and where it stands. */
export interface NamedPipe {
  readonly id: number;
  readonly pointer: string;
}

/** All params of kind `exit` or `entry`, at any depth. */
export function namedPipes(
  params: Params,
  written: unknown,
  pointer: string,
  kind: 'exit' | 'entry',
): readonly NamedPipe[] {
  if (!isObject(written)) return [];
  return Object.entries(params).flatMap(([name, param]) =>
    Object.hasOwn(written, name) ? inParam(param, written[name], pointerTo(pointer, name), kind) : [],
  );
}

function inParam(
  param: Param,
  value: unknown,
  pointer: string,
  kind: 'exit' | 'entry',
): readonly NamedPipe[] {
  if (param.kind === kind) return typeof value === 'number' ? [{ id: value, pointer }] : [];
  if (param.kind === 'object') return namedPipes(param.members ?? {}, value, pointer, kind);
  const { items } = param;
  if (param.kind !== 'array' || items === undefined || !Array.isArray(value)) return [];
  return value.flatMap((each: unknown, index) => inParam(items, each, pointerTo(pointer, index), kind));
}
