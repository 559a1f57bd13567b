/**
 * The database as the rest of storage sees it: one way to ask, one way to be atomic. Two adapters keep this contract,
 * `server.ts` (PostgreSQL) and `embedded.ts` (PGlite in a worker thread); one conformance suite runs on both.
 *
 * Parameters are strings, numbers, booleans, Dates, bytes, null, and arrays of strings and numbers (times in arrays travel
 * as milliseconds, booleans as 0 and 1: postgres.js takes other arrays for scalars). JSON travels as text and is cast
 * in the statement (`$1::text::jsonb`), because the two drivers disagree about JSON parameters.
 * Results: `int8` and `numeric` casts come as numbers, times as Date, `json`/`jsonb` parsed, `bytea` as bytes.
 */
export type SqlValue =
  | string
  | number
  | boolean
  | Date
  | Uint8Array
  | null
  | readonly (string | number | null)[];

export interface Sql {
  /** Runs one prepared statement. */
  readonly query: <Row = Record<string, unknown>>(
    text: string,
    values?: readonly SqlValue[],
  ) => Promise<Row[]>;
}

export interface Database extends Sql {
  readonly kind: 'server' | 'embedded';
  /** Runs statements atomically. Inside, only `tx` may be used, and nothing but the database awaited. */
  readonly transaction: <T>(run: (tx: Sql) => Promise<T>) => Promise<T>;
  /** Runs a text of several statements without parameters, for migrations. */
  readonly script: (text: string) => Promise<void>;
  /** Tells every process on this database that something waits. */
  readonly wake: (topic: string) => Promise<void>;
  /** Calls back on each `wake` of any process; gives a function that stops it. */
  readonly onWake: (listener: (topic: string) => void) => Promise<() => void>;
  readonly close: () => Promise<void>;
}
