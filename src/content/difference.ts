/** What changed between two values, place by place. */
import { isObject, own, pointerTo } from '../json.ts';

export interface Difference {
  /** RFC 6901. */
  readonly pointer: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before?: unknown;
  readonly after?: unknown;
}

/** The places where two JSON values differ, in the order of the later one; what was removed comes last. */
export function differences(before: unknown, after: unknown, pointer = ''): Difference[] {
  if (Array.isArray(before) && Array.isArray(after)) return inMembers(before, after, pointer);
  if (isObject(before) && isObject(after)) return inMembers(before, after, pointer);
  return Object.is(before, after) ? [] : [{ pointer, change: 'changed', before, after }];
}

function inMembers(before: object, after: object, pointer: string): Difference[] {
  const found: Difference[] = [];
  for (const [key, value] of Object.entries(after)) {
    const place = pointerTo(pointer, key);
    if (Object.hasOwn(before, key)) {
      for (const each of differences(own(before, key), value, place)) found.push(each);
    } else found.push({ pointer: place, change: 'added', after: value });
  }
  for (const [key, value] of Object.entries(before)) {
    if (!Object.hasOwn(after, key)) {
      found.push({ pointer: pointerTo(pointer, key), change: 'removed', before: value });
    }
  }
  return found;
}
