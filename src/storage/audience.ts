/** Audiences as conditions on profiles: `{ "all": true }`, `{ "profiles": [external ids] }`, or `{ "where": filter }`. */
import { unstorable } from '../channel/unstorable.ts';
import { isObject } from '../json.ts';
import type { SqlValue } from './database.ts';
import { filterCondition, wrong } from './filter.ts';
import type { AudienceCondition } from './launches.ts';

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
  const unsound = unstorable(audience, pointer);
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
  const fields: { name: string; pointer: string }[] = [];
  const text = filterCondition(audience.where, `${pointer}/where`, {
    bind,
    member: (field, at, operator) => {
      // Whether people have a field at all may be asked for any name.
      if (operator !== 'exists') fields.push({ name: field, pointer: at });
      return `p.fields -> ${bind(field)}::text`;
    },
    example: '{ "country": "DE" } or { "age": { ">=": 18 } }',
  });
  return { text, values, fields };
}
