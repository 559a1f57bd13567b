/** JSON text with places: what it holds, and where in it a pointer stands. */
import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Finding } from './finding.ts';
import { stepInto, stepsOf, treeValue } from './json-value.ts';
import { findingOf } from './rules/codes.ts';

/** Characters of a document. */
export const MAX_TEXT = 2 * 1024 * 1024;
/** Levels of nesting. */
export const MAX_DEPTH = 100;

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface SourceText {
  readonly file: string;
  /** Undefined where the text could not be read as JSON. */
  readonly value: unknown;
  /** What is wrong with the text itself. */
  readonly findings: readonly Finding[];
  /** Where a value or its key stands; the nearest thing around it where the pointer leads nowhere. */
  readonly locate: (pointer: string, of?: 'value' | 'key') => Position;
}

type Complain = (
  code: Parameters<typeof findingOf>[0],
  offset: number,
  message: string,
  pointer?: string,
) => void;

/** Reads a text. Never throws: what is wrong stands in `findings`. */
export function parseSource(file: string, written: string): SourceText {
  const text = written.startsWith('\uFEFF') ? ` ${written.slice(1)}` : written;
  const findings: Finding[] = [];
  const position = positions(text);
  const complain: Complain = (code, offset, message, pointer = '') =>
    findings.push(findingOf(code, { file, ...position(offset), pointer, message }));
  const broken = (): SourceText => ({
    file,
    value: undefined,
    findings,
    locate: () => ({ line: 1, column: 1 }),
  });

  if (text.length > MAX_TEXT) {
    complain(
      'too-large',
      0,
      `The document has ${text.length} characters; at most ${MAX_TEXT} are read. Give the pipelines files of their own, or check that this is the right file.`,
    );
    return broken();
  }
  if (text.trim() === '') {
    complain('empty', 0, 'The file is empty; a channel document starts with { and a pipeline with [.');
    return broken();
  }
  if (text !== written) {
    complain('byte-order-mark', 0, 'The file starts with a byte order mark; save it as UTF-8 without one.');
  }
  if (!scanTokens(text, complain)) return broken();
  const tree = readTree(text, complain);
  if (tree === undefined) return broken();
  const value = treeValue(tree, (key) =>
    complain(
      'duplicate-member',
      key.offset,
      `"${key.value}" stands twice in this object; keep one of the two.`,
    ),
  );
  return { file, value, findings, locate: (pointer, of = 'value') => position(offsetOf(tree, pointer, of)) };
}

/** Comments, trailing commas and nesting, found without recursion; false if it is too deep to be read. */
function scanTokens(text: string, complain: Complain): boolean {
  const scanner = createScanner(text, false);
  let depth = 0;
  let comma: number | undefined;
  for (let token: number = scanner.scan(); token !== END; token = scanner.scan()) {
    if (TRIVIA.has(token)) continue;
    const offset = scanner.getTokenOffset();
    if (COMMENTS.has(token)) {
      complain(
        'comment',
        offset,
        'Comments are not allowed in JSON; use "note" on a pipe, or "description".',
      );
      continue;
    }
    if (token === NUMBER && !isExact(scanner.getTokenValue())) {
      complain(
        'number-not-exact',
        offset,
        `${scanner.getTokenValue()} cannot be kept exactly as a number; write it as a text in quotes.`,
      );
    }
    if (CLOSE.has(token) && comma !== undefined) {
      complain('trailing-comma', comma, 'There is a comma after the last element; remove it.');
    }
    comma = token === COMMA ? offset : undefined;
    if (OPEN.has(token)) depth += 1;
    if (CLOSE.has(token)) depth -= 1;
    if (depth > MAX_DEPTH) {
      complain(
        'too-deep',
        offset,
        `The document is nested deeper than ${MAX_DEPTH} levels; make it flatter.`,
      );
      return false;
    }
  }
  return true;
}

// The kinds of tokens as numbers, because the library declares them as an ambient const enum.
const COMMA = 5;
const NUMBER = 11;
const END = 17;
const OPEN: ReadonlySet<number> = new Set([1, 3]);
const CLOSE: ReadonlySet<number> = new Set([2, 4]);
const COMMENTS: ReadonlySet<number> = new Set([12, 13]);
const TRIVIA: ReadonlySet<number> = new Set([14, 15]);

/** Whole numbers of up to 15 digits, and all that have a fraction and a size that can be kept. */
function isExact(literal: string): boolean {
  const value = Number(literal);
  return Number.isFinite(value) && (!/^-?\d+$/.test(literal) || Number.isSafeInteger(value));
}

function readTree(text: string, complain: Complain): Node | undefined {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false });
  const [first] = errors;
  if (first === undefined) return tree;
  const found = text.slice(first.offset, first.offset + Math.min(first.length, 20));
  const what = found.trim() === '' ? 'the end of the text' : JSON.stringify(found);
  const sentence = SENTENCES[printParseErrorCode(first.error)] ?? 'this is not JSON';
  complain('not-json', first.offset, `This is not JSON: ${sentence}, and ${what} stands here.`);
  return undefined;
}

const SENTENCES: Readonly<Record<string, string>> = {
  InvalidSymbol: 'texts stand in double quotes and the only words are true, false and null',
  InvalidNumberFormat: 'a number is expected',
  PropertyNameExpected: 'a member name in double quotes is expected',
  ValueExpected: 'a value is expected',
  ColonExpected: 'a colon is expected after the member name',
  CommaExpected: 'a comma is expected between two elements',
  CloseBraceExpected: 'a closing brace } is expected',
  CloseBracketExpected: 'a closing bracket ] is expected',
  EndOfFileExpected: 'nothing may follow the document',
  UnexpectedEndOfComment: 'a comment does not end',
  UnexpectedEndOfString: 'a text has no closing quote on its line',
  UnexpectedEndOfNumber: 'a number is not finished',
  InvalidUnicode: '\\u is followed by four hexadecimal digits',
  InvalidEscapeCharacter: 'after a backslash only " \\ / b f n r t u may stand',
  InvalidCharacter: 'a control character must be written as an escape such as \\n',
};

function offsetOf(tree: Node, pointer: string, of: 'value' | 'key'): number {
  let node = tree;
  let key: Node | undefined;
  for (const step of stepsOf(pointer)) {
    const found = stepInto(node, step);
    // A member that is missing is reported where its object begins.
    if (found === undefined) return node.offset;
    node = found.value;
    key = found.key;
  }
  return of === 'key' && key !== undefined ? key.offset : node.offset;
}

/** From an offset to line and column, both from 1. */
function positions(text: string): (offset: number) => Position {
  let starts: number[] | undefined;
  return (offset) => {
    starts ??= lineStarts(text);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
