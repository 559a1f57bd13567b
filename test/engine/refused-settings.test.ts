/** Settings that only show to be wrong when they are used: the sentence names the setting, and holds no secret. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { openTestDatabase, serverReachable } from '../support/database.ts';
import { startEngine } from '../support/engine.ts';

const reachable = await serverReachable();

let folder = '';
let taken: Server;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluiceway-refused-'));
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  taken.close();
  await rm(folder, { recursive: true, force: true });
});

const refusalOf = (settings: Record<string, string>) =>
  startEngine({ SLUICEWAY_DATA: join(folder, 'data'), ...settings }).then(
    async (engine) => {
      await engine.end('SIGKILL');
      return 'it started';
    },
    (thrown: Error) => thrown.message,
  );

it('a port that another process has', async () => {
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  expect(await refusalOf({ SLUICEWAY_PORT: String(port) })).toContain(
    `127.0.0.1:${port}: another process listens there already. Stop it, or choose another SLUICEWAY_PORT.`,
  );
});

it.skipIf(!reachable)(
  'a taken port, on a server: the process leaves no node behind that has to be found lost',
  async () => {
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const test = await openTestDatabase('server', Date.now());
    try {
      const refusal = await refusalOf({
        DATABASE_URL: test.url ?? '',
        SLUICEWAY_SECRET_KEY: Buffer.alloc(32, 1).toString('base64'),
        SLUICEWAY_PORT: String(port),
      });
      expect(refusal).toContain('another process listens there already');
      expect(await test.database.query('select id from node')).toEqual([]);
    } finally {
      await test.end();
    }
  },
);

it('an address of a database that is none', async () => {
  const refusal = await refusalOf({ DATABASE_URL: 'postgres://user:hunter2@tail@127.0.0.1:99999/books' });
  expect(refusal).toContain('DATABASE_URL cannot be read. It must look like postgres://');
  expect(refusal).not.toMatch(/hunter2|tail/);
});

it('a secret key that is not the one of the database', async () => {
  const [first, second] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64'));
  const data = { SLUICEWAY_DATA: join(folder, 'keyed') };
  expect(await refusalOf({ ...data, SLUICEWAY_SECRET_KEY: `${first}` })).toBe('it started');
  const refusal = await refusalOf({ ...data, SLUICEWAY_SECRET_KEY: `${second}` });
  expect(refusal).toContain(
    'SLUICEWAY_SECRET_KEY is not the key with which the secrets of this database were encrypted',
  );
  expect(refusal).not.toContain(second);
  expect(await refusalOf({ ...data, SLUICEWAY_SECRET_KEY: `${second},${first}` })).toBe('it started');
});

it.each(['foo', 'example.com', 'ftp://example.com', 'http://'])('a public address such as %s', (url) => {
  expect(() => readConfig({ SLUICEWAY_PUBLIC_URL: url })).toThrow(/SLUICEWAY_PUBLIC_URL must be an address/);
});
