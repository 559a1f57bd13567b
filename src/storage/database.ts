/**
 * The database as the rest of storage sees it: one way to ask, one way to be atomic. Two adapters keep this contract,
 * `server.ts` (PostgreSQL) and `embedded.ts` (PGlite in a worker thread); one conformance suite runs on both.
 *
 * Parameters are strings, numbers, booleans, Dates, bytes, null, and arrays of strings and numbers (times in arrays travel
 * as milliseconds, booleans as 0 and 1: postgres.js takes other arrays for scalars). JSON travels as text and is cast
 * in the statement (`$1::text::jsonb`), because the two drivers disagree about JSON parameters.
 * Results: `int8` and `numeric` casts come as numbers, times as Date, `json`/`jsonb` parsed, `bytea` as bytes.
 */
import { asFailure, Failure } from '../errors.ts';
import { own } from '../json.ts';

export type SqlValue =
  | string
  | number
  | boolean
  | Date
  | Uint8Array
  | null
  | readonly (string | number | null)[];

/** Whether the database refused what it was given (SQLSTATE classes 22, 23, 42, 54), so that asking again is in vain. */
export function refusesValues(thrown: unknown): boolean {
  return /^(22|23|42|54)[0-9A-Z]{3}$/.test(String(own(thrown, 'code')));
}

/** Whether the database could not be asked just now: the driver's own codes and all other SQLSTATEs. */
export function isOutage(thrown: unknown): boolean {
  const code = own(thrown, 'code');
  if (thrown instanceof Failure || typeof code !== 'string') return isClosed(thrown);
  return !code.startsWith('ERR_') && !refusesValues(thrown);
}

/** Whether the disk of the database is full (SQLSTATE 53100). */
export function isFull(thrown: unknown): boolean {
  return own(thrown, 'code') === '53100';
}

/** What a log says of something thrown: that the database does not answer, where that is all. */
export function databaseFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure || !isOutage(thrown)) return asFailure(thrown);
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new Failure('DATABASE_UNREACHABLE', `The database does not answer (${text}).`, { cause: thrown });
}

/** Whether the database was closed by this process. */
export function isClosed(thrown: unknown): boolean {
  return CLOSED.has(String(own(thrown, 'code')));
}

const CLOSED: ReadonlySet<string> = new Set(['SHUTDOWN', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED']);

/**
 * How every connection plans. A prepared plan that was made while a table was small and is kept while it grows must not
 * read it whole for each row of a batch. Compiling plans costs more than our statements do.
 */
export const PLANNING = { enable_seqscan: 'off', jit: 'off' } as const;

export interface Sql {
  /**
   * Runs one prepared statement. `authored` says that its text follows what people wrote, such as filters: of those there
   * is no end, and a prepared statement is never forgotten, so that only the first ones are prepared.
   */
  readonly query: <Row = Record<string, unknown>>(
    text: string,
    values?: readonly SqlValue[],
    authored?: 'authored',
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
