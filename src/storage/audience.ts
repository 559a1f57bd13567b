/**
 * Audiences as conditions on profiles: `{ "all": true }`, `{ "profiles": [external ids] }`, or `{ "where": filter }`.
 *
 * A filter is `{ "field": value }`, `{ "field": { "op": value } }`, `{ "and": [...] }`, `{ "or": [...] }`, `{ "not": filter }`.
 * Operators: `=`, `!=`, `>`, `>=`, `<`, `<=`, `in`, `contains`, `exists`. Values are always bound.
 */
import { unfit } from '../channel/unfit.ts';
import { Failure } from '../errors.ts';
import { isObject, pointerTo } from '../json.ts';
import type { SqlValue } from './database.ts';
import type { AudienceCondition } from './launches.ts';

const COMPARISONS: Readonly<Record<string, string>> = { '>': '>', '>=': '>=', '<': '<', '<=': '<=' };
const MOST_CONDITIONS = 100;

/** Compiles an audience for profile `p`; bound values are numbered from `$first` on. Throws REQUEST_INVALID. */
export function audienceCondition(
  audience: unknown,
  first: number,
  pointer = '/audience',
): AudienceCondition {
  const values: SqlValue[] = [];
  const bind = (value: SqlValue) => {
    values.push(value);
    return `$${first + values.length - 1}`;
  };
  let conditions = 0;

  const filter = (written: unknown, at: string): string => {
    conditions += 1;
    if (conditions > MOST_CONDITIONS) throw wrong(at, `A filter has at most ${MOST_CONDITIONS} conditions.`);
    if (!isObject(written) || Object.keys(written).length === 0) {
      throw wrong(at, 'A filter is an object such as { "country": "DE" } or { "age": { ">=": 18 } }.');
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
    const member = `p.fields -> ${bind(field)}::text`;
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
      case 'exists':
        return operand === false ? `${member} is null` : `${member} is not null`;
      default: {
        const symbol = Object.hasOwn(COMPARISONS, operator) ? COMPARISONS[operator] : undefined;
        if (symbol === undefined) {
          throw wrong(
            at,
            `"${operator}" is not an operator; use =, !=, >, >=, <, <=, in, contains or exists.`,
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

  const unsound = unfit(audience, pointer);
  if (unsound !== undefined) throw wrong(unsound.pointer ?? pointer, `The audience ${unsound.message}.`);
  if (!isObject(audience) || Object.keys(audience).length !== 1) {
    throw wrong(
      pointer,
      'An audience is { "all": true }, { "profiles": [external ids] } or { "where": filter }.',
    );
  }
  if (audience.all === true) return { text: 'true', values: [] };
  if (Array.isArray(audience.profiles)) {
    if (!audience.profiles.every((each) => typeof each === 'string')) {
      throw wrong(`${pointer}/profiles`, 'Profiles are named by their external ids, which are texts.');
    }
    return {
      text: `p.external_id = any(${bind(audience.profiles as string[])}::text[])`,
      values,
      named: true,
    };
  }
  if (!Object.hasOwn(audience, 'where')) {
    throw wrong(
      pointer,
      'An audience is { "all": true }, { "profiles": [external ids] } or { "where": filter }.',
    );
  }
  return { text: filter(audience.where, `${pointer}/where`), values };
}

function wrong(pointer: string, message: string): Failure {
  return new Failure('REQUEST_INVALID', message, { problems: [{ pointer, message }] });
}
