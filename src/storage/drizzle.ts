/**
 * The query builder. It only writes SQL here; `statement.ts` runs it. No driver of ours is given to it, because it
 * changes the parsers of the client that it gets (docs/decisions/0012).
 *
 * Loaded as CommonJS: loaded as modules of ECMAScript, Node reads the library's package.json of 180 kB again for each of
 * its files, which takes ten times as long.
 */
import { createRequire } from 'node:module';

type Operators = typeof import('drizzle-orm');
type Columns = typeof import('drizzle-orm/pg-core');
type Proxy = typeof import('drizzle-orm/pg-proxy');

const load = createRequire(import.meta.url);
const operators: Operators = load('drizzle-orm');
const columns: Columns = load('drizzle-orm/pg-core');
const proxy: Proxy = load('drizzle-orm/pg-proxy');

export const {
  and,
  asc,
  Column,
  count,
  desc,
  eq,
  exists,
  getTableColumns,
  gt,
  gte,
  inArray,
  is,
  isNotNull,
  isNull,
} = operators;
export const { lt, lte, max, min, ne, not, notExists, or, Placeholder, sql, SQL, sum } = operators;
export const { alias, bigint, boolean, customType, doublePrecision, integer, numeric, PgDialect, pgTable } =
  columns;
export const { smallint, text, uuid } = columns;
export const { drizzle } = proxy;
