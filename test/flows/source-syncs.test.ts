/** How syncs of content sources go: polls, conflicts, publishing, what is gone. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createCmsStarter } from '../support/cms-server.ts';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { databaseKinds } from '../support/database.ts';
import { until } from '../support/engine.ts';
import { addSource, itemsOf, problemsOf, sourceOf, syncNow } from '../support/sources.ts';

for (const kind of await databaseKinds()) {
  describe(`syncs of content sources on the ${kind} database`, () => {
    let corridor: Corridor;
    const { start, endAll } = createCmsStarter();
    beforeAll(async () => {
      corridor = await openCorridor(kind);
    });
    afterEach(endAll);
    afterAll(() => corridor.end());

    const removeSource = (id: string) => corridor.api(`DELETE /content-sources/${id}`);

    it('polls at its interval, only for what changed, and once an hour for everything', async () => {
      const cms = await start('strapi4', 3);
      const id = await addSource(corridor, 'strapi4', cms, { syncMode: 'poll', syncIntervalMinutes: 10 });
      await corridor.idle();
      await until(async () => (await sourceOf(corridor, id)).lastSync !== null);
      expect(await sourceOf(corridor, id)).toMatchObject({
        syncMode: 'polling',
        lastSync: { created: 3, full: true },
      });
      const since = () => cms.seen.at(-1)?.query.get('filters[updatedAt][$gte]') ?? null;
      const nowMs = corridor.runtime.clock.now();
      cms.entries[1] = {
        ...cms.entries[1],
        id: '2',
        body: 'New text',
        changedAt: new Date(nowMs).toISOString(),
      };
      const asked = cms.seen.length;
      await corridor.pass(300);
      expect(cms.seen.length).toBe(asked);
      await corridor.pass(301);
      expect(cms.seen.length).toBe(asked + 1);
      expect(Date.parse(since() ?? '')).toBeLessThan(nowMs);
      expect(await sourceOf(corridor, id)).toMatchObject({
        lastSync: { full: false, updated: 1, unchanged: 0 },
      });
      await corridor.pass(3_600);
      expect(since()).toBeNull();
      // A new interval holds from its beginning on, and leaves one row that syncs.
      await corridor.api(`PUT /content-sources/${id}`, { syncIntervalMinutes: 1 });
      await corridor.idle();
      await corridor.pass(3_600);
      const rows = await corridor.database.query(
        'select 1 from waiting where pipeline = 21 and payload like $1',
        [`%${id}%`],
      );
      expect(rows).toHaveLength(1);
      await removeSource(id);
      await corridor.pass(120);
      expect(
        await corridor.database.query('select 1 from waiting where pipeline = 21 and payload like $1', [
          `%${id}%`,
        ]),
      ).toHaveLength(0);
      expect((await itemsOf(corridor, id)).size).toBe(3);
    });

    it('does not overwrite what was edited here, but says so', async () => {
      const cms = await start('strapi5', 2);
      const id = await addSource(corridor, 'strapi5', cms);
      await syncNow(corridor, id);
      const item = (await itemsOf(corridor, id)).get('1');
      await corridor.api(`PUT /content/${item?.id}`, { content: { body: 'Better here' } });
      cms.entries[0] = { ...cms.entries[0], id: '1', body: 'Changed there' };
      expect((await syncNow(corridor, id)).lastSync).toMatchObject({
        conflicts: 1,
        unchanged: 1,
        problems: 1,
      });
      const kept = (await itemsOf(corridor, id)).get('1');
      expect(kept).toMatchObject({ status: 'draft', body: 'Better here' });
      expect(kept?.conflict).toContain('revert to 3');
      expect((await problemsOf(corridor, id)).get('1')).toBe(kept?.conflict);
      // It stays said until somebody decides.
      expect((await syncNow(corridor, id)).lastSync).toMatchObject({ unchanged: 2, problems: 1 });
      await corridor.api(`POST /content/${item?.id}/revert/3`, {});
      expect((await syncNow(corridor, id)).lastSync).toMatchObject({ unchanged: 2, problems: 0 });
    });

    it('publishes at once where it may, and lists what the checks of the type refuse', async () => {
      const cms = await start('contentful', 3);
      cms.entries[1] = { id: '2', title: `Unresolved ${kind}`, body: 'Hello {{ customer.nick }}' };
      cms.entries[2] = { id: '3', title: `Blank ${kind}`, body: '   ' };
      const id = await addSource(corridor, 'contentful', cms, { autoPublish: true });
      expect((await syncNow(corridor, id)).lastSync).toMatchObject({ created: 2, problems: 2 });
      const items = await itemsOf(corridor, id);
      expect(items.get('1')).toMatchObject({ status: 'published', publishedVersion: 1 });
      expect(items.get('2')).toMatchObject({ status: 'draft', publishedVersion: null });
      expect(items.has('3')).toBe(false);
      const problems = await problemsOf(corridor, id);
      expect(problems.get('2')).toContain('{{ customer.nick }}');
      expect(problems.get('3')).toBe(
        'The content breaks a rule at /content/body: "body" is empty; write what people should see.',
      );
      const { body: tried } = await corridor.api(`POST /content-sources/${id}/test`);
      expect(tried.entries[2].problems).toEqual([
        'At /content/body: "body" is empty; write what people should see.',
      ]);
      expect((await syncNow(corridor, id)).lastSync).toMatchObject({ unchanged: 2, problems: 2 });
      // What is no longer there is no longer delivered.
      cms.entries = cms.entries.slice(1);
      await syncNow(corridor, id);
      expect((await itemsOf(corridor, id)).get('1')).toMatchObject({
        status: 'draft',
        publishedVersion: null,
      });
    });

    it('says all that is wrong with an entry, and where', async () => {
      const cms = await start('strapi5', 1);
      cms.entries[0] = { id: '1', title: `Broken ${kind}`, body: '{{ broken' };
      const id = await addSource(corridor, 'strapi5', cms, {
        channelType: 'email_html',
        mappings: { title: 'name', body: ['content.html', 'content.text'] },
      });
      await syncNow(corridor, id);
      expect((await problemsOf(corridor, id)).get('1')).toMatch(
        /^The content breaks a rule at \/content\/html: Line 1.* At \/content\/text: Line 1/,
      );
    });

    it('withdraws nothing that only slipped from one page to another while pages were read', async () => {
      const cms = await start('wordpress', 201);
      const id = await addSource(corridor, 'wordpress', cms);
      await syncNow(corridor, id);
      const before = cms.seen.length;
      // Between the first and the second page an early entry goes: number 101 now stands in the first page.
      cms.onRequest = (number) => {
        if (number === before + 2) cms.entries = cms.entries.slice(1);
      };
      expect((await syncNow(corridor, id)).lastSync).toMatchObject({ withdrawn: 0, unchanged: 201 });
      expect(cms.seen.at(-1)?.query.get('include')).toBe('101');
      expect((await syncNow(corridor, id)).lastSync).toMatchObject({ withdrawn: 1, unchanged: 200 });
      const items = await itemsOf(corridor, id);
      expect(items.get('1')?.conflict).toContain('no longer has');
      expect(items.get('101')?.conflict).toBeNull();
    });

    it('leaves an item in review alone, and withdraws it after that', async () => {
      const cms = await start('strapi5', 1);
      const id = await addSource(corridor, 'strapi5', cms);
      await syncNow(corridor, id);
      const item = (await itemsOf(corridor, id)).get('1');
      await corridor.api(`POST /content/${item?.id}/submit`, {});
      cms.entries = [];
      expect((await syncNow(corridor, id)).lastSync).toMatchObject({ withdrawn: 0, problems: 1 });
      expect((await problemsOf(corridor, id)).get('1')).toContain('in_review');
      await corridor.api(`POST /content/${item?.id}/reject`, { feedback: 'It is gone there' });
      expect((await syncNow(corridor, id)).lastSync).toMatchObject({ withdrawn: 1, problems: 0 });
    });
  });
}
