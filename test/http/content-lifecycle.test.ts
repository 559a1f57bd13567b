/** The table of a content item's life, walked whole: every call, from every state, by everybody who might try. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PERMISSIONS } from '../../src/access/permissions.ts';
import { STATUSES, TRANSITIONS } from '../../src/content/lifecycle.ts';
import { at, pointersOf, rowsOf, textAt } from '../support/answers.ts';
import type { Api } from '../support/api.ts';
import { callContent, itemIn, openContentApi, SMS, type Status, secondToken } from '../support/content.ts';
import { databaseKinds } from '../support/database.ts';

const CALLS = ['edit', 'submit', 'approve', 'reject', 'publish', 'revert', 'archive'] as const;

/** What leads where, as the product promises it. */
const ALLOWED: Readonly<Record<Status, Readonly<Record<string, Status>>>> = {
  draft: { edit: 'draft', submit: 'in_review', revert: 'draft', archive: 'archived' },
  in_review: { approve: 'approved', reject: 'draft' },
  approved: { edit: 'draft', publish: 'published', revert: 'draft', archive: 'archived' },
  published: { edit: 'draft', revert: 'draft', archive: 'archived' },
  archived: {},
};

it('the table says what is promised, and nothing else', () => {
  const rows = TRANSITIONS.filter(({ from, who }) => from !== null && !who.includes('source'));
  const said = Object.fromEntries(
    STATUSES.map((status) => [
      status,
      Object.fromEntries(rows.filter(({ from }) => from === status).map(({ call, to }) => [call, to])),
    ]),
  );
  expect(said).toEqual(ALLOWED);
  expect(new Set(rows.map(({ call }) => call))).toEqual(new Set(CALLS));
  for (const { call, who } of [...rows, ...TRANSITIONS.filter((each) => each.call === 'create')]) {
    expect(who, call).toEqual(PERMISSIONS['content.write']);
  }
  expect(TRANSITIONS.filter(({ notSubmitter }) => notSubmitter).map(({ call }) => call)).toEqual(['approve']);
});

