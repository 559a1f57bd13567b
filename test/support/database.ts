/** Databases for tests: an embedded one in memory, or a fresh database on the PostgreSQL server of TEST_DATABASE_URL. */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import type { Database } from '../../src/storage/database.ts';
import { openEmbedded } from '../../src/storage/embedded.ts';
import { makePartitions, migrate } from '../../src/storage/migrate.ts';
import { openServer } from '../../src/storage/server.ts';

export const SERVER_URL = process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test';

/** Whether the server answers. In CI a missing server fails loudly instead of skipping. */
export async function serverReachable(): Promise<boolean> {
  const client = postgres(SERVER_URL, { max: 1, connect_timeout: 3, onnotice: () => {} });
  try {
    await client`select 1`;
    return true;
  } catch (thrown) {
    if (process.env.CI !== undefined) {
      throw new Error(
        `CI needs a PostgreSQL server at TEST_DATABASE_URL, and none answers: ${String(thrown)}`,
      );
    }
    return false;
  } finally {
    await client.end({ timeout: 1 });
  }
}

/** The databases that are there to test on. */
export async function databaseKinds(): Promise<readonly ('embedded' | 'server')[]> {
  return (await serverReachable()) ? ['embedded', 'server'] : ['embedded'];
}

export interface TestDatabase {
  readonly database: Database;
  /** Another connection to the same database; only a server has one. */
  readonly second: () => Promise<Database>;
  readonly url: string | undefined;
  /** Closes, and drops what was made. */
  readonly end: () => Promise<void>;
}

/** An empty database with the current schema and the partitions around `nowMs`. */
export async function openTestDatabase(kind: 'embedded' | 'server', nowMs: number): Promise<TestDatabase> {
  if (kind === 'embedded') {
    const database = await openEmbedded(undefined, process.env.TEST_EMBEDDED_IMAGE);
    await migrate(database);
    await makePartitions(database, nowMs);
    return {
      database,
      url: undefined,
      second: () => Promise.reject(new Error('The embedded database has one connection.')),
      end: () => database.close(),
    };
  }
  const fresh = await createServerDatabase();
  const database = await openServer({ url: fresh.url, connections: 4 });
  await migrate(database);
  await makePartitions(database, nowMs);
  const others: Database[] = [];
  return {
    database,
    url: fresh.url,
    second: async () => {
      const other = await openServer({ url: fresh.url, connections: 2 });
      others.push(other);
      return other;
    },
    end: async () => {
      for (const other of others) await other.close();
      await database.close();
      await fresh.drop();
    },
  };
}

/** A new, empty database on the server, and how to drop it. */
export async function createServerDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `sluiceway_test_${randomBytes(6).toString('hex')}`;
  const admin = postgres(SERVER_URL, { max: 1, onnotice: () => {} });
  await admin.unsafe(`create database ${name}`);
  await admin.end();
  const url = new URL(SERVER_URL);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: async () => {
      const again = postgres(SERVER_URL, { max: 1, onnotice: () => {} });
      await again.unsafe(`drop database if exists ${name} with (force)`);
      await again.end();
    },
  };
}
