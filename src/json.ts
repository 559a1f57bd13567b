/** JSON values, pointers, and the text form in which values with bytes are stored. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** True for an object that is neither null, an array nor bytes. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

/** The own property `key` of a value, or undefined. Prototypes are never read. */
export function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** Sets an own property even when the key is `__proto__`. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}

/** One step deeper in an RFC 6901 pointer. */
export function pointerTo(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

const BYTES = '~bytes';
const ESCAPED = '~escaped';

function replaceBytes(this: unknown, key: string, value: unknown): unknown {
  // Buffer.toJSON has already run on `value`; the holder still has the original.
  const original = (this as Record<string, unknown>)[key];
  if (original instanceof Uint8Array) {
    return {
      [BYTES]: Buffer.from(original.buffer, original.byteOffset, original.byteLength).toString('base64'),
    };
  }
  if (isObject(value) && (Object.hasOwn(value, BYTES) || Object.hasOwn(value, ESCAPED))) {
    return { [ESCAPED]: Object.entries(value) };
  }
  return value;
}

function reviveBytes(_key: string, value: unknown): unknown {
  if (!isObject(value)) return value;
  const bytes = own(value, BYTES);
  if (typeof bytes === 'string') return Buffer.from(bytes, 'base64');
  const entries = own(value, ESCAPED);
  if (Array.isArray(entries)) {
    const object: Record<string, unknown> = {};
    for (const [name, member] of entries as [string, unknown][]) setOwn(object, name, member);
    return object;
  }
  return value;
}

/** Text of a value that may hold bytes; `decodeValue` gives back an equal value. */
export function encodeValue(value: unknown): string {
  return JSON.stringify(value, replaceBytes) ?? 'null';
}

/** The value that `encodeValue` wrote. */
export function decodeValue(text: string): unknown {
  return JSON.parse(text, reviveBytes);
}
