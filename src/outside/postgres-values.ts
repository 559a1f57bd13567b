/** Values of PostgreSQL as JSON, from and to its text format. */
import { setOwn } from '../json.ts';

const BOOLEAN = 16;
const BYTEA = 17;
const INT8 = 20;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;
const NUMBERS = new Set([21, 23, 26, 700, 701]);
const JSONS = new Set([114, 3802]);

/** Array types of the usual elements. Others stay as the text of the database. */
const ELEMENTS: ReadonlyMap<number, number> = new Map([
  [1000, BOOLEAN],
  [1001, BYTEA],
  [1005, 21],
  [1007, 23],
  [1016, INT8],
  [1021, 700],
  [1022, 701],
  [1028, 26],
  [199, 114],
  [3807, 3802],
  [1115, TIMESTAMP],
  [1185, TIMESTAMPTZ],
  [1182, 1082],
  [1183, 1083],
  [1009, 25],
  [1015, 1043],
  [1014, 1042],
  [1003, 19],
  [1231, 1700],
  [2951, 2950],
]);

export interface Column {
  readonly name: string;
  readonly type: number;
}

/**
 * A row of text values as an object. Numbers that fit are numbers, `bigint` beyond 2^53 and `numeric` are text, times are
 * ISO 8601 (with `Z` where the type has a zone), bytes are base64, JSON is itself, arrays are arrays, all else is text.
 */
export function postgresRow(
  columns: readonly Column[],
  values: readonly (Buffer | null)[],
): Readonly<Record<string, unknown>> {
  const row: Record<string, unknown> = {};
  columns.forEach(({ name, type }, index) => {
    const value = values[index];
    setOwn(
      row,
      name,
      value === null || value === undefined ? null : postgresValue(value.toString('utf8'), type),
    );
  });
  return row;
}

function postgresValue(text: string, type: number): unknown {
  if (NUMBERS.has(type)) return numberOf(text);
  if (JSONS.has(type)) return JSON.parse(text);
  const element = ELEMENTS.get(type);
  if (element !== undefined) return parseArray(text, element);
  switch (type) {
    case BOOLEAN:
      return text === 't';
    case INT8:
      return Number.isSafeInteger(Number(text)) ? Number(text) : text;
    case BYTEA:
      return Buffer.from(text.slice(2), 'hex').toString('base64');
    case TIMESTAMP:
      return text.replace(' ', 'T');
    case TIMESTAMPTZ:
      // The session is in UTC. Years before Christ, and infinity, stay as they are.
      return text.endsWith('+00') ? `${text.slice(0, -3).replace(' ', 'T')}Z` : text;
    default:
      return text;
  }
}

/** NaN and infinity have no JSON and stay text. */
function numberOf(text: string): number | string {
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}

/** An array literal such as `{1,NULL,{"a \"b\""}}`; what stands before it are bounds (`[0:1]={…}`). */
function parseArray(text: string, element: number): unknown {
  let position = text.indexOf('{');
  const list = (): unknown[] => {
    const items: unknown[] = [];
    position += 1;
    while (position < text.length && text[position] !== '}') {
      if (text[position] === ',') position += 1;
      else if (text[position] === '{') items.push(list());
      else items.push(item());
    }
    position += 1;
    return items;
  };
  const item = (): unknown => {
    if (text[position] !== '"') {
      const start = position;
      while (position < text.length && text[position] !== ',' && text[position] !== '}') position += 1;
      const bare = text.slice(start, position);
      return bare === 'NULL' ? null : postgresValue(bare, element);
    }
    let quoted = '';
    for (position += 1; position < text.length && text[position] !== '"'; position += 1) {
      if (text[position] === '\\') position += 1;
      quoted += text[position];
    }
    position += 1;
    return postgresValue(quoted, element);
  };
  return list();
}

/** A value to bind, as text whose type the database infers; objects and arrays as JSON. Bytes stay bytes. */
export function postgresParameter(value: unknown): string | Buffer | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Text for a `bytea`. */
export function serializeBytea(value: unknown): unknown {
  return value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : value;
}

/** Text for every other type: bytes are their UTF-8. */
export function serializeText(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value;
}
