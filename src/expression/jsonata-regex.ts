/** RE2 in the place of the regular expressions of JavaScript inside JSONata. */
import { Failure } from '../errors.ts';
import type { Regex } from './regex.ts';

/** Matches one use of a pattern may find. */
const MAX_MATCHES = 100_000;

/**
 * The class the library makes its patterns with: it sets `lastIndex`, calls `exec`, and goes on from `lastIndex`, as
 * with a global pattern. `compiled` holds the patterns of the expression.
 */
export function regexEngine(compiled: ReadonlyMap<RegExp, Regex>): RegExpConstructor {
  class Engine {
    lastIndex = 0;
    #matches = 0;
    readonly #regex: Regex | undefined;

    constructor(native: RegExp) {
      this.#regex = compiled.get(native);
    }

    exec(text: string): readonly (string | undefined)[] | null {
      const found = this.#regex?.find(text, this.lastIndex);
      this.lastIndex = found?.end ?? 0;
      if (found === undefined) return null;
      this.#matches += 1;
      if (this.#matches > MAX_MATCHES) {
        throw new Failure(
          'EXPRESSION_LIMIT',
          `A regular expression of the JSONata expression matches more than ${MAX_MATCHES} times; shorten the text first.`,
        );
      }
      return Object.assign([...found.groups], { index: found.start });
    }
  }
  // The library's type asks for all of RegExp; it uses only what is here.
  return Engine as unknown as RegExpConstructor;
}
