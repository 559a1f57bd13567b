/** Messages for an export: one row per recipient. */
import type { Sql } from '../storage/database.ts';
import { type MessageFilter, type MessageRow, readMessages } from '../storage/messages.ts';
import type { CsvRow } from './csv.ts';

/** Rows read at a time: few enough to hold, many enough to be quick. */
const PAGE_ROWS = 1_000;

/** All messages of a filter, newest first, page by page: an export of any size takes the memory of one page. */
export async function* exportMessages(
  sql: Sql,
  accountId: string,
  filter: MessageFilter,
  from: string | undefined,
  show: (row: MessageRow) => CsvRow,
): AsyncGenerator<readonly CsvRow[], void> {
  let before = from;
  for (;;) {
    const rows = await readMessages(sql, accountId, filter, { limit: PAGE_ROWS, before });
    if (rows.length > 0) yield rows.map(show);
    if (rows.length < PAGE_ROWS) return;
    before = rows.at(-1)?.id;
  }
}
