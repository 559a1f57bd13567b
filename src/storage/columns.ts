/** Many rows as the parameters of one statement: an array for each column, each declared once. */
import { arrayText, type ColumnType } from './array-text.ts';
import type { SqlValue } from './database.ts';

/** The name that a column has in the statement, its type there, and how it is read from a row. */
export type Column<T> = readonly [name: string, type: ColumnType, read: (row: T) => string | number | null];

/**
 * Returns rows as a table named `alias` for a `from`: `unnest($3::uuid[], $4::int[]) as r (id, place)`. Appends an array
 * for each column to `values`, the values of the statement from `$1` on.
 */
export function unnestRows<T>(
  values: SqlValue[],
  rows: readonly T[],
  columns: readonly Column<T>[],
  alias = 'r',
): string {
  const arrays = columns.map(([, type, read]) => `$${values.push(arrayText(rows, type, read))}::${type}[]`);
  return `unnest(${arrays.join(', ')}) as ${alias} (${columns.map(([name]) => name).join(', ')})`;
}
