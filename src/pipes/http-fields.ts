/** Named values as pairs of texts, as query strings and form bodies carry them. */
import { toText } from '../expression/text.ts';

export type Field = readonly [name: string, value: string];

/**
 * Each value under its name. An array repeats the name, null is left out, an empty text stays, an object becomes
 * its JSON.
 */
export function fieldsOf(values: Readonly<Record<string, unknown>>): readonly Field[] {
  return eachValue(values).map(([name, value]) => [name, toText(value)] as const);
}

/** Names with single values: arrays taken apart, null left out. */
export function eachValue(
  values: Readonly<Record<string, unknown>>,
): readonly (readonly [string, unknown])[] {
  return Object.entries(values).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value])
      .filter((each) => each !== null && each !== undefined)
      .map((each) => [name, each] as const),
  );
}
