/** Where a template reads its values: `$in.a`, `${in.headers.'x-id'?}`, `$#in.a`, and `[$]a` inside a repeated member. */
import { Failure } from '../errors.ts';
import { readPath, type Step, scanPath } from './path.ts';
import { isKeyword, type Keyword, type Reference, type Scope } from './scope.ts';

/** A place in the scope, or in the item of a repeated member, from which a value is read. */
export interface Source {
  /** Undefined: the item of the enclosing `$$`. */
  readonly keyword: Keyword | undefined;
  readonly path: readonly Step[];
  /** `?`: a missing value is no error. */
  readonly optional: boolean;
  /** As the author wrote it. */
  readonly text: string;
}

export type Part = string | Source;

/** A string split into constant text and sources, or the sentence that says what is wrong with it. */
export type Parsed =
  | { readonly parts: readonly Part[]; readonly typed: boolean }
  | { readonly problem: string };

type Found = { source: Source; end: number; typed: boolean } | { problem: string } | undefined;

/** Splits a string into constant text and sources. */
export function parseString(text: string, inItem = false): Parsed {
  const parts: Part[] = [];
  let literal = '';
  let position = 0;
  while (position < text.length) {
    const character = text[position] as string;
    if (character === '\\' && text[position + 1] === '$') {
      literal += '$';
      position += 2;
      continue;
    }
    const found =
      character === '$'
        ? scanKeyword(text, position)
        : character === '[' && inItem
          ? scanItem(text, position)
          : undefined;
    if (found === undefined) {
      literal += character;
      position += 1;
      continue;
    }
    if ('problem' in found) return found;
    if (found.typed) {
      if (position !== 0 || found.end !== text.length) {
        return {
          problem: `${text.slice(position, found.end)} keeps the type of its value, so it must be the whole string; inside a longer text write it without "#".`,
        };
      }
      return { parts: [found.source], typed: true };
    }
    if (literal !== '') parts.push(literal);
    literal = '';
    parts.push(found.source);
    position = found.end;
  }
  if (literal !== '') parts.push(literal);
  return { parts, typed: false };
}

/** Reads a source written without its dollar, as inside braces and in the key of a repeated member. */
export function parseSource(text: string, inItem: boolean): Source | undefined {
  const optional = text.endsWith('?');
  const body = optional ? text.slice(0, -1) : text;
  const fromItem = body.startsWith('[$]');
  if (fromItem && !inItem) return undefined;
  const { path, end } = scanPath(body, fromItem ? 3 : 0, true);
  if (end !== body.length) return undefined;
  if (fromItem) return { keyword: undefined, path, optional, text: body };
  const [first, ...rest] = path;
  if (typeof first !== 'string' || !isKeyword(first)) return undefined;
  return { keyword: first, path: rest, optional, text: `$${body}` };
}

/** Reads the template that starts with the `$` at `start`; undefined if that dollar is ordinary text. */
export function scanKeyword(text: string, start: number): Found {
  let position = start + 1;
  const typed = text[position] === '#';
  if (typed) position += 1;
  if (text[position] === '{') {
    const close = closingBrace(text, position);
    const inside = text.slice(position + 1, close);
    const [first] = scanPath(inside, 0, true).path;
    if (typeof first !== 'string' || !isKeyword(first)) return undefined;
    if (close === undefined) {
      return { problem: `\${${inside} has no closing brace; write \${${first}.name}, or \\$ for a dollar.` };
    }
    const source = parseSource(inside, false);
    if (source === undefined) {
      return {
        problem: `\${${inside}} is not a path; write member names with dots, array positions as %0, and other keys in quotes: \${in.headers.'x-id'}.`,
      };
    }
    return { source, end: close + 1, typed };
  }
  const { path, end } = scanPath(text, position, false);
  const [keyword, ...rest] = path;
  if (typeof keyword !== 'string' || !isKeyword(keyword)) return undefined;
  const source = { keyword, path: rest, optional: false, text: `$${text.slice(position, end)}` };
  return { source, end, typed };
}

function scanItem(text: string, start: number): Found {
  const typed = text.startsWith('[$#]', start);
  if (!typed && !text.startsWith('[$]', start)) return undefined;
  const position = start + (typed ? 4 : 3);
  if (text[position] === '{') {
    const close = closingBrace(text, position);
    const inside = text.slice(position + 1, close);
    const source = close === undefined ? undefined : parseSource(`[$]${inside}`, true);
    if (source === undefined || close === undefined) {
      return { problem: `[$]{${inside} is not a path into the item; write [$]name or [$]{name?}.` };
    }
    return { source, end: close + 1, typed };
  }
  const { path, end } = scanPath(text, position, false);
  const source = { keyword: undefined, path, optional: false, text: `[$]${text.slice(position, end)}` };
  return { source, end, typed };
}

/** The position of the `}` that closes the `{` at `open`, passing over quoted keys. */
function closingBrace(text: string, open: number): number | undefined {
  let quoted = false;
  for (let position = open + 1; position < text.length; position += 1) {
    if (text[position] === "'") quoted = !quoted;
    else if (text[position] === '}' && !quoted) return position;
  }
  return undefined;
}

/** Reads one source: from the scope, or from the item of the enclosing repeated member. */
export type Read = (scope: Scope, item: unknown) => unknown;

/** Compiles a source to a closure; a missing value is undefined. */
export function reader(source: Source): Read {
  const { keyword, path } = source;
  if (keyword === undefined) return (_scope, item) => readPath(item, path);
  const [first] = path;
  if (path.length === 0) return (scope) => scope[keyword];
  if (path.length === 1 && typeof first === 'string') {
    return (scope) => {
      const root = scope[keyword];
      return typeof root === 'object' && root !== null && Object.hasOwn(root, first)
        ? readPath(root, path)
        : undefined;
    };
  }
  return (scope) => readPath(scope[keyword], path);
}

/** The failure of a source that has no value and is not optional. */
export function missing(source: Source): Failure {
  const { keyword, text } = source;
  const optional = keyword === undefined ? `[$]{${text.slice(3)}?}` : `\${${text.slice(1)}?}`;
  return new Failure(
    'TEMPLATE_VALUE_MISSING',
    `${text} has no value here. If it may be missing, write it as ${optional}.`,
  );
}

/** The reference that a source is, for the linter; undefined for one that reads the item. */
export function referenceOf(source: Source, pointer: string, typed: boolean): Reference | undefined {
  const { keyword, path, text, optional } = source;
  return keyword === undefined ? undefined : { keyword, path, text, pointer, typed, optional };
}
