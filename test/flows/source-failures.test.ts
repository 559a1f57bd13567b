/** What fails in syncs of content sources: pauses, refusals, answers of something else, crashes. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CONTENTFUL_LIMITED } from '../support/cms/contentful.ts';
import { createCmsStarter, entriesOf } from '../support/cms-server.ts';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { databaseKinds } from '../support/database.ts';
import { until } from '../support/engine.ts';
import { addSource, itemsOf, sendWebhook, sourceOf, syncNow } from '../support/sources.ts';

const DOWN = { status: 500, body: '<h1>Internal Server Error</h1>' };

for (const kind of await databaseKinds()) {
  describe(`failures of content sources on the ${kind} database`, () => {
    let corridor: Corridor;
    const { start, endAll } = createCmsStarter();
    beforeAll(async () => {
      corridor = await openCorridor(kind);
    });
    afterEach(endAll);
    afterAll(() => corridor.end());

    const waiting = () =>
      corridor.database.query<{ due_at: Date }>(
        'select due_at from waiting where pipeline = 21 order by due_at',
      );
    const removeSource = (id: string) => corridor.api(`DELETE /content-sources/${id}`);

    it('keeps the pause that the CMS asks for, and counts no failure', async () => {
      const cms = await start('contentful', 3);
      const id = await addSource(corridor, 'contentful', cms);
      cms.refuse(1, CONTENTFUL_LIMITED);
      const before = Date.now();
      const paused = await syncNow(corridor, id);
      expect(paused).toMatchObject({ status: 'active', failures: 0, lastError: null, lastSync: null });
      expect(Date.parse(paused.blockedUntil) - before).toBeGreaterThanOrEqual(7_000);
      expect(cms.seen).toHaveLength(1);
      // What a webhook brings in the meantime waits, too.
      await sendWebhook(corridor, id, { sys: { id: '1' } });
      await until(async () => (await waiting()).every(({ due_at: due }) => due.getTime() > Date.now()));
      expect(cms.seen).toHaveLength(1);
      await corridor.pass(8);
      expect(await sourceOf(corridor, id)).toMatchObject({ blockedUntil: null, lastSync: { full: true } });
      expect((await itemsOf(corridor, id)).size).toBe(3);
    });

    it('reads a pause from Retry-After as well, in seconds and as a date', async () => {
      for (const [after, leastMs] of [
        ['90', 90_000],
        [new Date(Date.now() + 24 * 3_600_000).toUTCString(), 3_600_000],
      ] as const) {
        const cms = await start('strapi5', 1);
        const id = await addSource(corridor, 'strapi5', cms);
        cms.refuse(1, {
          status: 429,
          headers: { 'retry-after': after },
          body: { error: { message: 'Slow down' } },
        });
        const before = Date.now();
        const source = await syncNow(corridor, id);
        expect(Date.parse(source.blockedUntil) - before).toBeGreaterThanOrEqual(leastMs);
        await removeSource(id);
      }
    });

    it('goes on at the page where it failed, and says what failed until it is over', async () => {
      const cms = await start('wordpress', 250);
      const id = await addSource(corridor, 'wordpress', cms);
      cms.onRequest = (number) => {
        if (number === 2) cms.refuse(1, DOWN);
      };
      const failing = await syncNow(corridor, id);
      expect(failing).toMatchObject({
        failures: 1,
        lastError: expect.stringContaining('status 500'),
        sync: { pages: 1 },
      });
      await corridor.pass(15);
      expect(await sourceOf(corridor, id)).toMatchObject({
        failures: 0,
        lastError: null,
        lastSync: { created: 250 },
      });
      expect(cms.seen.map(({ query }) => query.get('page'))).toEqual(['1', '2', '2', '3']);
    });

    it('syncs now when it is told to, although it waits after a failure', async () => {
      const cms = await start('wordpress', 150);
      const id = await addSource(corridor, 'wordpress', cms);
      cms.onRequest = (number) => {
        if (number === 2) cms.refuse(1, DOWN);
      };
      expect(await syncNow(corridor, id)).toMatchObject({ failures: 1, sync: { pages: 1 }, lastSync: null });
      // Nothing passes: what waits for its next try is overtaken.
      expect(await syncNow(corridor, id)).toMatchObject({
        failures: 0,
        lastError: null,
        lastSync: { pages: 2, created: 50, unchanged: 100 },
      });
      const asked = cms.seen.length;
      await corridor.pass(1_000);
      expect(cms.seen.length).toBe(asked);
    });

    it('pauses after ten failures in a row, says why in a sentence and in the log, and goes on when an admin says so', async () => {
      const cms = await start('wordpress', 2);
      const id = await addSource(corridor, 'wordpress', cms, { syncMode: 'polling', syncIntervalMinutes: 5 });
      await corridor.idle();
      cms.refuse(100, DOWN);
      await syncNow(corridor, id);
      for (let failure = 2; failure < 10; failure += 1) await corridor.pass(900);
      expect(await sourceOf(corridor, id)).toMatchObject({ status: 'active', failures: 9 });
      expect(corridor.logged()).not.toContain(`"source":"${id}","name"`);
      await corridor.pass(900);
      const paused = await sourceOf(corridor, id);
      expect(paused).toMatchObject({ status: 'paused', failures: 10 });
      expect(paused.lastError).toBe(
        'WordPress answered with the status 500. The fault is on its side. This was the 10th failure in a row, so the source is paused. Mend what failed, try it with "test", and set its status to active.',
      );
      expect(corridor.logged()).toContain('"event":"source.paused"');
      const asked = cms.seen.length;
      await corridor.pass(100_000);
      expect(cms.seen.length).toBe(asked);
      expect(await corridor.api(`POST /content-sources/${id}/sync`)).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining('is paused. Set its status to active first.') },
      });
      // What a webhook brings in the meantime is held, and not lost.
      expect(await sendWebhook(corridor, id, { id: 1 })).toMatchObject({ status: 202 });
      await until(async () => (await waiting()).length > 0);
      await cms.end();
      const again = await start('wordpress', 2);
      await corridor.api(`PUT /content-sources/${id}`, { status: 'active', config: { url: again.url } });
      await corridor.idle();
      expect(await sourceOf(corridor, id)).toMatchObject({ status: 'active', failures: 0, lastError: null });
      await corridor.pass(61);
      expect(again.seen.some(({ query }) => query.get('include') === '1')).toBe(true);
      await removeSource(id);
    });

    it('goes on at the third page when a worker ends after the second and another begins', async () => {
      const cms = await start('sanity', 0);
      cms.entries = entriesOf(350, (number) => `crash-${kind}-${String(number).padStart(4, '0')}`);
      const id = await addSource(corridor, 'sanity', cms);
      let reached: () => void = () => {};
      const third = new Promise<void>((resolve) => {
        reached = resolve;
      });
      let release: () => void = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      cms.onRequest = async (number) => {
        if (number !== 3) return;
        reached();
        await held;
      };
      await corridor.api(`POST /content-sources/${id}/sync`);
      await third;
      // As after kill -9: the row is owned by a node that is dead, and what it was doing is lost.
      const [row] = await corridor.database.query<{ payload: string; owner: number | null }>(
        'select payload, owner from waiting where pipeline = 21 and owner is not null',
      );
      expect(JSON.parse(row?.payload ?? '{}').run).toMatchObject({ pages: 2, cursor: `crash-${kind}-0200` });
      await corridor.database.query('update waiting set owner = null where pipeline = 21');
      await corridor.database.query('update lane set epoch = epoch + 1');
      corridor.wake();
      await until(async () => cms.seen.length >= 4);
      release();
      await corridor.idle();
      await until(async () => (await sourceOf(corridor, id)).lastSync !== null);
      const after = cms.seen.map(({ query }) => JSON.parse(query.get('$after') ?? 'null'));
      expect(after.slice(0, 2)).toEqual(['', `crash-${kind}-0100`]);
      expect(after.slice(2, 4)).toEqual([`crash-${kind}-0200`, `crash-${kind}-0200`]);
      expect((await itemsOf(corridor, id)).size).toBe(350);
      const [counted] = await corridor.database.query<{ versions: number }>(
        'select count(*)::int as versions from content_version v join content_item i on i.id = v.item_id where i.source_id = $1',
        [id],
      );
      expect(counted?.versions).toBe(350);
    });

    it('takes nothing away where the address answers, but with something else', async () => {
      const cms = await start('strapi5', 2);
      const id = await addSource(corridor, 'strapi5', cms, { autoPublish: true });
      await syncNow(corridor, id);
      for (const answer of [
        { status: 200, body: '<html>Sign in</html>' },
        { status: 200, body: { hello: 'world' } },
        {
          status: 404,
          body: { data: null, error: { status: 404, name: 'NotFoundError', message: 'Not Found' } },
        },
      ]) {
        cms.refuse(1, answer);
        const source = await syncNow(corridor, id);
        expect(source).toMatchObject({ failures: 1, lastError: expect.stringContaining('Check') });
        await corridor.pass(15);
        expect(await sourceOf(corridor, id)).toMatchObject({ failures: 0, lastError: null });
      }
      expect((await itemsOf(corridor, id)).get('1')).toMatchObject({ status: 'published' });
    });

    it('shows no secret in what it says about refusals, in the log or in the database', async () => {
      const cms = await start('contentful', 1);
      const id = await addSource(corridor, 'contentful', cms, {
        config: {
          url: cms.url,
          spaceId: 'space1',
          contentType: 'article',
          accessToken: 'very-secret-token-4711',
        },
      });
      cms.refuse(1, {
        status: 401,
        body: {
          sys: { type: 'Error', id: 'AccessTokenInvalid' },
          message: 'Unknown token very-secret-token-4711',
        },
      });
      const source = await syncNow(corridor, id);
      expect(source.lastError).toContain('Unknown token ***');
      expect(JSON.stringify(source)).not.toContain('4711');
      expect(corridor.logged()).not.toContain('very-secret');
      expect(await corridor.dump()).not.toContain('very-secret');
      await removeSource(id);
    });
  });
}
