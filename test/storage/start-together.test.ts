/** Processes that start at the same moment on an empty database, or in a month that has no tables yet. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootstrap } from '../../src/access/tokens.ts';
import { createIds } from '../../src/ids.ts';
import type { Database } from '../../src/storage/database.ts';
import { makePartitions, migrate } from '../../src/storage/migrate.ts';
import { openServer } from '../../src/storage/server.ts';
import { systemClock } from '../../src/time.ts';
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

  it('make the schema once', async () => {
    const applied = await Promise.all(processes.map(migrate));
    const [row] =
      (await processes[0]?.query<{ n: number }>('select count(*)::int as n from schema_version')) ?? [];
    expect(applied.reduce((sum, each) => sum + each, 0)).toBe(row?.n);
  });

  it('make one account, one user and one admin token, which one of them gets to show', async () => {
    const ids = createIds(systemClock);
    const made = await Promise.all(processes.map((each) => bootstrap(each, systemClock, ids, undefined)));
    expect(new Set(made.map((each) => each.accountId)).size).toBe(1);
    expect(made.filter((each) => each.made !== undefined)).toHaveLength(1);
    const counts = await processes[0]?.query(
      `select (select count(*)::int from account) as accounts, (select count(*)::int from app_user) as users,
         (select count(*)::int from token) as tokens`,
    );
    expect(counts).toEqual([{ accounts: 1, users: 1, tokens: 1 }]);
    const later = await Promise.all(processes.map((each) => bootstrap(each, systemClock, ids, undefined)));
    expect(later.filter((each) => each.made !== undefined)).toEqual([]);
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
