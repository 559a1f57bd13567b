/** A program on books that a newer one has changed: it goes on where it can, or says so and touches nothing. */
import postgres from 'postgres';
import { afterEach, expect, it } from 'vitest';
import { migrate } from '../../src/storage/migrate.ts';
import { openServer } from '../../src/storage/server.ts';
import { createServerDatabase, serverReachable } from '../support/database.ts';
import { startEngine } from '../support/engine.ts';

const reachable = await serverReachable();
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const REFUSAL =
  /ended with 1 before it was ready: sluiceway: The database has schema 9999, but this program knows schemas up to \d+\. Start a newer Sluiceway; this one would damage the database\./;
const NEWER = 'insert into schema_version (version) values (9999)';
const COMPATIBLE = 'insert into schema_version (version, breaking) values (9998, false)';

async function refusalOf(settings: Record<string, string>): Promise<string> {
  return startEngine(settings).then(
    async (engine) => {
      await engine.end('SIGKILL');
      return 'it started';
    },
    (thrown: Error) => thrown.message,
  );
}

it.skipIf(!reachable)('refuses a newer schema with a sentence that says what to do', async () => {
  const fresh = await createServerDatabase();
  ends.push(fresh.drop);
  const database = await openServer({ url: fresh.url, connections: 2 });
  await migrate(database);
  await database.query(NEWER);
  await database.close();
  expect(await refusalOf({ DATABASE_URL: fresh.url })).toMatch(REFUSAL);
  const books = postgres(fresh.url, { max: 1 });
  expect([...(await books`select count(*)::int as nodes from node`)]).toEqual([{ nodes: 0 }]);
  await books.end();
});

it.skipIf(!reachable)('works on what a newer one changed in a way that it can go on with', async () => {
  const fresh = await createServerDatabase();
  ends.push(fresh.drop);
  const database = await openServer({ url: fresh.url, connections: 2 });
  ends.push(() => database.close());
  await migrate(database);
  await database.query(COMPATIBLE);
  const engine = await startEngine({ DATABASE_URL: fresh.url });
  try {
    expect((await engine.api.get('/channels')).data).not.toEqual([]);
  } finally {
    await engine.end('SIGTERM');
  }
  await database.query(NEWER);
  expect(await refusalOf({ DATABASE_URL: fresh.url })).toMatch(REFUSAL);
});
