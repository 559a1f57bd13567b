/** What the operators of JsonQL mean, on any values; they never throw except where they say so. */
import { Failure } from '../errors.ts';
import type { Regex } from './regex.ts';
import { toText } from './text.ts';

const NUMBER = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/** The number that a value is or that its text names; otherwise undefined. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  // Longer texts are no numbers anyone wrote, and need not be searched for one.
  if (typeof value !== 'string' || value.length > 400 || !NUMBER.test(value)) return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** The text of what can be compared as text: texts, numbers, booleans, bytes. */
export function comparableText(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
      return toText(value);
    default:
      return value instanceof Uint8Array ? toText(value) : undefined;
  }
}

/**
 * `=`: numbers where one side is a number and the other names one, otherwise texts. Null equals null only. A missing
 * value, an object and an array equal nothing.
 */
function equal(left: unknown, right: unknown): boolean {
  if (left === null || right === null) return left === right;
  if (typeof left === 'number' || typeof right === 'number') {
    const number = numberOf(left);
    return number !== undefined && number === numberOf(right);
  }
  const text = comparableText(left);
  return text !== undefined && text === comparableText(right);
}

/** Below zero, zero, above zero; undefined for values that have no order: null, missing, booleans, objects, arrays. */
function order(left: unknown, right: unknown): number | undefined {
  if (typeof left === 'number' || typeof right === 'number') {
    const [first, second] = [numberOf(left), numberOf(right)];
    return first === undefined || second === undefined ? undefined : first - second;
  }
  if (typeof left === 'boolean' || typeof right === 'boolean') return undefined;
  const [first, second] = [comparableText(left), comparableText(right)];
  if (first === undefined || second === undefined) return undefined;
  return first < second ? -1 : first > second ? 1 : 0;
}

/** `contains`: an element of an array that is equal, or a part of a text. */
function contains(left: unknown, right: unknown): boolean {
  if (Array.isArray(left)) return left.some((element) => equal(element, right));
  const text = comparableText(left);
  const part = comparableText(right);
  return text !== undefined && part !== undefined && text.includes(part);
}

/** `is`: the same type and the same value; a missing value is null here. */
function same(left: unknown, right: unknown): boolean {
  return (left ?? null) === (right ?? null);
}

/** `~=`: a text in which the pattern is found. */
export function matches(left: unknown, pattern: Regex | undefined): boolean {
  const text = comparableText(left);
  return text === undefined ? false : (pattern?.test(text) ?? false);
}

/** The test that a sign of comparison stands for; a negation is exactly the opposite. */
export function comparison(sign: string): (left: unknown, right: unknown) => boolean {
  switch (sign) {
    case '=':
      return equal;
    case '!=':
      return (left, right) => !equal(left, right);
    case 'is':
      return same;
    case 'isnot':
      return (left, right) => !same(left, right);
    case 'contains':
      return contains;
    default:
      return ordered(sign);
  }
}

function ordered(sign: string): (left: unknown, right: unknown) => boolean {
  return (left, right) => {
    const result = order(left, right);
    if (result === undefined) return false;
    if (result === 0) return sign.endsWith('=');
    return result > 0 === sign.startsWith('>');
  };
}

/** A value standing as a condition holds if it is true, or the text `true`. */
export function holds(value: unknown): boolean {
  return value === true || value === 'true';
}

export type Arithmetic = '+' | '-' | '*' | '/' | '%' | '^';

/**
 * Arithmetic on numbers and texts that name numbers; with a missing value or null on either side the result is
 * missing. Throws QUERY_FAILED for anything else, for division by zero, and for results that are too large.
 */
export function calculate(operator: Arithmetic, left: unknown, right: unknown): number | undefined {
  if (left === undefined || left === null || right === undefined || right === null) return undefined;
  const [first, second] = [numberOf(left), numberOf(right)];
  if (first === undefined || second === undefined) {
    throw new Failure(
      'QUERY_FAILED',
      `"${operator}" calculates with numbers, but the value on its ${first === undefined ? 'left' : 'right'} is not one; test it before calculating.`,
    );
  }
  if (second === 0 && (operator === '/' || operator === '%')) {
    throw new Failure(
      'QUERY_FAILED',
      `The query divides by zero with "${operator}"; test the divisor before dividing.`,
    );
  }
  const result = compute(operator, first, second);
  if (Number.isFinite(result)) return result;
  throw new Failure(
    'QUERY_FAILED',
    `"${operator}" gives no number that can be written down; the values are too large or have no result.`,
  );
}

function compute(operator: Arithmetic, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '^':
      return left ** right;
  }
}
