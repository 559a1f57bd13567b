/**
 * Filters as SQL conditions: `{ "field": value }`, `{ "field": { "op": value } }`, `{ "and": [...] }`, `{ "or": [...] }`,
 * `{ "not": filter }`. Operators: `=`, `!=`, `>`, `>=`, `<`, `<=`, `in`, `contains`, `startsWith`, `exists`. Values are
 * always bound.
 */
import { Failure } from '../errors.ts';
import { isObject, pointerTo } from '../json.ts';
import type { SqlValue } from './database.ts';

const COMPARISONS: Readonly<Record<string, string>> = { '>': '>', '>=': '>=', '<': '<', '<=': '<=' };
const MOST_CONDITIONS = 100;

/** SmppBinds a value and gives its place, such as `$4`. */
export type Bind = (value: SqlValue) => string;

export interface FilterWords {
  readonly bind: Bind;
  /** The SQL of a field as jsonb; throws REQUEST_INVALID for a field that is not there. */
  readonly member: (field: string, at: string, operator: string) => string;
  /** A filter for people who wrote none. */
  readonly example: string;
}

/** Compiles a filter that stands at `pointer`. Throws REQUEST_INVALID. */
export function filterCondition(where: unknown, pointer: string, words: FilterWords): string {
  const { bind } = words;
  let conditions = 0;

  const filter = (written: unknown, at: string): string => {
    conditions += 1;
    if (conditions > MOST_CONDITIONS) throw wrong(at, `A filter has at most ${MOST_CONDITIONS} conditions.`);
    if (!isObject(written) || Object.keys(written).length === 0) {
      throw wrong(at, `A filter is an object such as ${words.example}.`);
    }
    const parts = Object.entries(written).map(([key, value]) => {
      const here = pointerTo(at, key);
      if (key === 'and' || key === 'or') {
        if (!Array.isArray(value) || value.length === 0)
          throw wrong(here, `"${key}" takes a list of filters.`);
        return `(${value.map((each, index) => filter(each, pointerTo(here, index))).join(` ${key} `)})`;
      }
      if (key === 'not') return `not coalesce(${filter(value, here)}, false)`;
      if (isObject(value) && Object.keys(value).length === 0) {
        throw wrong(here, 'Name at least one operator, for example { ">=": 18 }.');
      }
      return isObject(value)
        ? Object.entries(value)
            .map(([operator, operand]) => compare(key, operator, operand, pointerTo(here, operator)))
            .join(' and ')
        : compare(key, '=', value, here);
    });
    return parts.length === 1 ? (parts[0] as string) : `(${parts.join(' and ')})`;
  };

  const compare = (field: string, operator: string, operand: unknown, at: string): string => {
    const member = words.member(field, at, operator);
    const text = () => bind(JSON.stringify(operand));
    switch (operator) {
      case '=':
        return `${member} = ${text()}::text::jsonb`;
      case '!=':
        return `${member} is distinct from ${text()}::text::jsonb`;
      case 'in':
        if (!Array.isArray(operand)) throw wrong(at, '"in" takes a list of values.');
        return `coalesce(${member}, 'null'::jsonb) in (select jsonb_array_elements(${text()}::text::jsonb))`;
      case 'contains':
        return `(${member} @> ${text()}::text::jsonb or (jsonb_typeof(${member}) = 'string' and strpos(${member} #>> '{}', ${bind(String(operand))}::text) > 0))`;
      case 'startsWith':
        if (typeof operand !== 'string') throw wrong(at, '"startsWith" takes a text.');
        return `(jsonb_typeof(${member}) = 'string' and starts_with(${member} #>> '{}', ${bind(operand)}::text))`;
      case 'exists':
        return operand === false ? `${member} is null` : `${member} is not null`;
      default: {
        const symbol = Object.hasOwn(COMPARISONS, operator) ? COMPARISONS[operator] : undefined;
        if (symbol === undefined) {
          throw wrong(
            at,
            `"${operator}" is not an operator; use =, !=, >, >=, <, <=, in, contains, startsWith or exists.`,
          );
        }
        if (typeof operand !== 'number' && typeof operand !== 'string') {
          throw wrong(at, `"${operator}" compares with a number or a text.`);
        }
        // Numbers with numbers, texts with texts: jsonb would order different types in its own way.
        return `(jsonb_typeof(${member}) = '${typeof operand}' and ${member} ${symbol} ${text()}::text::jsonb)`;
      }
    }
  };

  return filter(where, pointer);
}

/** What is wrong with a filter, and where. */
export function wrong(pointer: string, message: string): Failure {
  return new Failure('REQUEST_INVALID', message, { problems: [{ pointer, message }] });
}
