/** Reading and filling the places of variables in the values of one rendering; what is given is never changed. */
import { isObject, setOwn } from '../json.ts';
import { isEmpty } from './entries.ts';

/** The value at a path as Liquid reads it: own members, and what it works out of lists and texts. */
export function valueAt(values: unknown, path: readonly string[]): unknown {
  let value = values;
  for (const name of path) {
    if (value === undefined || value === null) return undefined;
    const object: object = Object(value);
    value = Object.hasOwn(object, name) ? Reflect.get(object, name) : workedOut(value, name);
  }
  return value;
}

function workedOut(value: unknown, name: string): unknown {
  if (Array.isArray(value)) {
    if (name === 'first') return value[0];
    if (name === 'last') return value.at(-1);
  }
  const counts = name === 'size' && (Array.isArray(value) || typeof value === 'string');
  return counts ? value.length : undefined;
}

/** A copy with a value at a path; undefined if the path leads through a value that can hold nothing. */
export function withValueAt(holder: unknown, path: readonly string[], value: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  const open = isEmpty(holder) && !Array.isArray(holder) ? {} : holder;
  const place = Array.isArray(open) ? indexOf(open, name) : name;
  if (place === undefined || !(Array.isArray(open) || isObject(open))) return undefined;
  const inner = withValueAt(valueAt(open, [name]), rest, value);
  if (inner === undefined) return undefined;
  if (Array.isArray(open)) return open.toSpliced(Number(place), 1, inner);
  const copy: Record<string, unknown> = { ...open };
  setOwn(copy, String(place), inner);
  return copy;
}

/** Which element a name means; undefined for one beyond the end of the list. */
function indexOf(list: readonly unknown[], name: string): number | undefined {
  if (name === 'first') return 0;
  if (name === 'last') return Math.max(0, list.length - 1);
  return /^\d+$/.test(name) && Number(name) <= list.length ? Number(name) : undefined;
}
