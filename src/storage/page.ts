/** Pages of lists, by keyset: from the newest id down, each from the last id of the one before. */
import type { SQL } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { sql } from './drizzle.ts';

export interface PageRequest {
  readonly limit: number;
  /** The last id of the page before; undefined for the first page. */
  readonly before?: string | undefined;
}

/** `limit` + 1 rows, so that one can tell whether there are more, and how many rows there are in all pages. */
export interface PageRows<Row> {
  readonly rows: Row[];
  readonly total: number;
}

/** Returns the values of a page for a statement that uses `isBefore` and `limit`. */
export function pageValues(page: PageRequest): { readonly before: string | null; readonly limit: number } {
  return { before: page.before ?? null, limit: page.limit + 1 };
}

/** Whether a row is behind the last one of the page before; true on the first page. */
export function isBefore(id: PgColumn, before: SQL<string | null>): SQL {
  return sql`(${before}::uuid is null or ${id} < ${before})`;
}

/** Returns the number that a counting statement gave. */
export function totalOf(rows: readonly { readonly total: number }[]): number {
  return rows[0]?.total ?? 0;
}
