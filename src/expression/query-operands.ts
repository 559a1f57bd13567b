/** The operands of JsonQL: texts and templates, bound as values when the query is compiled. */

import { syntax, type Token } from './query-tokens.ts';
import { comparableText } from './query-values.ts';
import { compileRegex, quoteRegex, type Regex, regexCache } from './regex.ts';
import type { Reference, Scope } from './scope.ts';
import { missing, type Part, parseString, reader, referenceOf, type Source } from './source.ts';
import { toText } from './text.ts';

export type Value = (scope: Scope) => unknown;

/** A part of a query: its value, and what is known of it beforehand. */
export interface Operand {
  readonly value: Value;
  /** The same, but a missing value is undefined instead of an error: what `is` and `isnot` ask for. */
  readonly lax?: Value;
  /** `condition`: true or false. `plain`: a number, a fixed text or null. `open`: known only when running. */
  readonly sort: 'condition' | 'plain' | 'open';
}

/** Where a query stands, and the references it collects. */
export interface Place {
  readonly pointer: string;
  readonly references: Reference[];
}

function reading(source: Source): { readonly value: Value; readonly lax: Value } {
  const read = reader(source);
  const lax: Value = (scope) => read(scope, undefined);
  if (source.optional) return { value: lax, lax };
  const value: Value = (scope) => {
    const found = read(scope, undefined);
    if (found === undefined) throw missing(source);
    return found;
  };
  return { value, lax };
}

/** A bare template: the value in its own type. */
export function sourceOperand(source: Source, place: Place): Operand {
  note(source, place, true);
  const { value, lax } = reading(source);
  return { sort: 'open', value, lax };
}

/** A text in quotes. One that is a template and nothing else is missing when its value is, and null when it is null. */
export function textOperand(token: Token & { kind: 'text' }, place: Place): Operand {
  const parts = partsOf(token.raw, token, place);
  const [only] = parts;
  if (only !== undefined && typeof only !== 'string' && parts.length === 1) {
    const asText =
      (read: Value): Value =>
      (scope) => {
        const value = read(scope);
        return value === undefined || value === null ? value : toText(value);
      };
    const { value, lax } = reading(only);
    return { sort: 'open', value: asText(value), lax: asText(lax) };
  }
  if (parts.every((part) => typeof part === 'string')) {
    const text = parts.join('');
    return { sort: 'plain', value: () => text };
  }
  const texts = parts.map(partText);
  return { sort: 'open', value: (scope) => texts.map((text) => text(scope)).join('') };
}

function partText(part: Part): (scope: Scope) => string {
  if (typeof part === 'string') return () => part;
  const { value } = reading(part);
  return (scope) => toText(value(scope));
}

function partsOf(raw: string, token: Token, place: Place): readonly Part[] {
  const parsed = parseString(raw);
  if ('problem' in parsed) throw syntax(token.column, parsed.problem);
  for (const part of parsed.parts) if (typeof part !== 'string') note(part, place, false);
  return parsed.parts;
}

function note(source: Source, { pointer, references }: Place, typed: boolean): void {
  const reference = referenceOf(source, pointer, typed);
  if (reference !== undefined) references.push(reference);
}

/** The pattern of `~=`; undefined if it is missing or no text. */
export type Pattern = (scope: Scope) => Regex | undefined;

/** A pattern in quotes: values inside it match literally, and `\$` stays the pattern of a dollar. */
export function textPattern(token: Token & { kind: 'text' }, place: Place): Pattern {
  const pieces = token.raw.split('\\$').map((piece) => partsOf(piece, token, place));
  const parts = pieces.flatMap((piece, index) => (index === 0 ? piece : ['\\$', ...piece]));
  if (parts.every((part) => typeof part === 'string')) {
    const regex = compileRegex(parts.join(''));
    return () => regex;
  }
  const texts = parts.map((part) => {
    const text = partText(part);
    return typeof part === 'string' ? text : (scope: Scope) => quoteRegex(text(scope));
  });
  // A wrong pattern is found now, whatever the values will be.
  compileRegex(parts.map((part) => (typeof part === 'string' ? part : 'x')).join(''));
  const compile = regexCache();
  return (scope) => compile(texts.map((text) => text(scope)).join(''));
}

/** A pattern that is the value of an operand. */
export function valuePattern(value: Value): Pattern {
  const compile = regexCache();
  return (scope) => {
    const text = comparableText(value(scope));
    return text === undefined ? undefined : compile(text);
  };
}
