/** Walks the syntax tree of a JSONata expression: what it reads, which functions it needs, what it may not use. */
import { Failure } from '../errors.ts';
import { isObject } from '../json.ts';
import { compileRegex, type Regex } from './regex.ts';
import { isKeyword, type Keyword, type Reference } from './scope.ts';

/** What a walk through the tree finds. */
export interface Findings {
  readonly references: Reference[];
  /** Names of all variables that are read, without the dollar. */
  readonly variables: Set<string>;
  /** Names of members of the context that the expression begins with. */
  readonly members: Set<string>;
  /** The patterns in it, compiled. */
  readonly regexes: Map<RegExp, Regex>;
  /** Names of our own functions that took the place of the library's. */
  readonly functions: Set<string>;
  /** It has a part that writes into what it reads, so that it must be given copies. */
  writes: boolean;
  /** It sorts with `^`. */
  sorts: boolean;
}

type Tree = Record<string, unknown>;

/** What surrounds a node: names bound by the author, and whether names are members of the scope itself. */
interface Place {
  readonly bound: Set<string>;
  readonly atRoot: boolean;
}

/** Members of a node that hold further nodes; those of `INNER` are evaluated with another context. */
const OUTER = [
  'procedure',
  'arguments',
  'lhs',
  'rhs',
  'expression',
  'expressions',
  'condition',
  'then',
  'else',
];
const INNER = ['stages', 'predicate', 'group', 'pattern', 'update', 'delete', 'terms', 'expr'];

/** Functions of the library that are replaced wherever they are named. */
const REPLACED = ['millis', 'toMillis', 'fromMillis', 'parseInteger', 'pad', 'distinct', 'sort'];
/** Keywords of ours that are also functions of the library; these are replaced where they are called. */
const CALLED = ['now', 'error'];

/**
 * Walks the tree and renames in it the functions that are ours (`pad` becomes `pad()`, a name no author can write).
 * Throws REGEX_INVALID, and JSONATA_SYNTAX for `$eval`.
 */
export function explore(tree: unknown, pointer: string): Findings {
  const findings: Findings = {
    references: [],
    variables: new Set(),
    members: new Set(),
    regexes: new Map(),
    functions: new Set(),
    writes: false,
    sorts: false,
  };
  visit(tree, { bound: new Set(), atRoot: true }, findings, pointer);
  return findings;
}

function visit(node: unknown, place: Place, findings: Findings, pointer: string): void {
  if (Array.isArray(node)) {
    for (const each of node) visit(each, place, findings, pointer);
    return;
  }
  if (!isObject(node)) return;
  const inside = (value: unknown, where: Place) => visit(value, where, findings, pointer);
  const inner: Place = { ...place, atRoot: false };
  if (node.type === 'sort') findings.sorts = true;
  if (node.keepArray === true || node.keepSingletonArray === true) findings.writes = true;
  if (node.type === 'path') {
    visitPath(node, place, findings, pointer);
    return;
  }
  for (const key of INNER) inside(node[key], inner);
  switch (node.type) {
    case 'variable':
      visitVariable(node, place, findings, pointer);
      return;
    case 'regex':
      if (node.value instanceof RegExp) findings.regexes.set(node.value, compileNative(node.value));
      return;
    case 'block':
      inside(node.expressions, { ...place, bound: new Set(place.bound) });
      return;
    case 'bind': {
      const name = nameOf(node.lhs);
      const isLambda = isObject(node.rhs) && node.rhs.type === 'lambda';
      if (isLambda) place.bound.add(name);
      inside(node.rhs, place);
      place.bound.add(name);
      return;
    }
    case 'lambda': {
      const own = Array.isArray(node.arguments) ? node.arguments.map(nameOf) : [];
      inside(node.body, { ...place, bound: new Set([...place.bound, ...own]) });
      return;
    }
    case 'transform':
      findings.writes = true;
      return;
    case 'function':
    case 'partial':
      replaceCalled(node.procedure, place, findings);
  }
  for (const key of OUTER) inside(node[key], place);
}

function nameOf(node: unknown): string {
  return isObject(node) && typeof node.value === 'string' ? node.value : '';
}

function visitVariable(node: Tree, place: Place, findings: Findings, pointer: string): void {
  const name = nameOf(node);
  if (place.bound.has(name)) return;
  if (name === 'eval') {
    throw new Failure(
      'JSONATA_SYNTAX',
      '$eval cannot be used, because a value must never become part of an expression; write out what it would evaluate.',
    );
  }
  if (REPLACED.includes(name)) rename(node, name, findings);
  findings.variables.add(name);
  if (isKeyword(name)) refer(name, [], `$${name}`, findings, pointer);
}

function replaceCalled(procedure: unknown, place: Place, findings: Findings): void {
  const name = nameOf(procedure);
  if (!isObject(procedure) || procedure.type !== 'variable' || place.bound.has(name)) return;
  if (CALLED.includes(name)) rename(procedure, name, findings);
}

function rename(node: Tree, name: string, findings: Findings): void {
  findings.functions.add(name);
  node.value = `${name}()`;
}

/** The names that follow each other directly, as far as each is a name and nothing more. */
function leadingNames(steps: readonly Tree[]): string[] {
  const names: string[] = [];
  for (const step of steps) {
    if (step.type !== 'name' || typeof step.value !== 'string') break;
    names.push(step.value);
    if (Object.keys(step).some((key) => !['type', 'value', 'position', 'keepArray'].includes(key))) break;
  }
  return names;
}

function visitPath(node: Tree, place: Place, findings: Findings, pointer: string): void {
  const steps = Array.isArray(node.steps) ? node.steps.filter(isObject) : [];
  const [first, ...rest] = steps;
  if (first === undefined) return;
  const name = nameOf(first);
  const isVariable = first.type === 'variable' && !place.bound.has(name);
  // Written as members of the scope: `in.a`, `$.in.a`, `$$.in.a`.
  const fromScope =
    first.type === 'name'
      ? place.atRoot
        ? leadingNames(steps)
        : []
      : isVariable && (name === '$' || (name === '' && place.atRoot))
        ? leadingNames(rest)
        : [];
  const [member, ...path] = fromScope;
  if (member !== undefined) findings.members.add(member);
  if (member !== undefined && isKeyword(member)) {
    refer(member, path, [member, ...path].join('.'), findings, pointer);
  }
  const isReference = isVariable && isKeyword(name);
  if (isReference) {
    findings.variables.add(name);
    const names = leadingNames(rest);
    refer(name, names, [`$${name}`, ...names].join('.'), findings, pointer);
    for (const key of INNER) visit(first[key], { ...place, atRoot: false }, findings, pointer);
  } else {
    visit(first, place, findings, pointer);
  }
  let bound = bindTuple(first, place.bound);
  for (const step of rest) {
    bound = bindTuple(step, bound);
    visit(step, { bound, atRoot: false }, findings, pointer);
  }
  visit(node.group, { bound, atRoot: false }, findings, pointer);
}

/** `@$name` and `#$name` bind a name for the steps that follow. */
function bindTuple(step: Tree, bound: Set<string>): Set<string> {
  const names = [step.focus, step.index].filter((name) => typeof name === 'string');
  return names.length === 0 ? bound : new Set([...bound, ...names]);
}

function refer(
  keyword: Keyword,
  path: readonly string[],
  text: string,
  findings: Findings,
  pointer: string,
): void {
  // In JSONata a missing value is no error, so every reference is optional.
  findings.references.push({ keyword, path, text, pointer, typed: true, optional: true });
}

function compileNative({ source, flags }: RegExp): Regex {
  return compileRegex(source, flags);
}
