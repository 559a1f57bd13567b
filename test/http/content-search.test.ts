/** Finding content: by words of its name and text, by type, state and tag, and by what it is now. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, rowsOf } from '../support/answers.ts';
import type { Api } from '../support/api.ts';
import { callContent, itemIn, openContentApi } from '../support/content.ts';
import { databaseKinds } from '../support/database.ts';

for (const kind of await databaseKinds()) {
  describe(`finding content on the ${kind} database`, () => {
    let api: Api;
    let people: { author: string; reviewer: string };
    beforeAll(async () => {
      api = await openContentApi(kind);
      people = { author: await api.tokenOf('editor'), reviewer: await api.tokenOf('editor') };
    });
    afterAll(() => api.close());

    const edit = (id: string, json: object) => api.call(`PUT /content/${id}`, { token: people.author, json });
    const names = async (query: string) =>
      rowsOf(await api.call(`GET /content?${query}`)).map((row) => row.name);

    it('finds by name, text, type, status, tag and all of them together', async () => {
      const found = { tags: ['Needle & "Thread"', "o'clock"], description: 'Straßenfest' };
      await itemIn(api, people, 'draft', {
        name: 'Haystack Größe',
        ...found,
        content: { body: 'Привет, Ärger 東京!' },
      });
      await itemIn(api, people, 'published', {
        name: 'Haystack mail',
        channelType: 'email_html',
        content: {
          subject: 'Ab',
          html: '<style>.hidden{}</style><p class="attribute">Cromulent&nbsp;offer</p>',
        },
      });
      const sms = ['Haystack Größe'];
      const mail = ['Haystack mail'];
      const tag = (text: string) => `tag=${encodeURIComponent(text)}`;
      const q = (text: string) => `q=${encodeURIComponent(text)}`;
      const cases: readonly (readonly [string, readonly string[]])[] = [
        [q('haystack'), [...mail, ...sms]],
        [q('HAYST'), [...mail, ...sms]],
        [q('GROSSE'), sms],
        [q('große'), sms],
        [q('grös haystack'), sms],
        [q('ha gr'), sms],
        [q('прив'), sms],
        [q('arger'), sms],
        [q('京'), sms],
        [q('straßen'), sms],
        [q('cromul offer'), mail],
        [q('attribute'), []],
        [q('hidden'), []],
        [q("' | 'haystack' & !:*"), [...mail, ...sms]],
        [q('!!!'), []],
        [tag('Needle & "Thread"'), sms],
        [tag("o'clock"), sms],
        [tag('needle'), []],
        [`${q('haystack')}&status=published`, mail],
        [`${q('haystack')}&status=draft&channelType=sms_text&isTemplate=false&sourceType=internal`, sms],
        [`${q('haystack')}&channelType=banner`, []],
        [`${q('haystack')}&isTemplate=true`, []],
      ];
      for (const [query, expected] of cases)
        expect(await names(query), decodeURIComponent(query)).toEqual(expected);
      const page = await api.call(`GET /content?${q('haystack')}&limit=1`);
      expect(at(page.body, 'pagination')).toMatchObject({ total: 2, limit: 1, hasMore: true });
      const next = String(at(page.body, 'pagination.nextCursor'));
      expect(await names(`${q('haystack')}&limit=1&cursor=${next}`)).toEqual(sms);
    });

    it('finds an item by what it is now', async () => {
      const id = await itemIn(api, people, 'draft', { name: 'Before zebra', tags: ['old'] });
      await edit(id, { name: 'After zebra', tags: ['new'], content: { body: 'giraffe' } });
      expect(await names('q=before+zebra')).toEqual([]);
      expect(await names('tag=old&q=zebra')).toEqual([]);
      expect(await names('tag=new&q=giraffe')).toEqual(['After zebra']);
      await callContent(api, people.author, 'submit', id);
      expect(await names('q=zebra&status=draft')).toEqual([]);
      expect(await names('q=zebra&status=in_review')).toEqual(['After zebra']);
    });
  });
}
