/** Compiles the expressions in the params of a pipe to learn what they read and what is wrong with them. */
import { Failure } from '../errors.ts';
import { compileJsonata } from '../expression/jsonata.ts';
import { compileQuery } from '../expression/query.ts';
import type { Reference } from '../expression/scope.ts';
import { compileTemplate } from '../expression/template.ts';
import { isObject, pointerTo } from '../json.ts';
import type { Param, Params } from '../pipes/params.ts';
import type { ExpressionProblem } from './expression-problem.ts';
import type { FindingCode } from './rules/codes.ts';
import { strayTexts } from './stray-texts.ts';
import { writtenSecrets } from './written-secrets.ts';

/** What expressions read, and what is wrong with them. */
export interface Reading {
  readonly references: Reference[];
  readonly problems: ExpressionProblem[];
}

export const emptyReading = (): Reading => ({ references: [], problems: [] });

/** Reads all params of a pipe, defaults included. */
export function readParams(params: Params, written: unknown, pointer: string, reading: Reading): void {
  const given = isObject(written) ? written : {};
  for (const [name, param] of Object.entries(params)) {
    const value = Object.hasOwn(given, name) ? given[name] : param.default;
    if (value === undefined) continue;
    const at = pointerTo(pointer, name);
    readParam(param, value, at, reading);
    reading.problems.push(...writtenSecrets(param, value, at));
  }
}

function readParam(param: Param, value: unknown, pointer: string, reading: Reading): void {
  const { kind, items, members } = param;
  if (kind === 'query') compile(() => compileQuery(String(value), pointer), pointer, reading);
  else if (kind === 'jsonata') readJsonata(value, pointer, reading);
  else if (kind === 'object' && isObject(value)) readParams(members ?? {}, value, pointer, reading);
  else if (kind === 'array' && Array.isArray(value) && items !== undefined) {
    for (const [index, each] of value.entries()) readParam(items, each, pointerTo(pointer, index), reading);
  } else if (param.templates || items?.templates === true) readTemplate(value, pointer, reading);
}

/** Reads a value whose strings may hold templates. */
export function readTemplate(value: unknown, pointer: string, reading: Reading): void {
  const { references, problems } = compileTemplate(value, pointer);
  reading.references.push(...references);
  for (const problem of problems) {
    reading.problems.push({
      ...problem,
      code: problem.pointer.endsWith('/$') ? 'jsonata-syntax' : 'template-syntax',
    });
  }
  reading.problems.push(...strayTexts(value, pointer));
}

/** Reads a JSONata expression. */
export function readJsonata(value: unknown, pointer: string, reading: Reading): void {
  compile(() => compileJsonata(String(value), pointer), pointer, reading);
}

const CODES: Readonly<Record<string, FindingCode>> = {
  QUERY_SYNTAX: 'query-syntax',
  REGEX_INVALID: 'regex-invalid',
  LIQUID_SYNTAX: 'liquid-syntax',
};

/** The finding that a failure to compile is. */
export function codeOf(failure: Failure): FindingCode {
  return CODES[failure.code] ?? 'jsonata-syntax';
}

function compile(
  make: () => { readonly references: readonly Reference[] },
  pointer: string,
  reading: Reading,
): void {
  try {
    reading.references.push(...make().references);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    reading.problems.push({ code: codeOf(thrown), pointer, message: thrown.message });
  }
}
