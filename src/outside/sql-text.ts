/** Reads a statement as far as needed to find the places of values: `?` outside quotes and comments. */
import { Failure } from '../errors.ts';

export type SqlDialect = 'postgresql' | 'mysql';

export interface ReadStatement {
  /** For PostgreSQL with `$1`, `$2` … for `?`, and `?` for `??`; for MySQL as written. */
  readonly text: string;
  readonly places: number;
  /** The first word, in lower case. */
  readonly verb: string;
}

const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/uy;
const WORD = /[A-Za-z_]+/uy;
const WORD_CHARACTER = /[A-Za-z0-9_$\u0080-\uffff]/u;

/**
 * Reads a statement of the dialect. In PostgreSQL the operators `?`, `?|` and `?&` are written `??`, `??|`, `??&`.
 * Unfinished quotes and comments reach to the end; the database will say so.
 */
export function readStatement(text: string, dialect: SqlDialect): ReadStatement {
  const postgres = dialect === 'postgresql';
  let converted = '';
  let places = 0;
  let verb = '';
  let position = 0;
  while (position < text.length) {
    const end = postgres ? skipPostgres(text, position) : skipMysql(text, position);
    if (end > position) {
      converted += text.slice(position, end);
      position = end;
      continue;
    }
    if (text[position] === '?') {
      if (postgres && text[position + 1] === '?') {
        converted += '?';
        position += 2;
        continue;
      }
      places += 1;
      converted += postgres ? `$${places}` : '?';
    } else {
      if (verb === '') verb = match(WORD, text, position)?.toLowerCase() ?? '';
      converted += text[position];
    }
    position += 1;
  }
  return { text: converted, places, verb };
}

/** Throws PIPE_PARAMS if the values do not fit the places. */
export function checkPlaces(statement: ReadStatement, values: number, dialect: SqlDialect): void {
  if (statement.places === values) return;
  const operator = dialect === 'postgresql' ? ' A question mark that is an operator is written "??".' : '';
  throw new Failure(
    'PIPE_PARAMS',
    `The query has ${statement.places} places for values, but ${values} templates. Do not put templates in quotes or comments.${operator}`,
  );
}

/** The end of the quoted text or comment that begins here, or the same position. */
function skipPostgres(text: string, start: number): number {
  const character = text[start];
  if (character === "'") return skipQuoted(text, start, "'", isEscapeString(text, start));
  if (character === '"') return skipQuoted(text, start, '"', false);
  if (character === '-' && text[start + 1] === '-') return skipLine(text, start);
  if (character === '/' && text[start + 1] === '*') return skipNested(text, start);
  if (character === '$' && !WORD_CHARACTER.test(text[start - 1] ?? '')) {
    const tag = match(DOLLAR_TAG, text, start);
    if (tag === undefined) return start;
    const close = text.indexOf(tag, start + tag.length);
    return close === -1 ? text.length : close + tag.length;
  }
  return start;
}

function skipMysql(text: string, start: number): number {
  const character = text[start];
  if (character === "'" || character === '"') return skipQuoted(text, start, character, true);
  if (character === '`') return skipQuoted(text, start, '`', false);
  if (character === '#') return skipLine(text, start);
  // MySQL takes "--" for a comment only before a blank.
  if (character === '-' && /^--(?:\s|$)/u.test(text.slice(start, start + 3))) return skipLine(text, start);
  // What stands in /*! … */ and /*M! … */ is executed: only the opening is passed over.
  if (character === '/' && text[start + 1] === '*' && !/^\/\*M?!/u.test(text.slice(start, start + 4))) {
    const close = text.indexOf('*/', start + 2);
    return close === -1 ? text.length : close + 2;
  }
  return start;
}

function skipQuoted(text: string, start: number, quote: string, escapes: boolean): number {
  for (let position = start + 1; position < text.length; position += 1) {
    const character = text[position];
    if (escapes && character === '\\') position += 1;
    else if (character === quote) {
      if (text[position + 1] !== quote) return position + 1;
      position += 1;
    }
  }
  return text.length;
}

/** E'…' and only it has backslash escapes. */
function isEscapeString(text: string, quote: number): boolean {
  return /[eE]/u.test(text[quote - 1] ?? '') && !WORD_CHARACTER.test(text[quote - 2] ?? '');
}

function skipLine(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end === -1 ? text.length : end + 1;
}

function skipNested(text: string, start: number): number {
  let depth = 0;
  for (let position = start; position < text.length; position += 1) {
    if (text.startsWith('/*', position)) {
      depth += 1;
      position += 1;
    } else if (text.startsWith('*/', position)) {
      depth -= 1;
      position += 1;
      if (depth === 0) return position + 1;
    }
  }
  return text.length;
}

function match(pattern: RegExp, text: string, position: number): string | undefined {
  pattern.lastIndex = position;
  return pattern.exec(text)?.[0];
}
