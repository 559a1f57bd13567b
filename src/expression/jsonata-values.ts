/** What goes into a JSONata expression and what comes out of it. */
import { Failure } from '../errors.ts';
import { isObject, own, setOwn } from '../json.ts';
import { bytesText } from './text.ts';

/** Characters and members in a result. */
const MAX_RESULT = 4_194_304;

/**
 * A value as an expression sees it: bytes are their UTF-8 text, dates their ISO text. Parts that need no change are
 * shared, unless `copy` asks for arrays and objects of its own.
 */
export function readable(value: unknown, copy = false): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return bytesText(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  if (Array.isArray(value)) {
    const items = value.map((item) => readable(item, copy));
    return copy || items.some((item, index) => item !== value[index]) ? items : value;
  }
  const object: Record<string, unknown> = {};
  let changed = copy;
  for (const [key, member] of Object.entries(value)) {
    const read = readable(member, copy);
    changed ||= read !== member;
    setOwn(object, key, read);
  }
  return changed ? object : value;
}

/**
 * A result as plain JSON, without the marks the library leaves on its arrays. Throws JSONATA_FAILED if a function is
 * in it, EXPRESSION_LIMIT if it is too large.
 */
export function plainResult(result: unknown): unknown {
  let size = 0;
  const charge = (amount: number) => {
    size += amount;
    if (size > MAX_RESULT) throw tooLarge();
  };
  const plain = (value: unknown): unknown => {
    if (typeof value === 'string') charge(value.length);
    charge(1);
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new Failure(
        'JSONATA_FAILED',
        'The JSONata expression gives a number that has no result or is too large; test its values first.',
      );
    }
    if (isFunction(value)) {
      throw new Failure(
        'JSONATA_FAILED',
        'The result of the JSONata expression is or contains a function; call it with its arguments.',
      );
    }
    if (Array.isArray(value)) return value.map((item) => plain(item) ?? null);
    if (!isObject(value)) return value;
    const object: Record<string, unknown> = {};
    for (const [key, member] of Object.entries(value)) {
      charge(key.length);
      const read = plain(member);
      if (read !== undefined) setOwn(object, key, read);
    }
    return object;
  };
  return plain(result);
}

function isFunction(value: unknown): boolean {
  if (typeof value === 'function') return true;
  return typeof own(value, 'implementation') === 'function' || typeof own(value, 'apply') === 'function';
}

/** The failure of a value over the limit. */
export function tooLarge(): Failure {
  return new Failure(
    'EXPRESSION_LIMIT',
    `The JSONata expression makes a value of more than ${MAX_RESULT} characters; take only the parts that are needed.`,
  );
}

/**
 * What a value that was made on the way costs, in steps: large ones are searched and copied by what comes next.
 * Throws EXPRESSION_LIMIT for a text or list larger than any result may be.
 */
export function costOf(value: unknown): number {
  if (typeof value !== 'string' && !Array.isArray(value)) return 1;
  if (value.length > MAX_RESULT) throw tooLarge();
  return 1 + Math.floor(value.length / (typeof value === 'string' ? 1_000 : 100));
}
