/** The entries of an item's `personalization`, read once and checked (content and modes, section 3). */
import { Failure } from '../errors.ts';
import { compileFormula, type Formula } from '../expression/jsonata.ts';
import { pointerTo } from '../json.ts';
import { keyOf, readVariable, type Variable } from './variables.ts';

/** An entry as editors write it. */
export interface PersonalizationEntry {
  readonly variable: string;
  /** The namespace of the variable; may be left out. */
  readonly source?: string | undefined;
  /** JSONata over customer, offer and attributes; for variables of `computed` alone. */
  readonly formula?: string | null | undefined;
  readonly fallback?: unknown;
  readonly required?: boolean | undefined;
  readonly allowEmpty?: boolean | undefined;
}

export interface Entry extends Variable {
  readonly key: string;
  /** Undefined: none. */
  readonly fallback: unknown;
  readonly required: boolean;
  readonly allowEmpty: boolean;
  readonly formula: Formula | undefined;
}

/** What a formula sees. */
export const FORMULA_NAMES = ['customer', 'offer', 'attributes'] as const;

/** Nothing, or nothing in it: no value, null, a text of blanks, a list of nothing else. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'string' ? value.trim() === '' : Array.isArray(value) && value.every(isEmpty);
}

/** Reads entries. Throws REQUEST_INVALID, JSONATA_SYNTAX or REGEX_INVALID for the first that is wrong, with its place. */
export function readEntries(given: readonly PersonalizationEntry[] | null | undefined): readonly Entry[] {
  const known = new Set<string>();
  const entries = (given ?? []).map((each, index) => {
    const pointer = pointerTo('/personalization', index);
    const entry = at(pointerTo(pointer, 'variable'), () => readEntry(each, pointer));
    if (known.has(entry.key)) {
      throw misplaced(pointerTo(pointer, 'variable'), `"${entry.name}" has two entries; keep one.`);
    }
    known.add(entry.key);
    return entry;
  });
  for (const [index, { name, namespace, path }] of entries.entries()) {
    const formula = entries.find((each) => each.formula !== undefined && each.path[0] === path[0]);
    if (namespace === 'computed' && formula === undefined) {
      throw misplaced(
        pointerTo(pointerTo('/personalization', index), 'formula'),
        `"${name}" needs a formula: nothing else gives a computed variable its value.`,
      );
    }
  }
  return Object.freeze(entries);
}

function readEntry(given: PersonalizationEntry, pointer: string): Entry {
  const variable = readVariable(given.variable);
  const { name, namespace, path } = variable;
  const source = given.source === 'profile' ? 'customer' : given.source;
  if (source !== undefined && source !== namespace) {
    throw misplaced(
      pointerTo(pointer, 'source'),
      `"${name}" comes from "${namespace}", not from "${given.source}"; make the two agree.`,
    );
  }
  const formula = given.formula ?? undefined;
  if (formula !== undefined && (namespace !== 'computed' || path.length !== 1)) {
    throw misplaced(
      pointerTo(pointer, 'formula'),
      `Only a variable such as computed.greeting has a formula; "${name}" is not one.`,
    );
  }
  const allowEmpty = given.allowEmpty === true;
  const { fallback } = given;
  const counts = fallback !== undefined && fallback !== null && (allowEmpty || !isEmpty(fallback));
  return Object.freeze({
    ...variable,
    key: keyOf(variable),
    fallback: counts ? fallback : undefined,
    required: given.required === true,
    allowEmpty,
    formula:
      formula === undefined
        ? undefined
        : at(pointerTo(pointer, 'formula'), () => compileFormula(formula, FORMULA_NAMES)),
  });
}

/** Gives failures that have no place yet this one. */
function at<T>(pointer: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.details.problems !== undefined) throw thrown;
    const { code, message } = thrown;
    throw new Failure(code, message, { problems: [{ pointer, message }], cause: thrown });
  }
}

function misplaced(pointer: string, message: string): Failure {
  return new Failure('REQUEST_INVALID', message, { problems: [{ pointer, message }] });
}
