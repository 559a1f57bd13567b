/** Processes that start at the same moment on books that are empty, or in a month that has no tables yet. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { makePartitions, migrate } from '../../src/storage/migrate.ts';
import { openServer } from '../../src/storage/server.ts';
import { createServerDatabase, serverReachable } from '../support/database.ts';

const TOGETHER = 4;

describe.skipIf(!(await serverReachable()))('four processes on a PostgreSQL server (needs one)', () => {
  let drop: () => Promise<unknown>;
  let processes: Database[] = [];
  beforeAll(async () => {
    const fresh = await createServerDatabase();
    drop = fresh.drop;
    const opening = Array.from({ length: TOGETHER }, () => openServer({ url: fresh.url, connections: 2 }));
    processes = await Promise.all(opening);
  });
  afterAll(async () => {
    await Promise.all(processes.map((each) => each.close()));
    await drop();
  });

  it('make the books once', async () => {
    const applied = await Promise.all(processes.map(migrate));
    const [row] =
      (await processes[0]?.query<{ n: number }>('select count(*)::int as n from schema_version')) ?? [];
    expect(applied.reduce((sum, each) => sum + each, 0)).toBe(row?.n);
  });

  it('make the tables of a month once', async () => {
    for (let year = 2040; year < 2044; year += 1) {
      await Promise.all(processes.map((each) => makePartitions(each, Date.UTC(year, 5, 1))));
    }
    const made = await processes[0]?.query(
      `select from pg_class where relname ~ '^message_204[0-3]' and relkind = 'r'`,
    );
    expect(made).toHaveLength(4 * 4);
  });
});
