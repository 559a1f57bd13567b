/** How much of the database a statement reads: pages, which do not depend on the machine as time does. */
import type { Database, Sql } from '../../src/storage/database.ts';

/** The pages that statements touch, in memory or on disk; of several the sum. */
export async function pagesOf(database: Database, ask: (sql: Sql) => Promise<unknown>): Promise<number> {
  let pages = 0;
  const explaining: Sql = {
    query: async (text, values) => {
      const rows = await database.query<{ 'QUERY PLAN': unknown }>(
        `explain (analyze, buffers, timing off, format json) ${text}`,
        values,
      );
      const plan = JSON.stringify(rows[0]?.['QUERY PLAN']);
      for (const name of ['Shared Hit Blocks', 'Shared Read Blocks']) {
        // The first one is that of the whole plan.
        pages += Number(new RegExp(`"${name}":(\\d+)`).exec(plan)?.[1]);
      }
      return [];
    },
  };
  await ask(explaining);
  return pages;
}
