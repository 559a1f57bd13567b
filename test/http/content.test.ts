/** The content library through the API, on both databases. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPublished, readVersions } from '../../src/storage/content.ts';
import { at, pointersOf, rowsOf, textAt } from '../support/answers.ts';
import { type Api, NOW_MS } from '../support/api.ts';
import { callContent, itemIn, openContentApi, SMS } from '../support/content.ts';
import { databaseKinds } from '../support/database.ts';

for (const kind of await databaseKinds()) {
  describe(`content on the ${kind} database`, () => {
    let api: Api;
    let people: { author: string; reviewer: string };
    let unresolved: readonly string[] = [];
    beforeAll(async () => {
      api = await openContentApi(kind, () => unresolved);
      people = { author: await api.tokenOf('editor'), reviewer: await api.tokenOf('editor') };
    });
    afterAll(() => api.close());

    const create = (json: object) => api.call('POST /content', { token: people.author, json });
    const edit = (id: string, json: object) => api.call(`PUT /content/${id}`, { token: people.author, json });
    const names = async (query: string) =>
      rowsOf(await api.call(`GET /content?${query}`)).map((row) => row.name);

    it('shows an item with all its members', async () => {
      const made = await create({
        name: 'Complete',
        description: 'Of all things',
        channelType: 'email_html',
        content: { subject: 'Hi', html: '<p>Hi {{ customer.first_name }}</p>' },
        blocks: [{ type: 'hero' }],
        personalization: [{ variable: 'customer.first_name', source: 'customer', fallback: 'you' }],
        tags: ['spring', 'a b'],
        isTemplate: true,
      });
      expect(made.status).toBe(201);
      const { userId } = await api.tokens.callerOf(`Bearer ${people.author}`);
      const item = {
        tenantId: api.accountId,
        name: 'Complete',
        description: 'Of all things',
        channelType: 'email_html',
        status: 'draft',
        content: { subject: 'Hi', html: '<p>Hi {{ customer.first_name }}</p>' },
        blocks: [{ type: 'hero' }],
        personalization: [{ variable: 'customer.first_name', source: 'customer', fallback: 'you' }],
        tags: ['spring', 'a b'],
        isTemplate: true,
        parentTemplateId: null,
        sourceType: 'internal',
        sourceId: null,
        externalId: null,
        version: 1,
        publishedVersion: null,
        publishedAt: null,
        createdAt: new Date(NOW_MS).toISOString(),
        checks: [{ severity: 'warning', code: 'text-missing', pointer: '/text' }],
      };
      expect(made.body).toMatchObject(item);
      const read = await api.call(`GET /content/${textAt(made, 'id')}`);
      expect(read.body).toMatchObject({
        ...item,
        versions: [
          { version: 1, changeNote: 'Initial version', changedBy: userId, blocks: [{ type: 'hero' }] },
        ],
      });
    });

    it.each([
      ['no name', { name: undefined }, '/name'],
      ['a long name', { name: 'x'.repeat(256) }, '/name'],
      ['a long description', { description: 'x'.repeat(1_001) }, '/description'],
      ['an unknown type', { channelType: 'fax' }, '/channelType'],
      ['no type', { channelType: undefined }, '/channelType'],
      ['no content', { content: undefined }, '/content'],
      ['a key of another type', { content: { body: 'a', html: 'b' } }, '/content/html'],
      ['an empty text', { content: { body: ' ' } }, '/content/body'],
      ['broken Liquid', { content: { body: '{{ a' } }, '/content/body'],
      ['NUL', { content: { body: 'a\0' } }, '/content/body'],
      ['a state', { status: 'published' }, '/status'],
      ['a version', { publishedVersion: 1 }, '/publishedVersion'],
      ['a source', { sourceType: 'wordpress' }, '/sourceType'],
      ['a template that is not there', { parentTemplateId: crypto.randomUUID() }, '/parentTemplateId'],
      [
        'personalization of another form',
        { personalization: [{ variable: 'a.b', source: 'moon' }] },
        '/personalization/0/source',
      ],
      ['too much', { blocks: ['x'.repeat(1_000_001)] }, '/content'],
    ])('refuses %s', async (_what, more, pointer) => {
      const answer = await create({ name: 'Refused', ...SMS, ...more });
      expect(answer.status).toBe(422);
      expect(pointersOf(answer)).toEqual([pointer]);
      expect(await names('q=refused')).toEqual([]);
    });

    it('gives each name once in an account', async () => {
      const first = await create({ name: 'Once', ...SMS });
      const second = await create({ name: 'Once', ...SMS });
      expect([first.status, second.status]).toEqual([201, 409]);
      expect(pointersOf(second)).toEqual(['/name']);
      const other = await create({ name: 'Twice', ...SMS });
      const renamed = await edit(textAt(other, 'id'), { name: 'Once' });
      expect(renamed.status).toBe(409);
      expect(pointersOf(renamed)).toEqual(['/name']);
      const stranger = await api.tokenOf('editor', await api.otherAccount(`names-${kind}`));
      const there = await api.call('POST /content', { token: stranger, json: { name: 'Once', ...SMS } });
      expect(there.status).toBe(201);
    });

    it('is not there for other accounts', async () => {
      const id = await itemIn(api, people, 'in_review');
      const token = await api.tokenOf('admin', await api.otherAccount(`stranger-${kind}`));
      for (const call of ['edit', 'submit', 'approve', 'reject', 'publish', 'revert', 'archive']) {
        expect((await callContent(api, token, call, id)).status, call).toBe(404);
      }
      for (const path of ['', '/versions', '/versions/1/diff/1', '/history']) {
        expect((await api.call(`GET /content/${id}${path}`, { token })).status, path).toBe(404);
      }
      expect(rowsOf(await api.call('GET /content', { token }))).toEqual([]);
      expect(rowsOf(await api.call('GET /content?q=item', { token }))).toEqual([]);
    });

    it('edits what is given and nothing else, on the version that was seen', async () => {
      const id = await itemIn(api, people, 'draft', { tags: ['kept'], description: 'Kept' });
      const first = await edit(id, { content: { body: 'Two' }, changeNote: 'Shorter', version: 1 });
      expect(first.body).toMatchObject({
        version: 2,
        tags: ['kept'],
        description: 'Kept',
        content: { body: 'Two' },
      });
      const stale = await edit(id, { content: { body: 'Three' }, version: 1 });
      expect(stale.status).toBe(409);
      expect(pointersOf(stale)).toEqual(['/version']);
      expect((await edit(id, { description: null, version: 2 })).body).toMatchObject({
        version: 3,
        description: null,
        content: { body: 'Two' },
      });
      const [, second] = rowsOf(await api.call(`GET /content/${id}/versions`));
      expect(second).toMatchObject({ version: 2, changeNote: 'Shorter' });
      expect((await edit(id, { channelType: 'banner' })).status).toBe(409);
      expect((await edit(id, {})).status).toBe(422);
    });

    it('says what changed between two versions, place by place', async () => {
      const id = await itemIn(api, people, 'draft', {
        channelType: 'webhook_json',
        content: { payload: { a: 1, 'b/c': [1, 2], gone: true } },
      });
      await edit(id, { content: { payload: { a: 2, 'b/c': [1, 2, 3], new: null } }, blocks: [] });
      const path = `/content/${id}/versions`;
      expect((await api.call(`GET ${path}/1/diff/2`)).body).toEqual({
        from: 1,
        to: 2,
        changes: [
          { pointer: '/content/payload/a', change: 'changed', before: 1, after: 2 },
          { pointer: '/content/payload/b~1c/2', change: 'added', after: 3 },
          { pointer: '/content/payload/new', change: 'added', after: null },
          { pointer: '/content/payload/gone', change: 'removed', before: true },
          { pointer: '/blocks', change: 'changed', before: null, after: [] },
        ],
      });
      expect(at((await api.call(`GET ${path}/2/diff/2`)).body, 'changes')).toEqual([]);
      for (const wrong of ['1/diff/3', '0/diff/1', 'a/diff/1', '1/diff/99999999999']) {
        expect((await api.call(`GET ${path}/${wrong}`)).status, wrong).toBe(404);
      }
    });

    it('reverts into a new draft and leaves what is live alone', async () => {
      const id = await itemIn(api, people, 'published');
      await edit(id, { content: { body: 'Edited' } });
      const answer = await api.call(`POST /content/${id}/revert/1`, { token: people.author });
      expect(answer.body).toMatchObject({
        status: 'draft',
        version: 4,
        publishedVersion: 2,
        content: SMS.content,
      });
      const [newest] = rowsOf(await api.call(`GET /content/${id}/versions`));
      expect(newest).toMatchObject({ version: 4, changeNote: 'Reverted to version 1' });
      expect((await api.call(`POST /content/${id}/revert/9`, { token: people.author })).status).toBe(404);
    });

    it('does not publish while a variable has neither a value nor a fallback', async () => {
      const id = await itemIn(api, people, 'approved');
      unresolved = ['customer.nickname'];
      const answer = await callContent(api, people.author, 'publish', id);
      unresolved = [];
      expect(answer.status).toBe(422);
      expect(at(answer.body, 'detail')).toContain('customer.nickname');
      expect(at((await api.call(`GET /content/${id}`)).body, 'status')).toBe('approved');
      expect((await callContent(api, people.author, 'publish', id)).status).toBe(200);
    });

    it('makes items from a template', async () => {
      const personalization = [{ variable: 'customer.name', source: 'customer', fallback: 'you' }];
      const template = await itemIn(api, people, 'published', {
        isTemplate: true,
        content: { body: 'Hi {{ customer.name }}' },
        blocks: [1],
        personalization,
      });
      await edit(template, { content: { body: 'Not approved yet' } });
      const made = await create({ name: 'From template', parentTemplateId: template, blocks: null });
      expect(made.body).toMatchObject({
        channelType: 'sms_text',
        content: { body: 'Hi {{ customer.name }}' },
        blocks: null,
        personalization,
        parentTemplateId: template,
        isTemplate: false,
        status: 'draft',
        version: 1,
      });
      const plain = await itemIn(api, people, 'draft');
      expect((await create({ name: 'Of no template', parentTemplateId: plain })).status).toBe(422);
      const wrong = await create({ name: 'Other type', channelType: 'banner', parentTemplateId: template });
      expect(pointersOf(wrong)).toEqual(['/channelType']);
    });

    it('gives other parts what is published, and versions that they pinned', async () => {
      const { database } = api.runtime;
      const published = await itemIn(api, people, 'published');
      const draft = await itemIn(api, people, 'draft');
      await edit(published, { content: { body: 'Newer' } });
      const keys = [published, draft, published].map((itemId) => ({ accountId: api.accountId, itemId }));
      const rows = await readPublished(database, keys);
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({
        item_id: published,
        version: 2,
        channel_type: 'sms_text',
        ...{ content: SMS.content },
      });
      const other = await api.otherAccount(`reader-${kind}`);
      expect(await readPublished(database, [{ accountId: other, itemId: published }])).toEqual([]);
      const pinned = [
        { itemId: published, version: 3 },
        { itemId: draft, version: 1 },
        { itemId: draft, version: 2 },
      ];
      const versions = await readVersions(database, pinned);
      expect(new Set(versions.map((row) => row.content))).toEqual(new Set([SMS.content, { body: 'Newer' }]));
    });

    it('says in the audit what changed', async () => {
      const id = await itemIn(api, people, 'approved');
      const { userId } = await api.tokens.callerOf(`Bearer ${people.reviewer}`);
      const rows = await api.runtime.database.query(
        'select action, user_id, before, after from audit where subject = $1 order by id desc',
        [`content/${id}`],
      );
      expect(rows.map((row) => row.action)).toEqual(['content.approve', 'content.submit', 'content.create']);
      expect(rows[0]).toMatchObject({
        user_id: userId,
        before: { status: 'in_review', version: 1 },
        after: { status: 'approved', version: 1 },
      });
      expect(api.errors).toEqual([]);
    });
  });
}
