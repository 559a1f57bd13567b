/** Lists as CSV (RFC 4180), written page by page as fast as the reader takes them. */
import { stringify } from 'csv-stringify/sync';
import type { ApiAnswer } from './route.ts';

export type Cell = string | number | boolean | Date | null | undefined;
export type CsvRow = Readonly<Record<string, Cell>>;

/** The media type, for `answers` of routes that also speak CSV. */
export const CSV_TYPE = 'text/csv';

/** True where a caller asks for CSV and not for anything else that we could give instead. */
export function wantsCsv(accept: string): boolean {
  return /(^|[\s,])text\/csv\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(accept);
}

/** An answer whose rows are asked for page by page, no page empty; the line of names comes even where there is no row. */
export function csvAnswer(
  name: string,
  columns: readonly string[],
  pages: AsyncIterator<readonly CsvRow[], void>,
): ApiAnswer {
  let started = false;
  const body = new ReadableStream<Uint8Array>({
    pull: async (stream) => {
      const page = await pages.next();
      const text = csvText(columns, page.done === true ? [] : page.value, !started);
      started = true;
      // A pull that gives nothing is not repeated, so every page but the last has rows.
      if (text !== '') stream.enqueue(Buffer.from(text));
      if (page.done === true) stream.close();
    },
    cancel: async () => {
      await pages.return?.();
    },
  });
  return {
    status: 200,
    body,
    contentType: `${CSV_TYPE}; charset=utf-8`,
    headers: { 'content-disposition': `attachment; filename="${name}.csv"` },
  };
}

/** The rows as CSV, with or without the line of column names. */
function csvText(columns: readonly string[], rows: readonly CsvRow[], header: boolean): string {
  const cells = rows.map((row) => columns.map((column) => row[column]));
  return stringify(header ? [[...columns], ...cells] : cells, {
    record_delimiter: 'windows',
    cast: { string: (text) => withoutFormula(text), date: (moment) => moment.toISOString(), boolean: String },
  });
}

/** Spreadsheets run what begins like a formula; numbers and phone numbers may keep their sign. */
function withoutFormula(text: string): string {
  return /^[=@\t\r]|^[+-](?![\d\s().-]*$)/.test(text) ? `'${text}` : text;
}
