/** Content sources against servers that answer as the providers document: paging, changes, deletions, broken entries. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CONTENTFUL_LIMITED } from '../support/cms/contentful.ts';
import type { CmsAnswer } from '../support/cms/entry.ts';
import { type Cms, type CmsKind, entriesOf, startCms } from '../support/cms-server.ts';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import {
  addSource,
  connectionOf,
  itemsOf,
  problemsOf,
  sendWebhook,
  sourceOf,
  syncNow,
} from '../support/sources.ts';

/** Strapi's own middleware and most proxies say how long in seconds. */
const STRAPI_LIMITED: CmsAnswer = {
  status: 429,
  headers: { 'retry-after': '15' },
  body: {
    data: null,
    error: { status: 429, name: 'RateLimitError', message: 'Too many requests', details: {} },
  },
};
/** Without a header: 30 seconds are kept then. */
const SANITY_LIMITED: CmsAnswer = {
  status: 429,
  body: { statusCode: 429, error: 'Too Many Requests', message: 'Rate limit exceeded' },
};
const padded = (number: number) => `e${String(number).padStart(4, '0')}`;
const KINDS: readonly {
  kind: CmsKind;
  idOf: (number: number) => string;
  webhook: (id: string) => object;
  /** What it answers when it is asked too much. */
  limited: CmsAnswer;
}[] = [
  {
    kind: 'wordpress',
    idOf: String,
    webhook: (id) => ({ post_id: Number(id), post: { ID: Number(id), post_title: 'Forged' } }),
    // It has no limit of its own; what stands in front of it does.
    limited: { status: 503, headers: { 'retry-after': '20' }, body: '<h1>Service Unavailable</h1>' },
  },
  {
    kind: 'contentful',
    idOf: padded,
    webhook: (id) => ({ sys: { type: 'DeletedEntry', id, environment: { sys: { id: 'master' } } } }),
    limited: CONTENTFUL_LIMITED,
  },
  {
    kind: 'strapi4',
    idOf: String,
    webhook: (id) => ({
      event: 'entry.update',
      model: 'article',
      entry: { id: Number(id), title: 'Forged' },
    }),
    limited: STRAPI_LIMITED,
  },
  {
    kind: 'strapi5',
    idOf: padded,
    webhook: (id) => ({
      event: 'entry.publish',
      model: 'article',
      uid: 'api::article.article',
      entry: { id: 7, documentId: id },
    }),
    limited: STRAPI_LIMITED,
  },
  {
    kind: 'sanity',
    idOf: padded,
    webhook: (id) => ({ _id: `drafts.${id}`, _type: 'article' }),
    limited: SANITY_LIMITED,
  },
];

let corridor: Corridor;
beforeAll(async () => {
  corridor = await openCorridor('embedded');
});
afterAll(() => corridor.end());

