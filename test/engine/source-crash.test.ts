/** Kill -9 in the middle of a sync: it goes on at the page it was at, and nothing comes twice. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { entriesOf, startCms } from '../support/cms-server.ts';
import { createServerDatabase, databaseKinds } from '../support/database.ts';
import { type Running, startEngine, until } from '../support/engine.ts';
import { connectionOf } from '../support/sources.ts';

const ended: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

describe.each((await databaseKinds()).map((kind) => ({ kind })))(
  'a sync on the $kind database',
  ({ kind }) => {
    it('is killed after its second page and goes on at the third', { timeout: 120_000 }, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'sluiceway-source-'));
      ended.push(() => rm(folder, { recursive: true, force: true }));
      const fresh = kind === 'server' ? await createServerDatabase() : undefined;
      if (fresh !== undefined) ended.push(fresh.drop);
      const cms = await startCms('wordpress');
      ended.push(cms.end);
      cms.entries = entriesOf(450);
      const settings = {
        SLUICEWAY_DATA: join(folder, 'data'),
        SLUICEWAY_ALLOW_ADDRESSES: new URL(cms.url).host,
        ...(fresh !== undefined && { DATABASE_URL: fresh.url }),
      };
      const first = await startEngine(settings);
      const last: { running: Running } = { running: first };
      ended.push(() => last.running.end('SIGKILL'));
      // The third page never comes to the first engine.
      cms.onRequest = (number) => (number === 3 ? new Promise<void>(() => {}) : undefined);
      const { id } = await first.api.post('/content-sources', {
        name: 'Blog',
        ...connectionOf('wordpress', cms),
        mappings: { 'title.rendered': 'name', 'content.rendered': 'content.body' },
        channelType: 'sms_text',
        syncMode: 'polling',
        syncIntervalMinutes: 1_440,
      });
      await until(async () => cms.seen.length === 3);
      await first.end('SIGKILL');
      const second = await startEngine(settings);
      last.running = second;
      await until(async () => (await second.api.get(`/content-sources/${id}`)).lastSync !== null);
      expect(cms.seen.map(({ query }) => query.get('page'))).toEqual(['1', '2', '3', '3', '4', '5']);
      const { lastSync } = await second.api.get(`/content-sources/${id}`);
      expect(lastSync).toMatchObject({ pages: 5, created: 450, unchanged: 0, problems: 0 });
      const { pagination } = await second.api.get('/content?sourceType=wordpress&limit=1');
      expect(pagination.total).toBe(450);
    });
  },
);
