/** Compares what a test expects with what happened, as a subset or exactly, and shows the differences to people. */
import { isObject, own, pointerTo, setOwn } from '../json.ts';

/** One place where the two differ; `undefined` stands for nothing at all. */
export interface Difference {
  /** RFC 6901, into the test. */
  readonly pointer: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

/**
 * The differences. An expected object needs only its own members to match; an array needs as many elements, each
 * matching; with `exactly` nothing may be left unsaid.
 */
export function differences(
  expected: unknown,
  actual: unknown,
  pointer: string,
  exactly: boolean,
): readonly Difference[] {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const length = Math.max(expected.length, actual.length);
    return Array.from({ length }, (_, index) =>
      index < expected.length && index < actual.length
        ? differences(expected[index], actual[index], pointerTo(pointer, index), exactly)
        : [{ pointer: pointerTo(pointer, index), expected: expected[index], actual: actual[index] }],
    ).flat();
  }
  if (isObject(expected) && isObject(actual)) {
    const keys = exactly
      ? [...new Set([...Object.keys(expected), ...Object.keys(actual)])]
      : Object.keys(expected);
    return keys.flatMap((key) =>
      differences(own(expected, key), own(actual, key), pointerTo(pointer, key), exactly),
    );
  }
  if (Object.is(expected, actual) || (actual === undefined && isNothing(expected))) return [];
  return [{ pointer, expected, actual }];
}

/** An empty section says that nothing happened there, and what did not happen is not listed. */
function isNothing(expected: unknown): boolean {
  return typeof expected === 'object' && expected !== null && Object.keys(expected).length === 0;
}

/** What `--update` writes: what happened, in the members and the order that the author chose to look at. */
export function projection(expected: unknown, actual: unknown, exactly: boolean): unknown {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return actual.map((each, index) =>
      index < expected.length ? projection(expected[index], each, exactly) : each,
    );
  }
  if (!isObject(expected) || !isObject(actual)) return actual;
  const result: Record<string, unknown> = {};
  const more = exactly ? Object.keys(actual).filter((key) => !Object.hasOwn(expected, key)) : [];
  for (const key of [...Object.keys(expected), ...more]) {
    const value = own(expected, key);
    if (Object.hasOwn(actual, key)) setOwn(result, key, projection(value, own(actual, key), exactly));
    else if (isNothing(value)) setOwn(result, key, value);
  }
  return result;
}

/** A difference in lines for people. */
export function showDifference({ pointer, expected, actual }: Difference): string {
  return `at ${pointer}\n  expected: ${show(expected)}\n  happened: ${show(actual)}`;
}

function show(value: unknown): string {
  if (value === undefined) return '(nothing)';
  const short = JSON.stringify(value);
  return short.length <= 100 ? short : JSON.stringify(value, null, 2).replaceAll('\n', '\n            ');
}
