/** Pages of content and of its versions: each row once, in its order, whatever is added while they are read. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, pointersOf, rowsOf } from '../support/answers.ts';
import type { Api } from '../support/api.ts';
import { itemIn, openContentApi } from '../support/content.ts';
import { databaseKinds } from '../support/database.ts';

for (const kind of await databaseKinds()) {
  describe(`pages of content on the ${kind} database`, () => {
    let api: Api;
    let token: string;
    beforeAll(async () => {
      api = await openContentApi(kind);
      token = await api.tokenOf('editor', await api.otherAccount('pages'));
    });
    afterAll(() => api.close());

    /** All rows of a list, page by page; something happens between two of them. */
    const walk = async (path: string, between: () => Promise<unknown>) => {
      const seen: Record<string, unknown>[] = [];
      let cursor = '';
      do {
        const answer = await api.call(`GET ${path}${cursor}`, { token });
        seen.push(...rowsOf(answer));
        await between();
        const next = at(answer.body, 'pagination.nextCursor');
        expect(at(answer.body, 'pagination.hasMore')).toBe(next !== null);
        cursor = next === null ? '' : `&cursor=${next}`;
      } while (cursor !== '');
      return seen;
    };

    it.each([
      ['all of it', '', {}],
      ['a state', 'status=draft&', {}],
      [
        'a type',
        'channelType=banner&',
        { channelType: 'banner', content: { imageUrl: 'https://a.bc', altText: 'a' } },
      ],
      ['a tag', 'tag=steady&', { tags: ['steady'] }],
      ['words', 'q=quokka&', { content: { body: 'A quokka' } }],
      [
        'words, a tag and a state',
        'q=numbat&tag=both&status=draft&',
        { content: { body: 'numbat' }, tags: ['both'] },
      ],
    ])('of %s have each item once, while others are added', async (_what, query, more) => {
      const people = { author: token, reviewer: token };
      const add = () => itemIn(api, people, 'draft', more);
      const before = rowsOf(await api.call(`GET /content?${query}limit=100`, { token })).map((row) => row.id);
      const made: unknown[] = [];
      for (let count = 0; count < 7; count += 1) made.unshift(await add());
      const seen = await walk(`/content?${query}limit=2`, add);
      expect(seen.map((row) => row.id)).toEqual([...made, ...before]);
    });

    it('take no cursor but their own', async () => {
      for (const path of [
        '/content',
        `/content/${await itemIn(api, { author: token, reviewer: token }, 'draft')}/versions`,
      ]) {
        for (const cursor of ['x', '-1', '1.5']) {
          const answer = await api.call(`GET ${path}?cursor=${cursor}`, { token });
          expect([answer.status, pointersOf(answer)], path).toEqual([422, ['/query/cursor']]);
        }
      }
    });

    it('of versions have a hundred, and the item itself shows twenty', async () => {
      const id = await itemIn(api, { author: token, reviewer: token }, 'draft');
      const edit = (body: string) => api.call(`PUT /content/${id}`, { token, json: { content: { body } } });
      for (let version = 2; version <= 105; version += 1) await edit(`Version ${version}`);
      const first = await api.call(`GET /content/${id}/versions`, { token });
      const numbers = rowsOf(first).map((row) => row.version);
      expect([numbers.length, numbers[0], numbers.at(-1)]).toEqual([100, 105, 6]);
      expect(at(first.body, 'pagination')).toEqual({
        total: 105,
        limit: 100,
        hasMore: true,
        nextCursor: '6',
      });
      const seen = await walk(`/content/${id}/versions?limit=50`, () => edit('And another'));
      expect(seen.map((row) => row.version)).toEqual(Array.from({ length: 105 }, (_, index) => 105 - index));
      const shown = at((await api.call(`GET /content/${id}`, { token })).body, 'versions') as {
        version: number;
      }[];
      expect([shown.length, shown[0]?.version]).toEqual([20, 108]);
    });
  });
}
