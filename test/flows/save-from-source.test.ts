/** What a content source sends: created, edited, published, and never over what people edited here. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SourcedContent, saveFromSource } from '../../src/flows/content/save-from-source.ts';
import { listHistory, listVersions, readItem } from '../../src/storage/content.ts';
import { rowsOf, textAt } from '../support/answers.ts';
import type { Api } from '../support/api.ts';
import { callContent, openContentApi, SMS } from '../support/content.ts';
import { databaseKinds } from '../support/database.ts';

for (const kind of await databaseKinds()) {
  describe(`a content source on the ${kind} database`, () => {
    let api: Api;
    let author: string;
    let reviewer: string;
    let sourceId: string;
    beforeAll(async () => {
      api = await openContentApi(kind);
      [author, reviewer, sourceId] = [
        await api.tokenOf('editor'),
        await api.tokenOf('editor'),
        api.runtime.ids.next(),
      ];
    });
    afterAll(() => api.close());

    let entries = 0;
    const newEntry = () => {
      entries += 1;
      return `entry-${entries}`;
    };
    const save = (
      externalId: string,
      body: string,
      more: Partial<SourcedContent> = {},
      unresolved: string[] = [],
    ) =>
      saveFromSource(
        api.runtime,
        {
          accountId: api.accountId,
          sourceId,
          sourceType: 'wordpress',
          externalId,
          channelType: 'sms_text',
          name: `Post ${externalId}`,
          content: { body },
          autoPublish: false,
          ...more,
        },
        () => unresolved,
      );
    const edit = (id: string, json: object) => api.call(`PUT /content/${id}`, { token: author, json });
    const read = async (id: string) => (await readItem(api.runtime.database, api.accountId, id))?.item;

    it('makes a draft, and the same again changes nothing', async () => {
      const entry = newEntry();
      const first = await save(entry, 'One', { tags: ['cms'] });
      expect(first).toMatchObject({
        outcome: 'created',
        item: {
          status: 'draft',
          version: 1,
          source_type: 'wordpress',
          external_id: entry,
          source_id: sourceId,
        },
      });
      expect(await save(entry, 'One', { tags: ['cms'] })).toMatchObject({ outcome: 'unchanged' });
      expect(await read(first.item.id)).toMatchObject({ revision: 1 });
      const found = rowsOf(await api.call('GET /content?sourceType=wordpress&tag=cms'));
      expect(found.map((row) => row.externalId)).toEqual([entry]);
    });

    it('takes a change over as a draft, while the published version serves', async () => {
      const entry = newEntry();
      const { item } = await save(entry, 'One');
      await callContent(api, author, 'submit', item.id);
      await callContent(api, reviewer, 'approve', item.id);
      await callContent(api, author, 'publish', item.id);
      const second = await save(entry, 'Two', { name: 'Renamed there' });
      expect(second).toMatchObject({
        outcome: 'updated',
        item: {
          status: 'draft',
          version: 3,
          published_version: 2,
          name: 'Renamed there',
          content: { body: 'Two' },
        },
      });
    });

    it('publishes at once where it may, and not while a variable is unresolved', async () => {
      const entry = newEntry();
      const auto = { autoPublish: true };
      const first = await save(entry, 'One', auto);
      expect(first).toMatchObject({
        outcome: 'created',
        item: { status: 'published', published_version: 1 },
      });
      const second = await save(entry, 'Two', auto);
      expect(second).toMatchObject({
        outcome: 'updated',
        item: { status: 'published', published_version: 2 },
      });
      const third = await save(entry, '{{ customer.x }}', auto, ['customer.x']);
      expect(third).toMatchObject({
        unresolved: ['customer.x'],
        item: { status: 'draft', version: 3, published_version: 2 },
      });
      const history = await listHistory(api.runtime.database, api.accountId, first.item.id, {
        limit: 10,
        before: undefined,
      });
      expect(history.rows.map((row) => [row.call, row.by_user])).toEqual([
        ['sync', null],
        ['sync_publish', null],
        ['sync_publish', null],
      ]);
    });

    it('does not overwrite what was edited here: both are kept, and people decide', async () => {
      const entry = newEntry();
      const { item } = await save(entry, 'One', { autoPublish: true });
      await edit(item.id, { content: { body: 'Better' }, name: `Named here ${kind}` });
      const conflict = await save(entry, 'Two', { autoPublish: true });
      expect(conflict).toMatchObject({
        outcome: 'conflict',
        item: {
          status: 'draft',
          version: 2,
          content: { body: 'Better' },
          name: `Named here ${kind}`,
          published_version: 1,
        },
      });
      expect(conflict.item.conflict).toContain('revert to 3');
      expect(await save(entry, 'Two', { autoPublish: true })).toMatchObject({ outcome: 'unchanged' });
      const versions = await listVersions(api.runtime.database, api.accountId, item.id, 10);
      expect(versions.map((row) => [row.version, row.content.body, row.changed_by === null])).toEqual([
        [3, 'Two', true],
        [2, 'Better', false],
        [1, 'One', true],
      ]);
      // Taken over: from here on the source edits again.
      const reverted = await api.call(`POST /content/${item.id}/revert/3`, { token: author });
      expect(reverted.body).toMatchObject({ version: 4, content: { body: 'Two' }, conflict: null });
      expect(await save(entry, 'Three')).toMatchObject({ outcome: 'updated', item: { version: 5 } });
    });

    it('keeps the edit where people decide for it, and says so again with the next change', async () => {
      const entry = newEntry();
      const { item } = await save(entry, 'One');
      await edit(item.id, { content: { body: 'Better' } });
      await save(entry, 'Two');
      expect((await edit(item.id, { content: { body: 'Best' } })).body).toMatchObject({
        version: 4,
        conflict: null,
      });
      expect(await save(entry, 'Three')).toMatchObject({
        outcome: 'conflict',
        item: { content: { body: 'Best' } },
      });
    });

    it('leaves items in review and archived ones alone', async () => {
      const entry = newEntry();
      const { item } = await save(entry, 'One');
      await callContent(api, author, 'submit', item.id);
      await expect(save(entry, 'Two')).rejects.toMatchObject({ code: 'WRONG_STATE' });
      await callContent(api, reviewer, 'reject', item.id);
      expect(await save(entry, 'Two')).toMatchObject({ outcome: 'updated' });
      await callContent(api, author, 'archive', item.id);
      expect(await save(entry, 'Three', { autoPublish: true })).toMatchObject({ outcome: 'archived' });
      expect(await read(item.id)).toMatchObject({ status: 'archived', published_version: null, version: 2 });
    });

    it('refuses what no item may hold, a taken name, and another type', async () => {
      const entry = newEntry();
      await expect(save(entry, ' ')).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
      textAt(await api.call('POST /content', { token: author, json: { name: 'Taken here', ...SMS } }), 'id');
      await expect(save(entry, 'One', { name: 'Taken here' })).rejects.toMatchObject({ code: 'CONFLICT' });
      await save(entry, 'One');
      await expect(save(entry, 'Two', { name: 'Taken here' })).rejects.toMatchObject({ code: 'CONFLICT' });
      const card = { channelType: 'content_card', content: { title: 'a' } } as const;
      await expect(save(entry, 'Two', card)).rejects.toMatchObject({ code: 'IMMUTABLE' });
    });

    it('makes one item of what comes twice at the same moment', async () => {
      const entry = newEntry();
      const saved = await Promise.all([save(entry, 'One'), save(entry, 'One')]);
      expect(new Set(saved.map(({ item }) => item.id)).size).toBe(1);
      expect(saved.map(({ outcome }) => outcome).sort()).toEqual(['created', 'unchanged']);
      expect(api.errors).toEqual([]);
    });
  });
}
