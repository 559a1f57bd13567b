/** Calls at the same moment, on a server with several connections: one wins, the others are told, the history is one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, rowsOf, textAt } from '../support/answers.ts';
import type { Api } from '../support/api.ts';
import { callContent, itemIn, openContentApi, SMS } from '../support/content.ts';
import { serverReachable } from '../support/database.ts';

const reachable = await serverReachable();

describe.skipIf(!reachable)('content on a PostgreSQL server', () => {
  let api: Api;
  let people: { author: string; reviewer: string };
  let reviewers: string[];
  beforeAll(async () => {
    api = await openContentApi('server');
    reviewers = await Promise.all(Array.from({ length: 4 }, () => api.tokenOf('editor')));
    people = { author: await api.tokenOf('editor'), reviewer: reviewers[0] ?? '' };
  });
  afterAll(() => api.close());

  const itemOf = async (id: string) => (await api.call(`GET /content/${id}`)).body;
  const historyOf = async (id: string) => rowsOf(await api.call(`GET /content/${id}/history?limit=100`));
  const counted = (statuses: readonly number[], status: number) =>
    statuses.filter((each) => each === status).length;

  /** Each line of the history begins where the line before it ended. */
  const expectOneHistory = async (id: string) => {
    const lines = (await historyOf(id)).toReversed();
    let state: unknown = null;
    for (const line of lines) {
      expect(line.from).toBe(state);
      state = line.to;
    }
    expect(at(await itemOf(id), 'status')).toBe(state);
    return lines;
  };

  it('approves once, however many approve', async () => {
    const id = await itemIn(api, people, 'in_review');
    const answers = await Promise.all(reviewers.map((token) => callContent(api, token, 'approve', id)));
    const statuses = answers.map((answer) => answer.status);
    expect([counted(statuses, 200), counted(statuses, 409)]).toEqual([1, 3]);
    const lines = await expectOneHistory(id);
    expect(lines.filter((line) => line.call === 'approve')).toHaveLength(1);
  });

  it('publishes once, as one version', async () => {
    const id = await itemIn(api, people, 'approved');
    const answers = await Promise.all(reviewers.map((token) => callContent(api, token, 'publish', id)));
    expect(
      counted(
        answers.map((answer) => answer.status),
        200,
      ),
    ).toBe(1);
    expect(await itemOf(id)).toMatchObject({ version: 2, publishedVersion: 2, status: 'published' });
    expect(rowsOf(await api.call(`GET /content/${id}/versions`)).map((row) => row.version)).toEqual([2, 1]);
  });

  it.each(Array.from({ length: 8 }, (_, round) => [round]))(
    'either publishes what was approved or makes it a draft (round %i)',
    async () => {
      const id = await itemIn(api, people, 'approved');
      const [edited, published] = await Promise.all([
        callContent(api, people.author, 'edit', id),
        callContent(api, people.reviewer, 'publish', id),
      ]);
      const lines = await expectOneHistory(id);
      const item = await itemOf(id);
      expect(edited.status === 200 || published.status === 200).toBe(true);
      if (published.status === 200) {
        // What customers get is what was approved, whether the edit came after it or not.
        const versions = rowsOf(await api.call(`GET /content/${id}/versions`));
        const live = versions.find((row) => row.version === at(item, 'publishedVersion'));
        expect(live?.content).toEqual(SMS.content);
      } else {
        expect(published.status).toBe(409);
        expect(item).toMatchObject({ status: 'draft', publishedVersion: null, approvedBy: null });
      }
      const done = [edited, published].filter((answer) => answer.status === 200).length;
      expect(lines).toHaveLength(3 + done);
    },
  );

  it.each(Array.from({ length: 4 }, (_, round) => [round]))(
    'takes one way on when all are tried at once (round %i)',
    async (round) => {
      const id = await itemIn(api, people, round % 2 === 0 ? 'in_review' : 'approved');
      const calls = ['approve', 'reject', 'edit', 'publish', 'archive', 'revert', 'submit'];
      const answers = await Promise.all(
        calls.flatMap((call) => reviewers.map((token) => callContent(api, token, call, id))),
      );
      // The author of a version may come to submit it, and then to approve it: that is refused as well.
      expect(answers.filter(({ status }) => ![200, 204, 403, 409].includes(status))).toEqual([]);
      const done = answers.filter(({ status }) => status < 300);
      expect(done.length).toBeGreaterThan(0);
      const lines = await expectOneHistory(id);
      expect(lines).toHaveLength((round % 2 === 0 ? 2 : 3) + done.length);
      for (const [index, line] of lines.entries()) {
        if (line.call !== 'approve') continue;
        const submitted = lines.slice(0, index).findLast(({ call }) => call === 'submit');
        expect(line.by).not.toBe(submitted?.by);
        expect(line.version).toBe(submitted?.version);
      }
      const [{ audits } = { audits: -1 }] = await api.runtime.database.query<{ audits: number }>(
        'select count(*)::int as audits from audit where subject = $1',
        [`content/${id}`],
      );
      expect(audits).toBe(lines.length);
    },
  );

  it('keeps every edit that it accepted as a version of its own', async () => {
    const id = await itemIn(api, people, 'draft');
    const texts = Array.from({ length: 12 }, (_, index) => `Edit ${index}`);
    const answers = await Promise.all(
      texts.map((body) =>
        api.call(`PUT /content/${id}`, { token: people.author, json: { content: { body } } }),
      ),
    );
    const accepted = answers.filter((answer) => answer.status === 200);
    expect(accepted.length).toBeGreaterThan(0);
    expect(answers.every((answer) => [200, 409].includes(answer.status))).toBe(true);
    const versions = rowsOf(await api.call(`GET /content/${id}/versions`));
    expect(versions.map((row) => row.version)).toEqual(
      Array.from({ length: accepted.length + 1 }, (_, index) => accepted.length + 1 - index),
    );
    expect(new Set(versions.map((row) => at(row.content, 'body'))).size).toBe(versions.length);
    await expectOneHistory(id);
  });

  it('gives a name to one of those who ask for it', async () => {
    const json = { name: 'Wanted', ...SMS };
    const answers = await Promise.all(reviewers.map((token) => api.call('POST /content', { token, json })));
    const statuses = answers.map((answer) => answer.status);
    expect([counted(statuses, 201), counted(statuses, 409)]).toEqual([1, 3]);
    const made = answers.find((answer) => answer.status === 201);
    const found = rowsOf(await api.call('GET /content?q=wanted'));
    expect(found.map((row) => row.id)).toEqual([made && textAt(made, 'id')]);
    expect(api.errors).toEqual([]);
  });
});
