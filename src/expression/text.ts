/** The text of a value, by the rules of the channel format, section 5. */
import { Failure } from '../errors.ts';

/** Numbers in plain decimal, bytes as UTF-8, null and a missing value empty, objects and arrays as JSON. */
export function toText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return numberText(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object':
      if (value === null) return '';
      return value instanceof Uint8Array ? bytesText(value) : jsonText(value);
    default:
      return '';
  }
}

/** Bytes read as UTF-8. */
export function bytesText(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
}

/** What kind of value it is, with its article, for a sentence. */
export function nameOfType(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Uint8Array) return 'bytes (is an unpack missing?)';
  if (typeof value === 'string') return 'text';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function jsonText(value: object): string {
  try {
    return JSON.stringify(value, bytesAsText) ?? '';
  } catch (thrown) {
    if (!isExhausted(thrown)) throw thrown;
    throw new Failure(
      'EXPRESSION_LIMIT',
      'A value is nested too deeply to be written as text; take the part of it that is needed.',
    );
  }
}

/** True for what JavaScript throws where a value is nested too deeply, or a text or array grows too long. */
export function isExhausted(thrown: unknown): boolean {
  return thrown instanceof RangeError && /call stack|Invalid (string|array) length/.test(thrown.message);
}

function bytesAsText(this: unknown, key: string, value: unknown): unknown {
  // Buffer.toJSON has already run on `value`; the holder still has the original.
  const original = (this as Record<string, unknown>)[key];
  return original instanceof Uint8Array ? bytesText(original) : value;
}

/** Plain decimal, never an exponent: the shortest digits that name the number, moved to their place. */
function numberText(value: number): string {
  const text = String(value);
  const parts = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (parts === null) return text;
  const [, sign = '', first = '', rest = '', power] = parts;
  const digits = first + rest;
  const point = 1 + Number(power);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, '0')}`;
}

/** "Line 2, column 5" of a position in a text, both counted from 1. */
export function lineAndColumn(text: string, position: number): string {
  const before = text.slice(0, position);
  const lineStart = before.lastIndexOf('\n') + 1;
  return `Line ${before.split('\n').length}, column ${position - lineStart + 1}`;
}