for (const kind of await databaseKinds()) {
  describe(`on the ${kind} database`, () => {
    let api: Api;
    let tokens: Record<
      'author' | 'reviewer' | 'admin' | 'viewer' | 'authorAgain' | 'authorAsAdmin' | 'reviewerAsViewer',
      string
    >;
    beforeAll(async () => {
      api = await openContentApi(kind);
      const [author, reviewer, admin, viewer] = [
        await api.tokenOf('editor'),
        await api.tokenOf('editor'),
        await api.tokenOf('admin'),
        await api.tokenOf('viewer'),
      ];
      tokens = {
        author,
        reviewer,
        admin,
        viewer,
        authorAgain: await secondToken(api, author, 'editor'),
        // The token says admin; its user is an editor, and is the author still.
        authorAsAdmin: await secondToken(api, author, 'admin'),
        reviewerAsViewer: await secondToken(api, reviewer, 'viewer'),
      };
    });
    afterAll(() => api.close());

    const AUTHORS = ['author', 'authorAgain', 'authorAsAdmin'];
    const VIEWERS = ['viewer', 'reviewerAsViewer'];
    const whole = async (id: string) => ({
      item: (await api.call(`GET /content/${id}`)).body,
      history: (await api.call(`GET /content/${id}/history`)).body,
      audit: await api.runtime.database.query('select count(*)::int from audit where subject = $1', [
        `content/${id}`,
      ]),
    });

    it.each(STATUSES)(
      'from %s',
      async (status) => {
        let id = '';
        for (const who of Object.keys(tokens) as (keyof typeof tokens)[]) {
          for (const call of CALLS) {
            if (id === '') id = await itemIn(api, tokens, status);
            const before = await whole(id);
            const answer = await callContent(api, tokens[who], call, id);
            const tried = `${who} tries ${call} from ${status}: ${answer.text}`;
            const to = ALLOWED[status][call];
            if (VIEWERS.includes(who)) expect(answer.status, tried).toBe(403);
            else if (to === undefined) {
              expect(answer.status, tried).toBe(409);
              expect(at(answer.body, 'detail'), tried).toContain(status);
            } else if (call === 'approve' && AUTHORS.includes(who)) {
              expect(answer.status, tried).toBe(403);
              expect(at(answer.body, 'code')).toBe('FOUR_EYES');
            } else {
              expect(answer.status, tried).toBe(call === 'archive' ? 204 : 200);
              const after = await whole(id);
              expect(at(after, 'item.status'), tried).toBe(to);
              expect(at(after, 'history.data.0'), tried).toMatchObject({ call, from: status, to });
              id = '';
              continue;
            }
            expect(await whole(id), tried).toEqual(before);
          }
        }
      },
      120_000,
    );

    it('from nothing', async () => {
      for (const who of Object.keys(tokens) as (keyof typeof tokens)[]) {
        const json = { name: `From nothing, by ${who}`, ...SMS };
        const answer = await api.call('POST /content', { token: tokens[who], json });
        const found = rowsOf(await api.call(`GET /content?q=${encodeURIComponent(json.name)}`));
        if (VIEWERS.includes(who)) {
          expect(answer.status, who).toBe(403);
          expect(found.filter((row) => row.name === json.name)).toEqual([]);
          continue;
        }
        expect(answer.status, who).toBe(201);
        expect((await whole(textAt(answer, 'id'))).history).toMatchObject({
          data: [{ call: 'create', from: null, to: 'draft', version: 1 }],
          pagination: { total: 1 },
        });
      }
    });

    it('knows the submitter of this review, not of an earlier one', async () => {
      const id = await itemIn(api, tokens, 'in_review');
      expect((await callContent(api, tokens.reviewer, 'reject', id)).status).toBe(200);
      expect((await callContent(api, tokens.reviewer, 'submit', id)).status).toBe(200);
      expect((await callContent(api, tokens.reviewer, 'approve', id)).status).toBe(403);
      expect((await callContent(api, tokens.author, 'approve', id)).status).toBe(200);
    });

    it('holds an editor back whom an admin made an admin in the meantime', async () => {
      const author = await api.tokenOf('editor');
      const id = await itemIn(api, { author, reviewer: tokens.reviewer }, 'in_review');
      const { userId } = await api.tokens.callerOf(`Bearer ${author}`);
      await api.runtime.database.query("update app_user set role = 'admin' where id = $1", [userId]);
      const asAdmin = await secondToken(api, author, 'admin');
      expect((await api.tokens.callerOf(`Bearer ${asAdmin}`)).role).toBe('admin');
      expect((await callContent(api, asAdmin, 'approve', id)).status).toBe(403);
    });

    it('holds a user back who was disabled and enabled again, and knows nobody who is disabled', async () => {
      const author = await api.tokenOf('editor');
      const id = await itemIn(api, { author, reviewer: tokens.reviewer }, 'in_review');
      const { userId } = await api.tokens.callerOf(`Bearer ${author}`);
      const set = async (status: string) => {
        await api.runtime.database.query('update app_user set status = $2 where id = $1', [userId, status]);
        api.tokens.forget();
      };
      await set('disabled');
      const before = await whole(id);
      for (const call of CALLS) expect((await callContent(api, author, call, id)).status, call).toBe(401);
      expect(await whole(id)).toEqual(before);
      await set('active');
      expect((await callContent(api, author, 'approve', id)).status).toBe(403);
      expect((await callContent(api, tokens.reviewer, 'approve', id)).status).toBe(200);
    });

    it('holds the submitter back from a copy of a template and from what was reverted', async () => {
      const template = await itemIn(api, tokens, 'published', { isTemplate: true });
      const json = { name: `Copy on ${kind}`, parentTemplateId: template };
      const copy = textAt(await api.call('POST /content', { token: tokens.author, json }), 'id');
      const reverted = await itemIn(api, tokens, 'published');
      await callContent(api, tokens.author, 'revert', reverted);
      for (const id of [copy, reverted]) {
        expect(at((await api.call(`GET /content/${id}`)).body, 'approvedBy')).toBeNull();
        expect((await callContent(api, tokens.author, 'publish', id)).status).toBe(409);
        await callContent(api, tokens.author, 'submit', id);
        expect((await callContent(api, tokens.author, 'approve', id)).status).toBe(403);
      }
    });

    it('voids an approval with an edit, so that what is published was approved', async () => {
      const id = await itemIn(api, tokens, 'approved');
      const edited = await callContent(api, tokens.author, 'edit', id);
      expect(edited.body).toMatchObject({ status: 'draft', version: 2, approvedBy: null, submittedBy: null });
      expect((await callContent(api, tokens.author, 'publish', id)).status).toBe(409);
    });

    it('serves the published version while a new draft is made, and until it is archived', async () => {
      const id = await itemIn(api, tokens, 'published');
      const published = at((await api.call(`GET /content/${id}`)).body, 'publishedVersion');
      for (const call of ['edit', 'revert', 'submit']) {
        const { body } = await callContent(api, tokens.author, call, id);
        expect(at(body, 'publishedVersion'), call).toBe(published);
      }
      await callContent(api, tokens.reviewer, 'reject', id);
      await callContent(api, tokens.author, 'archive', id);
      expect((await api.call(`GET /content/${id}`)).body).toMatchObject({
        status: 'archived',
        publishedVersion: null,
      });
    });

    it('approves the version that was seen, and no later one', async () => {
      const id = await itemIn(api, tokens, 'in_review');
      await callContent(api, tokens.reviewer, 'reject', id);
      await callContent(api, tokens.author, 'edit', id);
      await callContent(api, tokens.author, 'submit', id);
      const approve = (version: number) =>
        api.call(`POST /content/${id}/approve`, { token: tokens.reviewer, json: { version } });
      expect((await approve(1)).status).toBe(409);
      expect((await approve(2)).body).toMatchObject({ status: 'approved', approvedVersion: 2 });
    });

    it.each([
      ['nothing', undefined],
      ['no feedback', {}],
      ['empty feedback', { feedback: ' ' }],
      ['a number', { feedback: 7 }],
      ['too much', { feedback: 'x'.repeat(2_001) }],
    ])('does not reject with %s', async (_what, json) => {
      const id = await itemIn(api, tokens, 'in_review');
      const given = { token: tokens.reviewer, ...(json !== undefined && { json }) };
      const answer = await api.call(`POST /content/${id}/reject`, given);
      expect(answer.status).toBe(400);
      expect(pointersOf(answer)).toEqual(['/feedback']);
    });

    it('keeps the feedback, up to 2,000 characters', async () => {
      const id = await itemIn(api, tokens, 'in_review');
      const feedback = '🎉'.repeat(2_000);
      const token = tokens.reviewer;
      expect((await api.call(`POST /content/${id}/reject`, { token, json: { feedback } })).status).toBe(200);
      const [newest] = rowsOf(await api.call(`GET /content/${id}/history`));
      expect(newest).toMatchObject({ call: 'reject', note: feedback, version: 1 });
    });

    it('repeats nothing under the same Idempotency-Key, even where the answer was lost', async () => {
      const id = await itemIn(api, tokens, 'draft');
      const headers = { 'idempotency-key': `edit-${kind}` };
      const json = { content: { body: 'Once' } };
      const edit = () => api.call(`PUT /content/${id}`, { token: tokens.author, json, headers });
      const first = await edit();
      await api.runtime.database.query('update idempotency set status = null, answer = null where key = $1', [
        headers['idempotency-key'],
      ]);
      const second = await edit();
      expect([first.status, second.status]).toEqual([200, 200]);
      expect(second.body).toEqual(first.body);
      expect(at(second.body, 'version')).toBe(2);
      expect(api.errors).toEqual([]);
    });
  });
}
