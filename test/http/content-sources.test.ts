/** The API of content sources: who may, what is refused, what is never shown, and what webhooks are answered. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lanes } from '../../src/flows/lanes/lanes.ts';
import { createLanes } from '../../src/flows/lanes/lanes.ts';
import { auditRoutes } from '../../src/http/routes/audit.ts';
import { contentSourceRoutes } from '../../src/http/routes/content-sources.ts';
import { at, pointersOf, rowsOf, textAt } from '../support/answers.ts';
import { type Api, openApi } from '../support/api.ts';

const SECRET = 'a-webhook-secret-of-the-tests';
const noSend = () => Promise.reject(new Error('Nothing is asked in these tests.'));

describe('content sources', () => {
  let api: Api;
  let editor: string;
  let viewer: string;
  beforeAll(async () => {
    let lanes: Lanes | undefined;
    api = await openApi(({ runtime }) => {
      lanes ??= createLanes(runtime);
      return [...contentSourceRoutes(runtime, lanes, noSend, () => {}), ...auditRoutes(runtime)];
    });
    [editor, viewer] = [await api.tokenOf('editor'), await api.tokenOf('viewer')];
  });
  afterAll(() => api.close());

  let made = 0;
  const source = (more: object = {}) => {
    made += 1;
    return {
      name: `Blog ${made}`,
      provider: 'wordpress',
      config: { url: 'https://blog.example.com', username: 'reader', applicationPassword: 'abcd efgh ijkl' },
      mappings: { 'title.rendered': 'name', 'content.rendered': 'content.html' },
      channelType: 'email_html',
      ...more,
    };
  };
  const create = (more: object = {}) => api.call('POST /content-sources', { json: source(more) });
  const waiting = async () =>
    (await api.runtime.database.query<{ payload: string }>('select payload from waiting')).map((row) =>
      JSON.parse(row.payload),
    );

  it('are written by admins, and read by everybody', async () => {
    const id = textAt(await create(), 'id');
    const path = `/content-sources/${id}`;
    for (const token of [editor, viewer]) {
      for (const [call, json] of [
        ['POST /content-sources', source()],
        [`PUT ${path}`, { name: 'Other' }],
        [`DELETE ${path}`, undefined],
        [`POST ${path}/sync`, undefined],
        [`POST ${path}/test`, undefined],
      ] as const) {
        expect(await api.call(call, { token, ...(json !== undefined && { json }) }), call).toMatchObject({
          status: 403,
        });
      }
      expect(rowsOf(await api.call('GET /content-sources', { token })).some((row) => row.id === id)).toBe(
        true,
      );
      expect(await api.call(`GET ${path}`, { token })).toMatchObject({ status: 200 });
      expect(await api.call(`GET ${path}/problems`, { token })).toMatchObject({ status: 200 });
    }
  });

  it('of another account are not there', async () => {
    const id = textAt(await create({ webhookSecret: SECRET }), 'id');
    const token = await api.tokenOf('admin', await api.otherAccount('other'));
    const path = `/content-sources/${id}`;
    for (const call of [
      `GET ${path}`,
      `DELETE ${path}`,
      `POST ${path}/sync`,
      `POST ${path}/test`,
      `GET ${path}/problems`,
    ]) {
      expect(await api.call(call, { token }), call).toMatchObject({ status: 404 });
    }
    expect(await api.call(`PUT ${path}`, { token, json: { name: 'x' } })).toMatchObject({ status: 404 });
    expect(rowsOf(await api.call('GET /content-sources', { token }))).toEqual([]);
  });

  it('have defaults, and names that are unique', async () => {
    const answer = await create();
    expect(answer).toMatchObject({
      status: 201,
      body: {
        tenantId: api.accountId,
        syncMode: 'webhook',
        syncIntervalMinutes: null,
        autoPublish: false,
        status: 'active',
        webhookSecret: null,
        lastSyncAt: null,
        lastError: null,
        config: { url: 'https://blog.example.com', collection: 'posts' },
      },
    });
    expect(
      await api.call('POST /content-sources', { json: { ...source(), name: textAt(answer, 'name') } }),
    ).toMatchObject({
      status: 409,
    });
    const other = textAt(await create(), 'id');
    expect(
      await api.call(`PUT /content-sources/${other}`, { json: { name: textAt(answer, 'name') } }),
    ).toMatchObject({ status: 409 });
  });

  it('show of secrets only that they are set, and when', async () => {
    const answer = await create({ webhookSecret: SECRET });
    const id = textAt(answer, 'id');
    const masked = { set: true, setAt: expect.any(String) };
    expect(answer.body).toMatchObject({
      config: { username: 'reader', applicationPassword: masked },
      webhookSecret: masked,
    });
    // Sent back as it was shown, or left out, a secret stays.
    const changed = await api.call(`PUT /content-sources/${id}`, {
      json: { config: at(answer.body, 'config'), webhookSecret: at(answer.body, 'webhookSecret') },
    });
    expect(changed.body).toMatchObject({ config: { applicationPassword: masked }, webhookSecret: masked });
    await api.call(`PUT /content-sources/${id}`, { json: { config: { url: 'https://b.example.com' } } });
    const cleared = await api.call(`PUT /content-sources/${id}`, {
      json: { config: { url: 'https://b.example.com', applicationPassword: null }, webhookSecret: null },
    });
    expect(cleared.body).toMatchObject({ webhookSecret: null });
    expect(at(cleared.body, 'config')).toEqual({ url: 'https://b.example.com', collection: 'posts' });
    const everything = JSON.stringify([
      await api.runtime.database.query('select * from content_source'),
      (await api.call('GET /audit?limit=100')).body,
      (await api.call('GET /content-sources?limit=100')).body,
    ]);
    expect(everything).not.toContain('abcd efgh');
    expect(everything).not.toContain(SECRET);
    expect(everything).toContain('content-sources.update');
  });

  it.each([
    ['another provider', { provider: 'drupal' }, '/provider'],
    ['no url', { config: {} }, '/config/url'],
    ['an address that is none', { config: { url: 'ftp://example.com' } }, '/config/url'],
    [
      'a password in an address, which everybody sees',
      { config: { url: 'https://reader:secret@a.example' } },
      '/config/url',
    ],
    ['an unknown setting', { config: { url: 'https://a.example', pasword: 'x' } }, '/config/pasword'],
    [
      'an interval that is too long',
      { syncMode: 'polling', syncIntervalMinutes: 1_441 },
      '/syncIntervalMinutes',
    ],
    ['an interval of nothing', { syncMode: 'polling', syncIntervalMinutes: 0 }, '/syncIntervalMinutes'],
    ['an interval without polling', { syncIntervalMinutes: 5 }, '/syncIntervalMinutes'],
    ['a short secret', { webhookSecret: 'short' }, '/webhookSecret'],
    ['no name', { mappings: { body: 'content.html' } }, '/mappings'],
    ['a type without what it needs', { mappings: { title: 'name' } }, '/mappings'],
    ['a key that the type has not', { mappings: { title: 'name', body: 'content.htm' } }, '/mappings/body'],
    ['a path that is none', { mappings: { 'a..b': 'name', body: 'content.html' } }, '/mappings/a..b'],
    ['a place inside a text', { mappings: { title: 'name', body: 'content.html.deep' } }, '/mappings/body'],
    [
      'two values for one place',
      { mappings: { title: 'name', body: ['content.html', 'name'] } },
      '/mappings/body',
    ],
    [
      'a member of an item that nobody maps',
      { mappings: { title: 'name', body: 'content.html', x: 'status' } },
      '/mappings/x',
    ],
  ])('refuse %s', async (_what, more, pointer) => {
    const answer = await create(more);
    expect(answer.status).toBe(422);
    expect(pointersOf(answer)).toContain(pointer);
  });

  it('say how an address looks, and not how a pattern does', async () => {
    const { body } = await create({ config: { url: 'blog' } });
    expect(at(body, 'problems')).toContainEqual({
      pointer: '/config/url',
      message: 'Does not have the right form, which is for example "https://cms.example.com".',
    });
    expect(at((await create({ name: ' ' })).body, 'problems')).toEqual([
      { pointer: '/name', message: 'Must not be blank.' },
    ]);
  });

  it('never change their provider', async () => {
    const id = textAt(await create(), 'id');
    expect(await api.call(`PUT /content-sources/${id}`, { json: { provider: 'sanity' } })).toMatchObject({
      status: 409,
    });
  });

  it('begin to poll at once, and leave one row that counts', async () => {
    const id = textAt(await create({ syncMode: 'poll' }), 'id');
    const rows = async () => (await waiting()).filter((each) => each.sourceId === id);
    expect(await rows()).toEqual([{ sourceId: id, kind: 'sync', full: true }]);
    expect(await api.call(`POST /content-sources/${id}/sync`)).toMatchObject({ status: 202 });
    const [row] = await api.runtime.database.query<{ sync_id: string }>(
      'select sync_id from content_source where id = $1',
      [id],
    );
    const [newest] = await api.runtime.database.query<{ id: string }>(
      'select id from waiting order by id desc limit 1',
    );
    expect(row?.sync_id).toBe(newest?.id);
    expect(await api.call(`PUT /content-sources/${id}`, { json: { status: 'paused' } })).toMatchObject({
      body: { status: 'paused', syncIntervalMinutes: 60 },
    });
    expect(await api.call(`POST /content-sources/${id}/sync`)).toMatchObject({ status: 409 });
  });

  describe('webhooks', () => {
    const post = (id: string, body: string, signature?: string, type = 'application/json') =>
      api.call(`POST /cms/webhook/${id}`, {
        token: 'none',
        body,
        headers: {
          'content-type': type,
          ...(signature !== undefined && { 'x-webhook-signature': signature }),
        },
      });
    const sign = (body: string, secret = SECRET) =>
      `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
    const body = '{ "post_id": 12, "post": { "post_title": "ä" } }';

    it('write one row and are answered 202', async () => {
      const id = textAt(await create({ webhookSecret: SECRET }), 'id');
      expect(await post(id, body, sign(body))).toMatchObject({ status: 202, text: '' });
      expect((await waiting()).filter((each) => each.sourceId === id)).toEqual([
        { sourceId: id, kind: 'entry', externalId: '12' },
      ]);
    });

    it('are answered 400 for what is no id, and 404 for an unknown one', async () => {
      expect(await post('blog', body, sign(body))).toMatchObject({ status: 400 });
      expect(await post(api.runtime.ids.next(), body, sign(body))).toMatchObject({ status: 404 });
    });

    it('are answered 403 where no secret is set', async () => {
      const id = textAt(await create(), 'id');
      expect(await post(id, body, sign(body))).toMatchObject({ status: 403 });
    });

    it('are answered 401 for every signature but the right one, and then write nothing', async () => {
      const id = textAt(await create({ webhookSecret: SECRET }), 'id');
      for (const signature of [
        undefined,
        '',
        'sha256=',
        sign(body).slice('sha256='.length),
        sign(body, 'another-secret-of-others'),
        sign(`${body} `),
        `${sign(body)}00`,
        `sha256=${'z'.repeat(64)}`,
      ]) {
        expect(await post(id, body, signature), String(signature)).toMatchObject({ status: 401 });
      }
      // Before anything else is said about the body.
      expect(await post(id, 'no json', sign(body))).toMatchObject({ status: 401 });
      expect((await waiting()).filter((each) => each.sourceId === id)).toEqual([]);
    });

    it.each([
      ['no JSON', 'no json'],
      ['no id', '{ "title": "x" }'],
      ['an id that is none', '{ "id": "../../users" }'],
    ])('are answered 400 for %s', async (_what, text) => {
      const id = textAt(await create({ webhookSecret: SECRET }), 'id');
      expect(await post(id, text, sign(text))).toMatchObject({ status: 400 });
    });

    it('find the id where each CMS puts it', async () => {
      const contentful = {
        provider: 'contentful',
        config: { spaceId: 's', contentType: 'c', accessToken: 't' },
      };
      const five = { provider: 'strapi', config: { url: 'https://s.example', collection: 'articles' } };
      const four = { provider: 'strapi', config: { ...five.config, version: 4 } };
      const sanity = { provider: 'sanity', config: { projectId: 'p', type: 't' } };
      for (const [more, sent, externalId] of [
        [{}, { id: 5 }, '5'],
        [contentful, { sys: { id: 'abc', type: 'Entry' } }, 'abc'],
        [five, { event: 'entry.delete', entry: { id: 3, documentId: 'doc1' } }, 'doc1'],
        [four, { event: 'entry.delete', entry: { id: 3 } }, '3'],
        [sanity, { _id: 'versions.r1.post-1' }, 'post-1'],
      ] as const) {
        const id = textAt(await create({ ...more, webhookSecret: SECRET }), 'id');
        const text = JSON.stringify(sent);
        const type = 'application/vnd.contentful.management.v1+json; charset=utf-8';
        expect(await post(id, text, sign(text), type)).toMatchObject({ status: 202 });
        expect((await waiting()).find((each) => each.sourceId === id)).toMatchObject({ externalId });
      }
    });
  });
});
