/** Lines as rows: NDJSON, one object a line, and CSV, whose rows may go over several lines. */
import { Failure } from '../../../errors.ts';
import { isObject } from '../../../json.ts';
import { csvRows } from '../../../pipes/body-parse.ts';
import type { CsvLine } from './read-lines.ts';

/** What one row says, or why it cannot be read. */
export interface Row {
  /** Its first line, from 1. */
  readonly line: number;
  readonly value: unknown;
  readonly fault?: string;
}

/** Makes an object of the cells of a row; throws for a header that cannot be used, and Failure for a cell. */
export type ReadHeader = (header: readonly string[]) => (cells: readonly string[]) => unknown;

/** A quote that is not closed would swallow the rest of the file; past this it is taken for a mistake. */
const MOST_CHARACTERS = 1_048_576;

/** Rows of NDJSON; empty lines are passed over. */
export async function* readNdjson(source: AsyncIterable<readonly CsvLine[]>): AsyncGenerator<Row[]> {
  for await (const lines of source) {
    yield lines.filter((line) => line.fault !== undefined || line.text.trim() !== '').map(readObject);
  }
}

function readObject({ number, text, fault }: CsvLine): Row {
  if (fault !== undefined) return { line: number, value: undefined, fault };
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? { line: number, value } : wrongRow(number, 'The line is not a JSON object.');
  } catch {
    return wrongRow(number, 'The line is not JSON. NDJSON has one object on each line.');
  }
}

/** Rows of CSV with commas, below a header row. A row that is wrong costs no other row. */
export async function* readCsv(
  source: AsyncIterable<readonly CsvLine[]>,
  readHeader: ReadHeader,
): AsyncGenerator<Row[]> {
  let pending: readonly CsvLine[] = [];
  let columns: number | undefined;
  let read: ReturnType<ReadHeader> | undefined;
  const finish = (raw: readonly RawRow[]): Row[] => {
    const rows: Row[] = [];
    for (const row of raw) {
      if (read !== undefined) rows.push(rowOf(row, columns, read));
      else {
        if (row.cells === undefined)
          throw new Failure('REQUEST_INVALID', `The header row is not right. ${row.fault}`);
        columns = row.cells.length;
        read = readHeader(row.cells);
      }
    }
    return rows;
  };
  for await (const lines of source) {
    const { raw, rest } = assemble(pending.length === 0 ? lines : [...pending, ...lines], false, columns);
    pending = rest;
    yield finish(raw);
  }
  yield finish(assemble(pending, true, columns).raw);
  if (read === undefined)
    throw new Failure('REQUEST_INVALID', 'There is no header row. Name the columns in the first line.');
}

interface RawRow {
  readonly line: number;
  readonly cells?: readonly string[];
  readonly fault?: string;
}

function rowOf(raw: RawRow, columns: number | undefined, read: ReturnType<ReadHeader>): Row {
  const { line, cells, fault } = raw;
  if (cells === undefined) return wrongRow(line, fault ?? BAD_QUOTE);
  if (cells.length !== columns) {
    return wrongRow(line, `The row has ${cells.length} columns, but the header has ${columns}.`);
  }
  try {
    return { line, value: read(cells) };
  } catch (thrown) {
    // A cell that does not fit its column costs its row.
    if (thrown instanceof Failure) return wrongRow(line, thrown.message);
    throw thrown;
  }
}

const BAD_QUOTE = 'A quote in this row is wrong or not closed; inside quotes, write each quote twice.';

/**
 * Whole rows, and the lines that still wait for the end of theirs. Outside of quoted cells the number of quotes is
 * even; where lines that were put together for that reason make no row, only the first of them is given up.
 */
function assemble(
  lines: readonly CsvLine[],
  isLast: boolean,
  columns: number | undefined,
): { raw: RawRow[]; rest: readonly CsvLine[] } {
  const raw: RawRow[] = [];
  let single: CsvLine[] = [];
  const flush = () => {
    raw.push(...parseLines(single));
    single = [];
  };
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] as CsvLine;
    if (line.fault !== undefined) {
      flush();
      raw.push({ line: line.number, fault: line.fault });
    } else if (!hasOddQuotes(line.text)) {
      if (line.text.trim() !== '') single.push(line);
    } else {
      flush();
      const end = endOfRow(lines, index);
      if (end === 'open' && !isLast) return { raw, rest: lines.slice(index) };
      const cells = typeof end === 'number' ? parse(textOf(lines.slice(index, end + 1))) : undefined;
      const row = cells?.length === 1 ? cells[0] : undefined;
      if (row !== undefined && typeof end === 'number' && (columns === undefined || row.length === columns)) {
        raw.push({ line: line.number, cells: row });
        index = end;
      } else raw.push({ line: line.number, fault: BAD_QUOTE });
    }
  }
  flush();
  return { raw, rest: [] };
}

/** The index of the line that closes the quote opened at `start`; `open` where more lines are needed. */
function endOfRow(lines: readonly CsvLine[], start: number): number | 'open' | 'never' {
  let characters = (lines[start] as CsvLine).text.length;
  for (let index = start + 1; index < lines.length; index += 1) {
    const line = lines[index] as CsvLine;
    characters += line.text.length + 1;
    if (line.fault !== undefined || characters > MOST_CHARACTERS) return 'never';
    if (hasOddQuotes(line.text)) return index;
  }
  return 'open';
}

function hasOddQuotes(text: string): boolean {
  let odd = false;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) odd = !odd;
  return odd;
}

/** Parses one-line rows together, and one by one where that fails. */
function parseLines(lines: readonly CsvLine[]): RawRow[] {
  const together = lines.length === 0 ? [] : parse(textOf(lines));
  if (together?.length === lines.length) {
    return together.map((cells, index) => ({ line: (lines[index] as CsvLine).number, cells }));
  }
  return lines.map((line) => {
    const cells = parse(line.text)?.[0];
    return cells === undefined ? { line: line.number, fault: BAD_QUOTE } : { line: line.number, cells };
  });
}

const textOf = (lines: readonly CsvLine[]) => lines.map((line) => line.text).join('\n');

function parse(text: string): readonly (readonly string[])[] | undefined {
  try {
    return csvRows(text);
  } catch {
    return undefined;
  }
}

function wrongRow(line: number, fault: string): Row {
  return { line, value: undefined, fault };
}
