/** What no database and no provider takes, whatever the type of the field. */
import { own, pointerTo } from '../json.ts';

/** What is wrong with a value: the part of a sentence after the name of its field. */
export interface Wrong {
  readonly message: string;
  /** Into the value. */
  readonly pointer?: string;
}

const MAX_DEPTH = 64;

/** NUL, half a surrogate pair, a number that JSON gives as another one, or too deep a nesting, anywhere in a value. */
export function unstorable(value: unknown, pointer = '', depth = 0): Wrong | undefined {
  if (typeof value === 'string') return unstorableText(value, pointer);
  if (typeof value === 'number') return unfitNumber(value, pointer);
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= MAX_DEPTH) return { message: `is nested deeper than ${MAX_DEPTH} levels`, pointer };
  for (const key of Object.keys(value)) {
    const found =
      unstorableText(key, pointer) ?? unstorable(own(value, key), pointerTo(pointer, key), depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** An id written as a number would reach its reader as another id. */
function unfitNumber(value: number, pointer: string): Wrong | undefined {
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return undefined;
  return {
    message: `is a number beyond ${Number.MAX_SAFE_INTEGER}, which is not kept exactly; send it as a text, in quotes`,
    pointer,
  };
}

function unstorableText(text: string, pointer: string): Wrong | undefined {
  if (text.includes('\0'))
    return { message: 'holds the character NUL (\\u0000), which cannot be kept; remove it', pointer };
  return text.isWellFormed() ? undefined : { message: 'holds half of a surrogate pair; remove it', pointer };
}
