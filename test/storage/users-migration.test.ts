/** Accounts, tokens and audit of a database from before there were users. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { isUuid } from '../../src/ids.ts';
import type { Database } from '../../src/storage/database.ts';
import { openEmbedded } from '../../src/storage/embedded.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openServer } from '../../src/storage/server.ts';
import { createServerDatabase, serverReachable } from '../support/database.ts';

const FIRST = new URL('../../src/storage/migrations/0001_ground.sql', import.meta.url);
const id = (number: number) => `018f0000-0000-7000-8000-${String(number).padStart(12, '0')}`;
const reachable = await serverReachable();

async function open(kind: 'embedded' | 'server'): Promise<{ database: Database; end: () => Promise<void> }> {
  if (kind === 'embedded') {
    const database = await openEmbedded();
    return { database, end: database.close };
  }
  const fresh = await createServerDatabase();
  const database = await openServer({ url: fresh.url, connections: 2 });
  const end = async () => {
    await database.close();
    await fresh.drop();
  };
  return { database, end };
}

for (const kind of ['embedded', 'server'] as const) {
  describe.skipIf(kind === 'server' && !reachable)(`books without users, ${kind}`, () => {
    it('get one admin for each account, to whom its tokens and their changes belong', async () => {
      const { database, end } = await open(kind);
      try {
        await database.script(await readFile(FIRST, 'utf8'));
        await database.script(`
          create table schema_version (version int primary key, applied_at timestamptz not null default now());
          insert into schema_version (version) values (1);
          insert into account values ('${id(1)}', 'one', now()), ('${id(2)}', 'two', now()), ('${id(3)}', 'none', now());
          insert into token (id, account_id, name, role, hash, created_at) values
            ('${id(11)}', '${id(1)}', 'a', 'admin', 'h1', now()), ('${id(12)}', '${id(1)}', 'b', 'viewer', 'h2', now()),
            ('${id(13)}', '${id(2)}', 'c', 'editor', 'h3', now());
          insert into audit (id, account_id, token_id, action, subject, at) values
            ('${id(21)}', '${id(1)}', '${id(12)}', 'x', 'y', now()), ('${id(22)}', '${id(1)}', null, 'x', 'y', now());`);
        await migrate(database);
        const users = await database.query<{ id: string; account_id: string }>(
          'select id, account_id, email, role, password_hash, status from app_user order by account_id',
        );
        expect(users).toMatchObject(
          [1, 2, 3].map((each) => ({
            account_id: id(each),
            email: 'admin@localhost',
            role: 'admin',
            password_hash: null,
            status: 'active',
          })),
        );
        expect(new Set(users.map((user) => user.id)).size).toBe(3);
        for (const user of users) {
          expect(isUuid(user.id)).toBe(true);
          expect(user.id[14]).toBe('7');
        }
        const tokens = await database.query('select user_id, kind, role from token order by id');
        expect(tokens).toEqual([
          { user_id: users[0]?.id, kind: 'api', role: 'admin' },
          { user_id: users[0]?.id, kind: 'api', role: 'viewer' },
          { user_id: users[1]?.id, kind: 'api', role: 'editor' },
        ]);
        const audit = await database.query('select user_id from audit order by id');
        expect(audit).toEqual([{ user_id: users[0]?.id }, { user_id: null }]);
      } finally {
        await end();
      }
    });
  });
}
