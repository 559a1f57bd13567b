/** The types of columns that drizzle has otherwise: values are what our two drivers take and give. */
import { customType, sql } from './drizzle.ts';

/** A moment, as a Date. */
export const timestamptz = customType<{ data: Date }>({ dataType: () => 'timestamp with time zone' });

export const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' });

export const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

/** JSON is read as a value, and travels as text with a cast: the two drivers disagree about JSON parameters. */
export function json<T>() {
  return jsonColumn<T>('json');
}

export function jsonb<T>() {
  return jsonColumn<T>('jsonb');
}

function jsonColumn<T>(type: 'json' | 'jsonb') {
  return customType<{ data: T }>({
    dataType: () => type,
    toDriver: (value) => sql`${JSON.stringify(value)}::text::${sql.raw(type)}`,
  })();
}
