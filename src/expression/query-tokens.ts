/** The words of JsonQL: reads a query text into tokens that know their column. */
import { Failure } from '../errors.ts';
import type { Source } from './source.ts';
import { scanKeyword } from './source.ts';

export type Token = { readonly column: number; readonly end: number } & (
  | { readonly kind: 'operator' | 'word'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number; readonly text: string }
  | { readonly kind: 'text'; readonly raw: string; readonly text: string }
  | { readonly kind: 'source'; readonly source: Source; readonly text: string }
  | { readonly kind: 'end'; readonly text: string }
);

const OPERATOR = /\|\||&&|!~=|~=|!=|>=|<=|[=<>+\-*/%^()]/y;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;

/** Words and signs of other languages, and what is written here instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  '==': '"="',
  '===': '"="',
  '!==': '"!="',
  '<>': '"!="',
  '=~': '"~="',
  and: '"&&"',
  or: '"||"',
  not: '"isnot" or "!="',
  in: '"contains", with the list on its left',
  like: '"~=" with a regular expression',
  undefined: '"isnot defined"',
  '&': '"&&"',
  '|': '"||"',
  '!': '"!=", "!~=" or "isnot"',
};
const FOREIGN = /===?|!==|<>|=~|&(?!&)|\|(?!\|)|!(?![=~])/y;

/** The words that mean something in a query. */
export const WORDS: readonly string[] = ['true', 'false', 'null', 'defined', 'is', 'isnot', 'contains'];

/** A QUERY_SYNTAX failure at a column, counted from 1. */
export function syntax(column: number, sentence: string): Failure {
  return new Failure('QUERY_SYNTAX', `Column ${column} of the query: ${sentence}`);
}

/** Splits a query into tokens, the last of which is the end. Throws QUERY_SYNTAX. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let position = 0;
  for (;;) {
    while (/\s/.test(text[position] ?? '')) position += 1;
    const token = readToken(text, position);
    tokens.push(token);
    if (token.kind === 'end') return tokens;
    position = token.end;
  }
}

function match(pattern: RegExp, text: string, position: number): string | undefined {
  const sticky = new RegExp(pattern.source, pattern.flags);
  sticky.lastIndex = position;
  return sticky.exec(text)?.[0];
}

function readToken(text: string, position: number): Token {
  const column = position + 1;
  const first = text[position];
  if (first === undefined) return { kind: 'end', column, end: position, text: 'the end of the query' };
  if (first === "'" || first === '"') return readText(text, position, first);
  if (first === '$') return readSource(text, position);
  const foreign = match(FOREIGN, text, position);
  if (foreign !== undefined) throw insteadOf(column, foreign);
  const operator = match(OPERATOR, text, position);
  if (operator !== undefined)
    return { kind: 'operator', column, end: position + operator.length, text: operator };
  const number = match(NUMBER, text, position);
  if (number !== undefined) {
    return { kind: 'number', column, end: position + number.length, text: number, value: Number(number) };
  }
  const word = match(WORD, text, position);
  if (word === undefined) {
    const character = String.fromCodePoint(text.codePointAt(position) ?? 0);
    throw syntax(column, `"${character}" has no meaning here; texts stand in quotes.`);
  }
  if (WORDS.includes(word)) return { kind: 'word', column, end: position + word.length, text: word };
  const lower = word.toLowerCase();
  if (WORDS.includes(lower)) throw syntax(column, `"${word}" is written "${lower}".`);
  if (Object.hasOwn(INSTEAD, lower)) throw insteadOf(column, word);
  throw syntax(column, `"${word}" is not a word of the query language; a text is written '${word}'.`);
}

function insteadOf(column: number, written: string): Failure {
  return syntax(column, `"${written}" is not used here; write ${INSTEAD[written.toLowerCase()]}.`);
}

/** A text in quotes. A backslash before the quote makes it part of the text; every other one stands for itself. */
function readText(text: string, start: number, quote: string): Token {
  let raw = '';
  for (let position = start + 1; position < text.length; position += 1) {
    const character = text[position] as string;
    const next = text[position + 1];
    if (character === quote) {
      const end = position + 1;
      return { kind: 'text', column: start + 1, end, raw, text: text.slice(start, end) };
    }
    if (character === '\\' && next === quote) {
      raw += quote;
      position += 1;
    } else if (character === '\\' && next === '\\') {
      raw += '\\\\';
      position += 1;
    } else raw += character;
  }
  throw syntax(start + 1, `the text that starts with ${quote} has no closing ${quote}.`);
}

function readSource(text: string, position: number): Token {
  const column = position + 1;
  const found = scanKeyword(text, position);
  if (found === undefined) {
    const written = /^\$#?\{?[\p{L}\p{N}_]*/u.exec(text.slice(position, position + 60))?.[0] ?? '$';
    throw syntax(column, `${written} does not start with a keyword such as $in, $error or $template.`);
  }
  if ('problem' in found) throw syntax(column, found.problem);
  const { source, end } = found;
  if (text[end] === '.') {
    throw syntax(end + 1, `a member name is missing after "${text.slice(position, end + 1)}".`);
  }
  return { kind: 'source', column, end, source, text: text.slice(position, end) };
}
