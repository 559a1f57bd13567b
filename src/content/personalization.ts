/**
 * Personalization: where the values of an item's variables come from, compiled once, resolved once per message.
 *
 * No value, null and an empty one count as missing, unless the entry allows empty ones. What is missing gets its fallback;
 * without a fallback the content is not rendered for this person, so that nobody ever reads "Hi ,".
 */
import { asFailure, Failure } from '../errors.ts';
import type { Formula } from '../expression/jsonata.ts';
import type { PlacedVariable } from '../expression/liquid-value.ts';
import { isObject, setOwn } from '../json.ts';
import { type Entry, FORMULA_NAMES, isEmpty } from './entries.ts';
import { valueAt, withValueAt } from './values-at.ts';
import { answeringKeys } from './variables.ts';

type Values = Readonly<Record<string, unknown>>;

/** The values of one rendering with their fallbacks. */
export interface Resolved {
  readonly values: Values;
  /** Names of variables without value and fallback. */
  readonly missing: readonly string[];
  /** Names of variables that got their fallback. */
  readonly filled: readonly string[];
}

/** Resolves values by namespace; a promise only where there are formulas. Throws or rejects with what fails a formula. */
export type Personalization = (values: Values) => Resolved | Promise<Resolved>;

/** A formula whose result a text uses. */
export interface UsedFormula {
  /** `computed.greeting`. */
  readonly name: string;
  readonly member: string;
  readonly formula: Formula;
}

/** The formulas that the variables of a text need. */
export function usedFormulas(
  entries: readonly Entry[],
  used: readonly PlacedVariable[],
): readonly UsedFormula[] {
  const computing = new Set(
    used.flatMap(({ variable: { namespace, path } }) => (namespace === 'computed' ? path.slice(0, 1) : [])),
  );
  return entries.flatMap(({ name, path: [member = ''], formula }) =>
    formula !== undefined && computing.has(member) ? [{ name, member, formula }] : [],
  );
}

/** Compiles the entries that the variables of a text and its formulas need. */
export function compilePersonalization(
  entries: readonly Entry[],
  used: readonly PlacedVariable[],
  formulas: readonly UsedFormula[],
): Personalization {
  const keys = new Set(used.flatMap(({ variable }) => answeringKeys(variable)));
  const read = new Set(formulas.flatMap(({ formula }) => [...formula.reads]));
  const needed = entries
    .filter(({ key, namespace }) => keys.has(key) || read.has(namespace))
    .map((entry) => ({ ...entry, place: [entry.namespace, ...entry.path] }));
  const given = needed.filter(({ namespace }) => namespace !== 'computed');
  if (formulas.length === 0) return (values) => fillIn(given, plainly(values));
  const computed = needed.filter(({ namespace }) => namespace === 'computed');
  return async (values) => {
    const before = fillIn(given, plainly(values));
    const seen: Record<string, unknown> = {};
    for (const name of FORMULA_NAMES) seen[name] = before.values[name];
    const results: Record<string, unknown> = isObject(values.computed) ? { ...values.computed } : {};
    for (const { name, member, formula } of formulas) {
      try {
        setOwn(results, member, await formula.evaluate(seen, String(values.now)));
      } catch (thrown) {
        throw formulaFailure(name, thrown);
      }
    }
    return fillIn(computed, { ...before, values: { ...before.values, computed: results } });
  };
}

const NONE: readonly string[] = Object.freeze([]);

const plainly = (values: Values): Resolved => ({ values, missing: NONE, filled: NONE });

interface PlacedEntry extends Entry {
  readonly place: readonly string[];
}

function fillIn(entries: readonly PlacedEntry[], before: Resolved): Resolved {
  let { values, missing, filled } = before;
  for (const entry of entries) {
    const value = valueAt(values, entry.place);
    const isThere = entry.allowEmpty ? value !== undefined && value !== null : !isEmpty(value);
    if (isThere) continue;
    // An allowed null is an empty text: nothing else is to be read in it.
    const instead = entry.allowEmpty && value === null ? '' : entry.fallback;
    const changed = instead === undefined ? undefined : withValueAt(values, entry.place, instead);
    if (changed === undefined) {
      missing = [...missing, entry.name];
      continue;
    }
    values = changed as Values;
    // The two are one.
    if (entry.namespace === 'customer' && Object.hasOwn(values, 'profile')) {
      values = { ...values, profile: values.customer };
    }
    if (instead === entry.fallback) filled = [...filled, entry.name];
  }
  return values === before.values && missing === before.missing ? before : { values, missing, filled };
}

function formulaFailure(name: string, thrown: unknown): Failure {
  const failure = asFailure(thrown);
  return new Failure(failure.code, `The formula of ${name} has no result here. ${failure.message}`, {
    cause: thrown,
  });
}

/** The refusal of content some of whose variables have neither a value nor a fallback. */
export function missingVariables(names: readonly string[]): Failure {
  return new Failure(
    'CONTENT_VARIABLE_MISSING',
    `The content needs ${names.join(', ')}, without a value here and without a fallback; give the ${names.length === 1 ? 'value' : 'values'}, or a fallback in the personalization of the content item.`,
  );
}
