/** Pieces of statements that the query builder has no words for. */
import type { SQL } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { sql } from './drizzle.ts';

/** A JSON text as the value of a `json` column: the two drivers disagree about JSON parameters. */
export function jsonText(text: SQL<string | null> | string | null): SQL {
  return sql`${text}::text::json`;
}

/** A JSON text as the value of a `jsonb` column. */
export function jsonbText(text: SQL<string | null> | string | null): SQL {
  return sql`${text}::text::jsonb`;
}

/** Whether a column has one of the values of an array. */
export function isAnyOf(column: PgColumn, values: SQL<readonly (string | number | null)[]>): SQL {
  return sql`${column} = any(${values}::${sql.raw(column.getSQLType())}[])`;
}

/** The value that a conflicting row was to get. */
export function excluded(column: PgColumn): SQL {
  return sql`excluded.${sql.identifier(column.name)}`;
}
