/** Texts of the formats of `unpack` as values. Messages name the place and never quote: bodies may hold secrets. */
import { CsvError, parse as parseCsvRows } from 'csv-parse/sync';
import { Failure } from '../errors.ts';
import { setOwn } from '../json.ts';
import { jsonFaultAt } from './json-fault.ts';
import { placeOf } from './place.ts';

/** The value of a JSON text. Keys such as `__proto__` are ordinary members. Throws PARSE_FAILED. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(
      'PARSE_FAILED',
      `The body is not JSON: ${jsonFault(text)} at ${placeOf(text, jsonFaultAt(text))}.`,
    );
  }
}

function jsonFault(text: string): string {
  if (text.trim() === '') return 'it is empty';
  return jsonFaultAt(text) === text.length ? 'it ends too early' : 'a character cannot stand there';
}

/** The values of a text with one JSON value a line; empty lines are passed over. Throws PARSE_FAILED. */
export function parseNdjson(text: string): readonly unknown[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line)];
    } catch {
      const column = jsonFaultAt(line) + 1;
      throw new Failure(
        'PARSE_FAILED',
        `The body is not NDJSON: line ${index + 1} is not one JSON value, at column ${column}.`,
      );
    }
  });
}

/** The fields of a form body; a name that stands more than once has all its values, in order, in an array. */
export function parseForm(text: string): Readonly<Record<string, string | readonly string[]>> {
  const values = new Map<string, string[]>();
  // Not URLSearchParams: on a megabyte of "a&a&a&" its constructor holds the thread for seconds.
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decodeFormText(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decodeFormText(pair.slice(equals + 1));
    const before = values.get(name);
    if (before === undefined) values.set(name, [value]);
    else before.push(value);
  }
  const form: Record<string, string | readonly string[]> = {};
  for (const [name, each] of values) setOwn(form, name, each.length === 1 ? each[0] : each);
  return form;
}

/** What is no escape stays as it is, what is no UTF-8 becomes U+FFFD. */
function decodeFormText(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replace(/(?:%[\dA-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}

/** The rows of a CSV text with commas, as objects named by its first row. Throws PARSE_FAILED. */
export function parseCsv(text: string): readonly Readonly<Record<string, string>>[] {
  const [header, ...rows] = csvRows(text);
  if (header === undefined) return [];
  const seen = new Set<string>();
  const repeated = header.findIndex((name) => seen.has(name) || !seen.add(name));
  if (repeated >= 0) {
    throw new Failure(
      'PARSE_FAILED',
      `The body is not usable CSV: column ${repeated + 1} has the same name as an earlier column.`,
    );
  }
  return rows.map((row) => {
    const record: Record<string, string> = {};
    header.forEach((name, index) => {
      setOwn(record, name, row[index]);
    });
    return record;
  });
}

/** The rows of a CSV text with commas, as their cells; empty lines are passed over. Throws PARSE_FAILED. */
export function csvRows(text: string): readonly (readonly string[])[] {
  try {
    return parseCsvRows(text, { skip_empty_lines: true });
  } catch (thrown) {
    if (!(thrown instanceof CsvError)) throw thrown;
    const reason =
      thrown.code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH'
        ? 'a row has more or fewer fields than the header'
        : 'a quote is wrong or not closed';
    throw new Failure('PARSE_FAILED', `The body is not CSV: ${reason} at line ${String(thrown.lines)}.`);
  }
}
