/** Checks the values that people and systems give for the fields of a channel (channel format, section 3.2). */
import type { Problem } from '../errors.ts';
import { isObject, pointerTo, setOwn } from '../json.ts';
import { didYouMean, listed, nearName } from '../near.ts';
import { type Field, type FieldGroup, type FieldRow, fieldsOf } from './document.ts';
import type { Wrong } from './unstorable.ts';
import { type ValueCheck, type ValueMode, valueCheck } from './value-checks.ts';

export type { ValueMode } from './value-checks.ts';

export interface CheckedValues {
  /** The values of the fields with their defaults, nothing else; of use only where there is no problem. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Pointers lead into the given values. No message repeats a value. */
  readonly problems: readonly Problem[];
}

export interface FieldCheck {
  readonly fields: readonly Field[];
  /**
   * `saved`: as an editor wrote them, so that Liquid in `liquid` fields is not held to lengths and patterns.
   * `final`: after rendering, before sending.
   */
  readonly check: (values: unknown, mode: ValueMode) => CheckedValues;
}

/** The types whose values Liquid renders, unless their field says `"liquid": false`. */
const LIQUID_TYPES: ReadonlySet<string> = new Set(['string', 'text', 'html', 'json']);

/** True where the value of a template field is rendered by Liquid. */
export function isLiquidField(field: Field): boolean {
  return field.liquid !== false && LIQUID_TYPES.has(field.type);
}

/**
 * Compiles the check of a group, once per version of a channel. Only values of the group `template` hold Liquid.
 * Throws REGEX_INVALID for a pattern that the check of the document would have refused.
 */
export function compileFields(
  rows: readonly FieldRow[] | undefined,
  group: FieldGroup | 'entity' | 'input' = 'template',
): FieldCheck {
  const fields = fieldsOf(rows);
  const checks = fields.map((field) => ({
    field,
    pointer: pointerTo('', field.field),
    check: fieldCheck(field, group === 'template' && isLiquidField(field)),
  }));
  const names = new Set(fields.map((field) => field.field));
  return Object.freeze({
    fields,
    check: (given: unknown, mode: ValueMode): CheckedValues => {
      const problems: Problem[] = [];
      const values: Record<string, unknown> = {};
      if (!isObject(given)) {
        return {
          values,
          problems: [{ pointer: '', message: 'The values of the fields must be an object.' }],
        };
      }
      for (const { field, pointer, check } of checks) {
        const written = Object.hasOwn(given, field.field) ? given[field.field] : undefined;
        const value = written === undefined ? field.default : written;
        if (isMissing(value)) {
          if (field.required === true) {
            problems.push({ pointer, message: `"${field.field}" (${field.name}) is required.` });
          } else if (value !== undefined && value !== null) values[field.field] = value;
          continue;
        }
        const wrong = check(value, mode);
        if (wrong === undefined) setOwn(values, field.field, value);
        else problems.push(problemOf(field, pointer, wrong));
      }
      for (const key of Object.keys(given)) {
        if (!names.has(key)) problems.push(unknownMember(key, names));
      }
      return { values, problems };
    },
  });
}

/** Nothing, or nothing in it. */
function isMissing(value: unknown): boolean {
  return (
    value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
  );
}

function fieldCheck(field: Field, liquid: boolean): ValueCheck {
  const one = valueCheck(field, liquid);
  if (field.multiple !== true || field.type === 'file') return one;
  return (value, mode) => {
    if (!Array.isArray(value)) return { message: 'must be an array of values' };
    for (const [index, each] of value.entries()) {
      const wrong = one(each, mode);
      if (wrong === undefined) continue;
      const pointer = pointerTo('', index) + (wrong.pointer ?? '');
      return { message: `${wrong.message} (value ${index + 1})`, pointer };
    }
    return undefined;
  };
}

function problemOf(field: Field, pointer: string, wrong: Wrong): Problem {
  const message = `"${field.field}" (${field.name}) ${wrong.message}`;
  return {
    pointer: pointer + (wrong.pointer ?? ''),
    message: /[.?]$/.test(message) ? message : `${message}.`,
  };
}

function unknownMember(key: string, names: ReadonlySet<string>): Problem {
  const near = didYouMean(nearName(key, names));
  return {
    pointer: pointerTo('', key),
    message: `"${key}" is no field of this group.${near || ` It has: ${listed(names)}.`}`,
  };
}
