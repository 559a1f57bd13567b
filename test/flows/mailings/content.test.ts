/** Content items in mailings: the version of a launch, and what becomes of it when its content goes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ContentCorridor,
  CONTENT_FIELDS as fields,
  openContentCorridor,
} from '../../support/content-corridor.ts';
import { addVersion, archiveItem, publishVersion } from '../../support/content-rows.ts';
import type { Corridor } from '../../support/corridor.ts';
import { databaseKinds } from '../../support/database.ts';
import { messagePipeline, smsChannel } from '../../support/sms-channel.ts';

describe.each(await databaseKinds())('content items (%s)', (kind) => {
  let corridor: Corridor;
  let channelWith: ContentCorridor['channelWith'];
  let add: ContentCorridor['add'];
  let sentTo: ContentCorridor['sentTo'];
  beforeAll(async () => {
    ({ corridor, channelWith, add, sentTo } = await openContentCorridor(kind));
  });
  afterAll(() => corridor.end());

  describe('a mailing', () => {
    const create = (contentItemId: string, more: object = {}) =>
      corridor.api('POST /mailings', {
        name: 'Spring',
        channel: 'news_gate',
        sender: 'main',
        resource: 'shop',
        contentItemId,
        audience: { all: true },
        ...more,
      });
    const news = {
      channelType: 'sms_text',
      content: { body: 'Hi {{ customer.name }}' },
      personalization: [{ variable: 'customer.name', fallback: 'friend' }],
    };
    const show = async (id: string) => (await corridor.api(`GET /mailings/${id}`)).body;
    const textsTo = async (mailing: string) => {
      const { body } = await corridor.api(`GET /messages?mailing=${mailing}&limit=100`);
      const texts = await Promise.all(body.data.map((each: { id: string }) => sentTo(each.id)));
      return texts.sort();
    };

    beforeAll(async () => {
      await channelWith(
        'news_gate',
        messagePipeline({ url: '$sender.base_url/news', retry: { delays: [60] } }),
      );
      await corridor.addSender('news_gate');
      for (const profile of ['ann', 'bob', 'cleo']) {
        await corridor.api('POST /subscriptions', {
          profile,
          resource: 'shop',
          channel: 'news_gate',
          fields: { phone: '+4915' },
        });
      }
      await corridor.addChannel({
        ...smsChannel('board_gate', [{ id: 1, type: 'log', params: { message: 'board: $template.text' } }], {
          fields: {
            ...fields,
            subscription: [],
            resource: [{ field: 'page', type: 'string', name: 'Page' }],
          },
          content: { sms_text: { text: 'body' } },
          moderate: true,
          pipelines: {
            moderate: [
              {
                id: 1,
                type: 'http_request',
                params: { url: '$sender.base_url/review', retry: { delays: [60] } },
                outs: { success: 2 },
              },
              { id: 2, type: 'event', params: { event_type: 'moderate_pass' } },
            ],
          },
        }),
        communication: 'indirect',
      });
      await corridor.addSender('board_gate');
    });

    it('sends the version with which its launch began, also after a pause', async () => {
      const itemId = await add(news);
      const { body, status } = await create(itemId);
      expect([status, body.contentItemId, body.template]).toEqual([201, itemId, null]);
      await corridor.provider.script(
        '/news',
        { status: 202 },
        { status: 503 },
        { status: 503 },
        { status: 202 },
      );
      await corridor.api(`POST /mailings/${body.id}/start`);
      await corridor.idle();
      await corridor.api(`POST /mailings/${body.id}/pause`);
      await addVersion(corridor.database, itemId, 2, {
        ...news,
        content: { body: 'New {{ customer.name }}' },
      });
      await publishVersion(corridor.database, itemId, 2);
      await corridor.pass(61);
      await corridor.api(`POST /mailings/${body.id}/resume`);
      await corridor.pass(61);
      expect(await textsTo(body.id)).toEqual(['Hi Ann', 'Hi Cleo', 'Hi friend']);
      expect((await show(body.id)).launches).toMatchObject([{ contentVersion: 1, state: 'finished' }]);
      const sent = await corridor.api(`GET /messages?mailing=${body.id}`);
      expect(sent.body.data[0]).toMatchObject({ contentItemId: itemId, contentVersion: 1 });
      await corridor.api(`POST /mailings/${body.id}/start`);
      await corridor.idle();
      expect((await textsTo(body.id)).filter((text) => text?.startsWith('New'))).toHaveLength(3);
      expect((await show(body.id)).launches).toMatchObject([{ contentVersion: 1 }, { contentVersion: 2 }]);
    });

    it('may be saved before its content is published, but not started or tested', async () => {
      const itemId = await add({ ...news, published: false });
      const { body, status } = await create(itemId);
      expect(status).toBe(201);
      for (const [verb, json] of [['start'], ['test', { profiles: ['ann'] }]] as const) {
        const answer = await corridor.api(`POST /mailings/${body.id}/${verb}`, json);
        expect([answer.status, answer.body.code]).toEqual([422, 'CONTENT_NOT_PUBLISHED']);
      }
      expect(await show(body.id)).toMatchObject({ state: 'draft', launches: [] });
      await publishVersion(corridor.database, itemId, 1);
      const test = await corridor.api(`POST /mailings/${body.id}/test`, { profiles: ['ann'] });
      expect(test.status).toBe(202);
      await corridor.idle();
      expect(await show(body.id)).toMatchObject({ launches: [{ kind: 'test', contentVersion: 1 }] });
    });

    it('is a draft again, with the reason, where its content is gone when its time has come', async () => {
      const itemId = await add(news);
      const startAt = new Date(corridor.runtime.clock.now() + 100_000).toISOString();
      const { body } = await create(itemId, { schedule: { startAt } });
      await corridor.api(`POST /mailings/${body.id}/start`);
      await archiveItem(corridor.database, itemId);
      await corridor.pass(101);
      expect(await show(body.id)).toMatchObject({
        state: 'draft',
        reason: expect.stringContaining('has no published version'),
      });
    });

    it('stops with its content', async () => {
      const itemId = await add(news);
      const { body } = await create(itemId);
      await corridor.provider.script(
        '/news',
        { status: 202 },
        { status: 503 },
        { status: 503 },
        { status: 202 },
      );
      await corridor.api(`POST /mailings/${body.id}/start`);
      await corridor.idle();
      await archiveItem(corridor.database, itemId);
      await corridor.pass(61);
      expect(await show(body.id)).toMatchObject({ counts: { sent: 1, suppressed: 2 } });
    });

    it('publishes the version that was moderated, not one that came after', async () => {
      const itemId = await add({ channelType: 'sms_text', content: { body: 'moderated' } });
      await corridor.provider.script('/review', { status: 503 }, { status: 200 });
      const { body } = await create(itemId, { channel: 'board_gate', audience: undefined });
      await corridor.api(`POST /mailings/${body.id}/start`);
      await corridor.idle();
      await addVersion(corridor.database, itemId, 2, { content: { body: 'never seen' } });
      await publishVersion(corridor.database, itemId, 2);
      await corridor.pass(61);
      expect(await show(body.id)).toMatchObject({
        state: 'finished',
        launches: [
          { kind: 'moderation', contentVersion: 1 },
          { kind: 'real', contentVersion: 1 },
        ],
      });
      expect(corridor.logged()).toContain('board: moderated');
    });

    it('refuses archived and foreign content, and both ways at once', async () => {
      const itemId = await add(news);
      expect((await create(itemId, { template: { text: 'x' } })).status).toBe(422);
      await archiveItem(corridor.database, itemId);
      expect((await create(itemId)).body.code).toBe('CONTENT_NOT_PUBLISHED');
      expect((await create('00000000-0000-7000-8000-000000000000')).status).toBe(422);
    });

    it.each([
      ['{{ customer.name }}', '"content/body" of the content item uses {{ customer.name }}', {}],
      ['{{ profile.name }}', 'uses {{ profile.name }}', {}],
      ['{{ computed.x }}', 'The formula of computed.x reads "customer"', { formula: 'customer.name' }],
    ])('of an indirect channel refuses %s, naming the place', async (body, message, more) => {
      const variable = /\{\{ (.*) \}\}/.exec(body)?.[1] ?? '';
      const itemId = await add({
        channelType: 'sms_text',
        content: { body },
        personalization: [{ variable, fallback: 'x', ...more }],
      });
      const answer = await create(itemId, { channel: 'board_gate', audience: undefined });
      expect([answer.status, answer.body.code]).toEqual([422, 'PERSONAL_DATA_REFUSED']);
      expect(answer.body.detail).toContain(message);
    });
  });
});
