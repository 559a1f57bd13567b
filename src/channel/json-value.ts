/** The value of a parsed JSON tree: own properties only, so that a member `__proto__` is a member like others. */
import type { Node } from 'jsonc-parser';
import { setOwn } from '../json.ts';

/** Builds the value. `repeated` is told of each member name that an object already has. */
export function treeValue(node: Node, repeated: (key: Node) => void): unknown {
  if (node.type === 'array') return (node.children ?? []).map((each) => treeValue(each, repeated));
  if (node.type !== 'object') return node.value;
  const object: Record<string, unknown> = {};
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    if (key === undefined || value === undefined) continue;
    const name = String(key.value);
    if (Object.hasOwn(object, name)) repeated(key);
    else setOwn(object, name, treeValue(value, repeated));
  }
  return object;
}

/** The member of an object or the element of an array that a step of a pointer names. */
export function stepInto(node: Node, step: string): { key?: Node; value: Node } | undefined {
  if (node.type === 'array') {
    const value = /^\d{1,9}$/.test(step) ? node.children?.[Number(step)] : undefined;
    return value === undefined ? undefined : { value };
  }
  if (node.type !== 'object') return undefined;
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    if (key !== undefined && value !== undefined && key.value === step) return { key, value };
  }
  return undefined;
}

/** The steps of an RFC 6901 pointer. */
export function stepsOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
