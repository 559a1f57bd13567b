/** Pages over what waits are read in the order of the index, however much waits: none reads or sorts what others did. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FIRST_ID } from '../../src/storage/claim.ts';
import type { Sql } from '../../src/storage/database.ts';
import { stopWaiting, unparkPage } from '../../src/storage/stop-launch.ts';
import { databaseKinds, openTestDatabase, type TestDatabase } from '../support/database.ts';

const kinds = await databaseKinds();
const ID = '00000000-0000-4000-8000-000000000001';

describe.each(kinds)('a page of what waits, on the %s database', (kind) => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await openTestDatabase(kind, Date.now());
    const { database } = test;
    await database.query("insert into lane (key, channel_id, created_at) values ('full', 1, now())");
    await database.query(
      `insert into waiting (id, lane_id, due_at, pipeline, message_id, channel_version_id)
       select gen_random_uuid(), (select id from lane where key = 'full'), '9999-01-01T00:00:00Z', 1, gen_random_uuid(), 1
       from generate_series(1, 20000)`,
    );
    await database.query('analyze waiting');
  });
  afterAll(() => test.end());

  /** How the database finds the page that a statement looks at, as lines. */
  const planOf = async (ask: (sql: Sql) => Promise<unknown>): Promise<string> => {
    let plan = '';
    const explaining: Sql = {
      query: async (text, values) => {
        const rows = await test.database.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
        plan = rows.map((row) => row['QUERY PLAN']).join('\n');
        return [];
      },
    };
    await ask(explaining);
    const [, page = ''] = plan.split('CTE page');
    return page.split('CTE ', 1)[0] ?? '';
  };

  it.each<[string, (sql: Sql) => Promise<unknown>]>([
    ['stopped', (sql) => stopWaiting(sql, ID, 1, { dueMs: 0, afterId: FIRST_ID }, true, 1_000, 0)],
    ['stopped later', (sql) => stopWaiting(sql, ID, 1, { dueMs: 0, afterId: FIRST_ID }, false, 1_000, 0)],
    ['resumed', (sql) => unparkPage(sql, ID, 1, FIRST_ID, 1_000, 0)],
  ])('%s', async (_what, ask) => {
    const plan = await planOf(ask);
    expect(plan).toMatch(/Index Scan using waiting_in_order/);
    expect(plan).toMatch(/Index Cond: .*uuid_send/);
    expect(plan).not.toMatch(/Sort/);
  });
});
