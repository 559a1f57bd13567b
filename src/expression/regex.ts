/**
 * Regular expressions that run in linear time (RE2): no pattern and no text can stall the process. The usual syntax
 * is that of JavaScript. Not supported: lookahead, lookbehind, back references. `\d \w \s \b` know ASCII only,
 * `.` matches all but a newline.
 */
import { RE2JS } from 're2js';
import { Failure } from '../errors.ts';

/** Characters in a pattern. */
const MAX_PATTERN = 2_000;
/** Instructions of a compiled pattern times characters searched, for one search with positions. */
const MAX_WORK = 50_000_000;
/** Compiled patterns kept for those that come as values while running. */
const KEPT = 64;

export interface RegexMatch {
  /** In UTF-16 units, as everywhere in JavaScript. */
  readonly start: number;
  readonly end: number;
  /** The whole match, then each group; undefined for a group that took no part. */
  readonly groups: readonly (string | undefined)[];
}

export interface Regex {
  readonly source: string;
  /** True where the pattern matches anywhere in the text. */
  readonly test: (text: string) => boolean;
  /** True where the pattern matches the text as a whole. */
  readonly testWhole: (text: string) => boolean;
  /** The first match at or after `from`. Throws EXPRESSION_LIMIT if the pattern is too complex for so long a text. */
  readonly find: (text: string, from?: number) => RegexMatch | undefined;
}

/**
 * Compiles a pattern. `flags`: any of `i`, `m`, `s`; `g`, `u` and `y` change nothing here. Throws REGEX_INVALID with a
 * sentence that names the part that is wrong.
 */
export function compileRegex(text: string, flags = ''): Regex {
  if (text.length > MAX_PATTERN) {
    throw new Failure(
      'REGEX_INVALID',
      `The regular expression has ${text.length} characters; at most ${MAX_PATTERN} are allowed.`,
    );
  }
  const unknown = /[^imsguy]/.exec(flags)?.[0];
  if (unknown !== undefined) {
    throw new Failure('REGEX_INVALID', `"${unknown}" is not a flag of a regular expression; i, m and s are.`);
  }
  const compiled = compile(text, flags);
  const size = compiled.programSize();
  return Object.freeze({
    source: text,
    test: (input: string) => compiled.test(input),
    testWhole: (input: string) => compiled.testExact(input),
    find: (input: string, from = 0) => {
      if (from > input.length || (from === 0 && !compiled.test(input))) return undefined;
      if (size * (input.length - from) > MAX_WORK) {
        throw new Failure(
          'EXPRESSION_LIMIT',
          `The regular expression /${text}/ is too complex for a text of ${input.length} characters; shorten its repetitions.`,
        );
      }
      const matcher = compiled.matcher(input);
      if (!matcher.find(from)) return undefined;
      const groups = Array.from(
        { length: matcher.groupCount() + 1 },
        (_, index) => matcher.group(index) ?? undefined,
      );
      return { start: matcher.start(), end: matcher.end(), groups };
    },
  });
}

function compile(text: string, flags: string): RE2JS {
  const bits =
    (flags.includes('i') ? RE2JS.CASE_INSENSITIVE : 0) |
    (flags.includes('m') ? RE2JS.MULTILINE : 0) |
    (flags.includes('s') ? RE2JS.DOTALL : 0);
  try {
    return RE2JS.compile(RE2JS.translateRegExp(text), bits);
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown;
    const reason = thrown.message.replace(/^error parsing regexp: /, '');
    throw new Failure(
      'REGEX_INVALID',
      `/${text}/ is not a regular expression that can be used here: ${reason}. ${adviceFor(text)}`,
      { cause: thrown },
    );
  }
}

function adviceFor(text: string): string {
  return /\(\?<?[=!]|\\[1-9]/.test(text)
    ? 'Lookahead, lookbehind and back references are not supported, because they can take forever; write the condition as two tests.'
    : 'Correct the pattern; a character that has a meaning of its own is written with a backslash.';
}

/** Text as a pattern that matches exactly this text. */
export function quoteRegex(text: string): string {
  return RE2JS.quote(text);
}

/** A compiler with a memory, for patterns that come as values while running. */
export function regexCache(): (text: string, flags?: string) => Regex {
  const kept = new Map<string, Regex>();
  return (text, flags = '') => {
    const key = `${flags}/${text}`;
    const regex = kept.get(key) ?? compileRegex(text, flags);
    kept.delete(key);
    kept.set(key, regex);
    const [oldest] = kept.keys();
    if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
    return regex;
  };
}
