/** The forms of JSONata that need no evaluator: constants and plain paths, read as JSONata reads them. */
import { Failure } from '../errors.ts';
import { isObject, own } from '../json.ts';

/** Elements in a sequence, wherever one is made: the library copies it for each one it appends. */
export const MAX_SEQUENCE = 20_000;
/** The same in an expression that sorts with `^`, which costs the square of the length in memory. */
export const MAX_SORTED = 5_000;

/** A constant, or a variable and the names that follow it; undefined if the expression is anything else. */
export type Plain =
  | { readonly constant: unknown }
  | { readonly variable: string; readonly names: readonly string[] };

/** Recognises a plain form in the tree of an expression. */
export function plainForm(tree: unknown): Plain | undefined {
  if (!isBare(tree)) return undefined;
  switch (tree.type) {
    case 'string':
    case 'number':
    case 'value':
      return { constant: tree.value };
    case 'variable':
      return typeof tree.value === 'string' && tree.value !== '' && tree.value !== '$'
        ? { variable: tree.value, names: [] }
        : undefined;
    case 'path': {
      if (!Array.isArray(tree.steps) || !tree.steps.every(isBare)) return undefined;
      const [first, ...rest] = tree.steps;
      const start = plainForm(first);
      if (start === undefined || 'constant' in start || first?.type !== 'variable') return undefined;
      const names = rest.map((step) => (step.type === 'name' ? step.value : undefined));
      return names.every((name) => typeof name === 'string')
        ? { variable: start.variable, names }
        : undefined;
    }
  }
  return undefined;
}

/** A node without stages, groups, bindings and the like. */
function isBare(node: unknown): node is Record<string, unknown> {
  return (
    isObject(node) && Object.keys(node).every((key) => ['type', 'value', 'position', 'steps'].includes(key))
  );
}

/**
 * The value at a path as JSONata has it: it maps over arrays, flattens them, and gives a single element as itself.
 * Follows evaluatePath, evaluateStep and lookup of jsonata 2.2. Throws EXPRESSION_LIMIT for too long a sequence.
 */
export function readAsJsonata(root: unknown, names: readonly string[]): unknown {
  if (names.length === 0) return root;
  let items = flatten(root === undefined ? [] : [root]);
  for (const [index, name] of names.entries()) {
    const found: unknown[] = [];
    let mapped = false;
    for (const item of items) {
      const value = Array.isArray(item) ? unwrap(lookupAll(item, name)) : lookup(item, name);
      if (value === undefined) continue;
      mapped ||= Array.isArray(item) && Array.isArray(value) && value.length > 1;
      found.push(value);
    }
    const [only] = found;
    if (index === names.length - 1 && found.length === 1 && Array.isArray(only) && !mapped) return only;
    items = flatten(found);
    if (items.length === 0) return undefined;
  }
  return unwrap(items);
}

function lookup(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value instanceof Uint8Array || isMarked(value)) return undefined;
  return own(value, name);
}

/** Data with these members passes for a function in the library, which reads nothing from functions. */
function isMarked(value: unknown): boolean {
  return own(value, '_jsonata_function') === true || own(value, '_jsonata_lambda') === true;
}

function lookupAll(list: readonly unknown[], name: string): unknown[] {
  const found: unknown[] = [];
  for (const each of list) {
    const value = Array.isArray(each) ? lookupAll(each, name) : lookup(each, name);
    if (value !== undefined) append(found, value);
  }
  return found;
}

function flatten(values: readonly unknown[]): unknown[] {
  const items: unknown[] = [];
  for (const value of values) append(items, value);
  return items;
}

function append(items: unknown[], value: unknown): void {
  if (Array.isArray(value)) for (const each of value) items.push(each);
  else items.push(value);
  if (items.length > MAX_SEQUENCE) throw tooLong();
}

function unwrap(items: readonly unknown[]): unknown {
  return items.length > 1 ? items : items[0];
}

/** The failure of a sequence over the limit. */
export function tooLong(): Failure {
  return new Failure(
    'EXPRESSION_LIMIT',
    `The JSONata expression makes a list of more than ${MAX_SEQUENCE} elements (${MAX_SORTED} where it sorts with "^"); filter earlier, sort with $sort, or split the work.`,
  );
}
