/** The rows of the table of transitions that content sources make: each of their calls, on an item in each state. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ContentCall, STATUSES, TRANSITIONS } from '../../src/content/lifecycle.ts';
import { Failure } from '../../src/errors.ts';
import { saveFromSource } from '../../src/flows/content/save-from-source.ts';
import { withdrawFromSource } from '../../src/flows/content/withdraw-from-source.ts';
import { at, rowsOf } from '../support/answers.ts';
import type { Api } from '../support/api.ts';
import { callContent, openContentApi, type Status } from '../support/content.ts';
import { databaseKinds } from '../support/database.ts';

const CALLS = ['sync', 'sync_publish', 'sync_withdraw'] as const;
type SourceCall = (typeof CALLS)[number];

/** What leads where, as the product promises it. */
const ALLOWED: Readonly<Record<Status, Readonly<Partial<Record<SourceCall, Status>>>>> = {
  draft: { sync: 'draft', sync_publish: 'published', sync_withdraw: 'draft' },
  in_review: {},
  approved: { sync: 'draft', sync_publish: 'published', sync_withdraw: 'draft' },
  published: { sync: 'draft', sync_publish: 'published', sync_withdraw: 'draft' },
  archived: {},
};

const WAYS: Readonly<Record<Status, readonly ContentCall[]>> = {
  draft: [],
  in_review: ['submit'],
  approved: ['submit', 'approve'],
  published: ['submit', 'approve', 'publish'],
  archived: ['archive'],
};

it('the table says of sources what is promised, and nothing else', () => {
  const rows = TRANSITIONS.filter(({ from, who }) => from !== null && who.includes('source'));
  const said = Object.fromEntries(
    STATUSES.map((status) => [
      status,
      Object.fromEntries(rows.filter(({ from }) => from === status).map(({ call, to }) => [call, to])),
    ]),
  );
  expect(said).toEqual(ALLOWED);
  expect(rows.every(({ who }) => who.length === 1)).toBe(true);
});

describe.each(await databaseKinds())('a content source on the %s database', (kind) => {
  let api: Api;
  let author: string;
  let reviewer: string;
  let sourceId: string;
  beforeAll(async () => {
    api = await openContentApi(kind);
    [author, reviewer] = [await api.tokenOf('editor'), await api.tokenOf('editor')];
    sourceId = api.runtime.ids.next();
  });
  afterAll(() => api.close());

  const save = (externalId: string, body: string, autoPublish = false) =>
    saveFromSource(
      api.runtime,
      {
        accountId: api.accountId,
        sourceId,
        sourceType: 'strapi',
        externalId,
        channelType: 'sms_text',
        name: `Entry ${externalId}`,
        content: { body },
        autoPublish,
      },
      () => [],
    );
  const act = (call: SourceCall, externalId: string) =>
    call === 'sync_withdraw'
      ? withdrawFromSource(api.runtime, { accountId: api.accountId, sourceId, externalId })
      : save(externalId, 'Changed there', call === 'sync_publish').then(({ outcome }) => outcome);
  const whole = async (id: string) => ({
    item: (await api.call(`GET /content/${id}`)).body,
    history: (await api.call(`GET /content/${id}/history`)).body,
    audit: await api.runtime.database.query('select count(*)::int from audit where subject = $1', [
      `content/${id}`,
    ]),
  });

  it.each(STATUSES.flatMap((status) => CALLS.map((call) => ({ status, call }))))(
    'makes $call of what is $status, or changes nothing',
    async ({ status, call }) => {
      const externalId = `${status}-${call}`;
      const { id } = (await save(externalId, 'As it was')).item;
      for (const step of WAYS[status]) {
        const answer = await callContent(api, step === 'approve' ? reviewer : author, step, id);
        expect(answer.status, `${step}: ${answer.text}`).toBeLessThan(300);
      }
      const before = await whole(id);
      const to = ALLOWED[status][call];
      if (to === undefined) {
        if (status === 'in_review')
          await expect(act(call, externalId)).rejects.toMatchObject({ code: 'WRONG_STATE' });
        else expect(await act(call, externalId)).toBe(call === 'sync_withdraw' ? 'none' : 'archived');
        expect(await whole(id)).toEqual(before);
        return;
      }
      await act(call, externalId);
      const after = await whole(id);
      const live = at(before, 'item.publishedVersion');
      const version = at(after, 'item.version');
      expect(after.item).toMatchObject({
        status: to,
        submittedBy: null,
        approvedBy: null,
        publishedVersion: { sync: live, sync_publish: version, sync_withdraw: null }[call],
      });
      expect(at(after, 'history.data.0')).toMatchObject({ call, from: status, to, by: null });
      expect(version).toBe(Number(at(before, 'item.version')) + (call === 'sync_withdraw' ? 0 : 1));
    },
  );

  it.each(Array.from({ length: 6 }, (_, round) => [round]))(
    'loses nothing where people and the source write at the same moment (round %i)',
    async (round) => {
      const externalId = `together-${round}`;
      const { id } = (await save(externalId, 'As it was')).item;
      const edit = (body: string) =>
        api.call(`PUT /content/${id}`, { token: author, json: { content: { body } } });
      const [edited, saved] = await Promise.all([
        edit('Changed here'),
        save(externalId, 'Changed there', round % 2 === 0).catch((thrown: unknown) => thrown),
      ]);
      // Anyone who was too late is told, and tries again.
      if (edited.status === 409) expect((await edit('Changed here')).status).toBe(200);
      else expect(edited.status).toBe(200);
      if (saved instanceof Failure) {
        expect(saved.code).toBe('CONFLICT');
        expect(await save(externalId, 'Changed there', round % 2 === 0)).toMatchObject({
          outcome: 'conflict',
        });
      }
      const versions = await api.call(`GET /content/${id}/versions`);
      const bodies = rowsOf(versions).map((row) => at(row.content, 'body'));
      expect(bodies.toSorted()).toEqual(['As it was', 'Changed here', 'Changed there']);
      const item = (await api.call(`GET /content/${id}`)).body;
      expect(item).toMatchObject({ status: 'draft', content: { body: 'Changed here' } });
      // Where the source was first, the edit was made in the sight of what it had sent.
      expect(at(item, 'conflict') === null).toBe(bodies[0] === 'Changed here');
    },
  );
});