describe.each(KINDS)('$kind', ({ kind, idOf, webhook, limited }) => {
  let cms: Cms;
  let id: string;
  const name = (number: number) => `${kind} ${number}`;
  const entries = (count: number) =>
    entriesOf(count, idOf).map((entry, index) => ({ ...entry, title: name(index + 1) }));
  beforeAll(async () => {
    cms = await startCms(kind);
    cms.entries = entries(230);
    cms.entries.push({ id: idOf(900), title: name(900), body: 'Not yet', draft: true });
    id = await addSource(corridor, kind, cms);
  });
  afterAll(() => cms.end());
  beforeEach(() => {
    cms.seen.length = 0;
  });

  it('brings every published entry of every page, once', async () => {
    const source = await syncNow(corridor, id);
    expect(source.lastSync).toMatchObject({ full: true, pages: 3, created: 230, unchanged: 0, problems: 0 });
    const items = await itemsOf(corridor, id);
    expect(items.size).toBe(230);
    expect(items.get(idOf(130))).toMatchObject({
      name: name(130),
      status: 'draft',
      version: 1,
      body: `Body of ${idOf(130)}`,
    });
    expect(cms.seen).toHaveLength(3);
  });

  it('makes no new versions of what did not change', async () => {
    const source = await syncNow(corridor, id);
    expect(source.lastSync).toMatchObject({ created: 0, updated: 0, unchanged: 230, problems: 0 });
    const [counted] = await corridor.database.query<{ versions: number }>(
      `select count(*)::int as versions from content_version v join content_item i on i.id = v.item_id
       where i.source_id = $1`,
      [id],
    );
    expect(counted?.versions).toBe(230);
  });

  it('takes changes over, lists a broken entry with its reason, and goes on after it', async () => {
    cms.entries[4] = { id: idOf(5), title: name(5), body: 'Changed', changedAt: '2026-01-01T00:00:00.000Z' };
    cms.entries[5] = { id: idOf(6), title: name(6), body: '{{ broken' };
    cms.entries[6] = { id: idOf(7), title: undefined, body: 'Nameless' };
    const source = await syncNow(corridor, id);
    expect(source.lastSync).toMatchObject({ updated: 1, unchanged: 227, problems: 2, withdrawn: 0 });
    expect(source).toMatchObject({ status: 'active', lastError: null, failures: 0 });
    expect((await itemsOf(corridor, id)).get(idOf(5))).toMatchObject({ version: 2, body: 'Changed' });
    const problems = await problemsOf(corridor, id);
    expect([...problems.keys()].sort()).toEqual([idOf(6), idOf(7)].sort());
    expect(problems.get(idOf(7))).toContain('no value at "title');
    cms.entries = entries(230);
    expect((await syncNow(corridor, id)).lastSync).toMatchObject({ problems: 0 });
    expect(await problemsOf(corridor, id)).toEqual(new Map());
  });

  it('withdraws what is no longer there, and brings it back with its next appearance', async () => {
    const [gone] = cms.entries.splice(9, 1);
    expect((await syncNow(corridor, id)).lastSync).toMatchObject({ withdrawn: 1, unchanged: 229 });
    const item = (await itemsOf(corridor, id)).get(idOf(10));
    expect(item).toMatchObject({ status: 'draft', publishedVersion: null });
    expect(item?.conflict).toContain('no longer has this entry');
    expect((await syncNow(corridor, id)).lastSync).toMatchObject({ withdrawn: 0, unchanged: 229 });
    if (gone !== undefined) cms.entries.push(gone);
    expect((await syncNow(corridor, id)).lastSync).toMatchObject({ updated: 1 });
    expect((await itemsOf(corridor, id)).get(idOf(10))).toMatchObject({ conflict: null });
  });

  it('fetches what a signed webhook names, and believes nothing else of it', async () => {
    cms.entries[0] = {
      id: idOf(1),
      title: name(1),
      body: 'By webhook',
      changedAt: '2026-02-01T00:00:00.000Z',
    };
    expect(await sendWebhook(corridor, id, webhook(idOf(1)))).toMatchObject({ status: 202 });
    await corridor.idle();
    expect((await itemsOf(corridor, id)).get(idOf(1))).toMatchObject({ name: name(1), body: 'By webhook' });
    expect(cms.seen).toHaveLength(1);
    // A webhook about what never was here changes nothing.
    expect(await sendWebhook(corridor, id, webhook(idOf(800)))).toMatchObject({ status: 202 });
    await corridor.idle();
    expect((await itemsOf(corridor, id)).has(idOf(800))).toBe(false);
    expect(await problemsOf(corridor, id)).toEqual(new Map());
  });

  it('withdraws what was deleted when a webhook says so', async () => {
    cms.entries = cms.entries.filter((entry) => entry.id !== idOf(2));
    await sendWebhook(corridor, id, webhook(idOf(2)));
    await corridor.idle();
    expect((await itemsOf(corridor, id)).get(idOf(2))?.conflict).toContain('no longer has this entry');
  });

  it('keeps the pause that it is asked for, and goes on after it', async () => {
    cms.refuse(1, limited);
    const paused = await syncNow(corridor, id);
    expect(paused).toMatchObject({ status: 'active', failures: 0, lastError: null });
    expect(Date.parse(paused.blockedUntil)).toBeGreaterThan(corridor.runtime.clock.now());
    expect(cms.seen).toHaveLength(1);
    await corridor.pass(30);
    expect(await sourceOf(corridor, id)).toMatchObject({ blockedUntil: null, lastSync: { problems: 0 } });
    expect(cms.seen.length).toBeGreaterThan(1);
  });

  it('says in the test what it finds, and what credentials it was refused', async () => {
    const found = await corridor.api(`POST /content-sources/${id}/test`);
    expect(found.body).toMatchObject({ ok: true, code: null, entries: [{ problems: [] }, {}, {}] });
    const { config } = connectionOf(kind, cms);
    const secret = { applicationPassword: 'wrong one', accessToken: 'wrong-one', token: 'wrong-one' };
    const wrong = Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key, key in secret ? secret[key as 'token'] : value]),
    );
    await corridor.api(`PUT /content-sources/${id}`, { config: wrong });
    const refused = await corridor.api(`POST /content-sources/${id}/test`);
    expect(refused).toMatchObject({ status: 200, body: { ok: false, code: 'AUTH_FAILED' } });
    expect(refused.body.message).toContain('(401)');
    await corridor.api(`PUT /content-sources/${id}`, { config });
    expect(await sourceOf(corridor, id)).toMatchObject({ status: 'active' });
  });
});
