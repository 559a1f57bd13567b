/** Counting wrong passwords, on both databases: a crowd that comes at once gets no more tries than one after the other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIds } from '../../src/ids.ts';
import { insertAccount } from '../../src/storage/accounts.ts';
import { clearTries, countTry, countTryOf } from '../../src/storage/sign-ins.ts';
import { insertUser, readUser, updateUser } from '../../src/storage/users.ts';
import { databaseKinds, openTestDatabase, type TestDatabase } from '../support/database.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const RULE = { most: 10, lockMs: 900_000 };

describe.each(await databaseKinds())('tries, %s', (kind) => {
  let test: TestDatabase;
  const ids = createIds({ now: () => NOW });
  const [one, two] = [ids.next(), ids.next()];
  beforeAll(async () => {
    test = await openTestDatabase(kind, NOW);
    await insertAccount(test.database, { id: one, name: 'one', nowMs: NOW });
    await insertAccount(test.database, { id: two, name: 'two', nowMs: NOW });
  });
  afterAll(() => test.end());

  const user = async (email: string, accountId = one, passwordHash: string | null = 'hash') => {
    const id = ids.next();
    await insertUser(test.database, {
      id,
      accountId,
      email,
      name: 'x',
      role: 'viewer',
      passwordHash,
      nowMs: NOW,
    });
    return id;
  };
  const attempt = (email: string, account?: string, nowMs = NOW) =>
    countTry(test.database, email, account, RULE, nowMs);

  it('are ten for a crowd, and then none for 15 minutes', async () => {
    const id = await user('crowd@example.com');
    const crowd = await Promise.all([
      ...Array.from({ length: 30 }, () => attempt('Crowd@example.com')),
      ...Array.from({ length: 10 }, () => countTryOf(test.database, id, RULE, NOW)),
    ]);
    expect(crowd.filter((row) => row !== undefined)).toHaveLength(10);
    expect(await attempt('crowd@example.com', undefined, NOW + 899_999)).toBeUndefined();
    expect((await attempt('crowd@example.com', undefined, NOW + 900_000))?.id).toBe(id);
  });

  it('begin again after the right password, which is not taken once it was replaced', async () => {
    const id = await user('again@example.com');
    for (let count = 0; count < 9; count += 1) await attempt('again@example.com');
    const tenth = await attempt('again@example.com');
    if (tenth === undefined) throw new Error('The tenth try was refused.');
    expect(tenth.locked_until?.getTime()).toBe(NOW + 900_000);
    expect(await clearTries(test.database, tenth, undefined, NOW)).toMatchObject({ locked_until: null });
    const next = await attempt('again@example.com');
    if (next === undefined) throw new Error('The next try was refused.');
    await updateUser(
      test.database,
      one,
      id,
      { name: 'x', role: 'viewer', status: 'active', passwordHash: 'another' },
      NOW,
    );
    expect(await clearTries(test.database, next, undefined, NOW)).toBeUndefined();
    expect((await readUser(test.database, one, id))?.password_hash).toBe('another');
  });

  it('are of one user: the one with a password, or the one in the named account', async () => {
    const [here, there] = [await user('both@example.com'), await user('both@example.com', two)];
    expect(await attempt('both@example.com')).toBeUndefined();
    expect((await attempt('both@example.com', 'one'))?.id).toBe(here);
    expect((await attempt('both@example.com', 'two'))?.id).toBe(there);
    expect(await attempt('both@example.com', 'three')).toBeUndefined();
    await user('half@example.com', two, null);
    const half = await user('half@example.com');
    expect((await attempt('half@example.com'))?.id).toBe(half);
    expect(await attempt('half@example.com', 'two')).toBeUndefined();
  });
});
