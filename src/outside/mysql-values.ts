/** Values of MySQL and MariaDB as JSON, and values to bind. */
import mysql from 'mysql2';
import { setOwn } from '../json.ts';

const TIMESTAMP = 7;
const DATETIME = 12;

export interface MysqlColumn {
  readonly name: string;
  readonly type: number;
}

/**
 * A row as an object. Numbers that fit are numbers, `bigint` beyond 2^53 and `decimal` are text, times are ISO 8601 (a
 * `timestamp` with `Z`, a `datetime` without), bytes are base64, JSON is itself.
 */
export function mysqlRow(
  columns: readonly MysqlColumn[],
  values: readonly unknown[],
): Readonly<Record<string, unknown>> {
  const row: Record<string, unknown> = {};
  columns.forEach(({ name, type }, index) => {
    const value = values[index];
    if (value instanceof Uint8Array) setOwn(row, name, Buffer.from(value).toString('base64'));
    else if (typeof value === 'string' && (type === TIMESTAMP || type === DATETIME)) {
      setOwn(row, name, `${value.replace(' ', 'T')}${type === TIMESTAMP ? 'Z' : ''}`);
    } else setOwn(row, name, value ?? null);
  });
  return row;
}

/** A value to bind: whole numbers as integers (LIMIT takes no others), objects and arrays as JSON text. */
export function mysqlParameter(value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? mysql.TypedParameter.LONGLONG(value) : value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return typeof value === 'object' ? JSON.stringify(value) : value;
}
