/** Content items in messages and mailings: what is published goes out, in the version that was fixed, or visibly not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addItem, addVersion, archiveItem, publishVersion } from '../support/content-rows.ts';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { databaseKinds } from '../support/database.ts';
import { messagePipeline, person, smsChannel } from '../support/sms-channel.ts';

const kinds = await databaseKinds();

const hello = {
  channelType: 'sms_text',
  content: { body: 'Hi {{ customer.name }}, {{ attributes.code }}' },
  personalization: [
    { variable: 'customer.name', source: 'customer', fallback: 'friend' },
    { variable: 'attributes.code', required: true },
  ],
};

const fields = {
  sender: [
    { field: 'token', type: 'string', name: 'Token', required: true, secret: true },
    { field: 'base_url', type: 'url', name: 'Address', required: true },
  ],
  subscription: [{ field: 'phone', type: 'string', name: 'Phone', required: true }],
  template: [
    { field: 'text', type: 'text', name: 'Text', required: true, max_length: 60 },
    { field: 'footer', type: 'html', name: 'Footer', default: '{{ resource.name }}' },
  ],
};

describe.each(kinds)('content items (%s)', (kind) => {
  let corridor: Corridor;
  beforeAll(async () => {
    corridor = await openCorridor(kind);
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
    await channelWith('text_gate', messagePipeline());
    await corridor.addSender('text_gate');
    for (const [externalId, profile] of Object.entries({
      ann: { name: 'Ann' },
      bob: {},
      cleo: { name: 'Cleo' },
    })) {
      const { status } = await corridor.api('POST /messages', {
        channel: 'text_gate',
        resource: 'shop',
        template: { text: 'Hello' },
        ...person(externalId, profile),
      });
      expect(status).toBe(202);
    }
    await corridor.idle();
  });
  afterAll(() => corridor.end());

  const channelWith = (sid: string, pipeline: ReturnType<typeof messagePipeline>, more = {}) =>
    corridor.addChannel(
      smsChannel(sid, pipeline, { fields, content: { sms_text: { text: 'body' } }, ...more }),
    );

  const add = (given: Parameters<typeof addItem>[2]) => addItem(corridor.database, corridor.accountId, given);

  const post = (contentItemId: string, more: object = {}) =>
    corridor.api('POST /messages', {
      channel: 'text_gate',
      resource: 'shop',
      profile: 'ann',
      attributes: { code: 7 },
      contentItemId,
      ...more,
    });

  const accepted = async (contentItemId: string, more: object = {}): Promise<string> => {
    const { status, body } = await post(contentItemId, more);
    if (status !== 202) throw new Error(JSON.stringify(body));
    return body.id;
  };

  const sentTo = async (id: string) => {
    const log = await corridor.provider.log();
    const text = log.find((each) => each.reference === id)?.body;
    return text === undefined ? undefined : (JSON.parse(text).text as string);
  };

  describe('a message', () => {
    it('is the published version, rendered, and says which', async () => {
      const itemId = await add(hello);
      const [ann, bob] = [await accepted(itemId), await accepted(itemId.toUpperCase(), { profile: 'bob' })];
      await corridor.idle();
      expect(await sentTo(ann)).toBe('Hi Ann, 7');
      expect(await sentTo(bob)).toBe('Hi friend, 7');
      expect(await corridor.view(ann)).toMatchObject({
        state: 'sent',
        contentItemId: itemId,
        contentVersion: 1,
      });
      const own = await corridor.send('text_gate', { profile: 'ann' });
      expect(await corridor.view(own)).toMatchObject({ contentItemId: null, contentVersion: null });
    });

    it('fails visibly where a required value is missing, and can be sent again when it is there', async () => {
      const itemId = await add({
        ...hello,
        personalization: [
          { variable: 'customer.name', required: true },
          { variable: 'attributes.code', required: true },
        ],
      });
      const id = await accepted(itemId, { profile: 'bob', attributes: { code: '' } });
      await corridor.idle();
      const seen = await corridor.view(id);
      expect(seen).toMatchObject({ state: 'failed', reason: 'CONTENT_VARIABLE_MISSING' });
      expect(seen.attempts[0]?.trail[0]?.error?.message).toContain('customer.name, attributes.code');
      expect(await sentTo(id)).toBeUndefined();
      const found = await corridor.api('GET /messages?reason=CONTENT_VARIABLE_MISSING&state=failed');
      expect(found.body.data.map((each: { id: string }) => each.id)).toContain(id);
    });

    it('goes out in the version with which it was accepted', async () => {
      await channelWith(
        'slow_gate',
        messagePipeline({ url: '$sender.base_url/slow', retry: { delays: [60] } }),
      );
      await corridor.addSender('slow_gate');
      await corridor.provider.script('/slow', { status: 503 }, { status: 202 });
      const itemId = await add(hello);
      const before = await accepted(itemId, { channel: 'slow_gate', ...person('dora', { name: 'Dora' }) });
      await corridor.idle();
      await addVersion(corridor.database, itemId, 2, {
        ...hello,
        content: { body: 'New {{ attributes.code }}' },
      });
      await publishVersion(corridor.database, itemId, 2);
      const after = await accepted(itemId, { channel: 'slow_gate', profile: 'dora' });
      await corridor.pass(61);
      expect([await sentTo(before), await sentTo(after)]).toEqual(['Hi Dora, 7', 'New 7']);
      expect(await corridor.view(before)).toMatchObject({ state: 'sent', contentVersion: 1 });
      expect(await corridor.view(after)).toMatchObject({ state: 'sent', contentVersion: 2 });
    });

    it('is suppressed where its content was archived while it waited', async () => {
      await channelWith(
        'held_gate',
        messagePipeline({ url: '$sender.base_url/held', retry: { delays: [60] } }),
      );
      await corridor.addSender('held_gate');
      await corridor.provider.script('/held', { status: 503 }, { status: 202 });
      const itemId = await add(hello);
      const id = await accepted(itemId, { channel: 'held_gate', ...person('emil') });
      await corridor.idle();
      await archiveItem(corridor.database, itemId);
      await corridor.pass(61);
      expect(await corridor.view(id)).toMatchObject({ state: 'suppressed', reason: 'CONTENT_NOT_PUBLISHED' });
    });

    it('computes what a formula says', async () => {
      const itemId = await add({
        channelType: 'sms_text',
        content: { body: '{{ computed.code }}' },
        personalization: [
          { variable: 'computed.code', formula: 'customer.name & "-" & $attributes.code', required: true },
        ],
      });
      const id = await accepted(itemId);
      await corridor.idle();
      expect(await sentTo(id)).toBe('Ann-7');
    });

    it('must still fit the channel after rendering', async () => {
      const itemId = await add(hello);
      const id = await accepted(itemId, { attributes: { code: 'x'.repeat(60) } });
      await corridor.idle();
      expect(await corridor.view(id)).toMatchObject({ state: 'failed', reason: 'VALUES_INVALID' });
    });

    it('names its content in exactly one way', async () => {
      const itemId = await add(hello);
      const both = await post(itemId, { template: { text: 'x' } });
      expect([both.status, both.body.detail]).toEqual([422, expect.stringContaining('not both')]);
      const none = await corridor.api('POST /messages', { channel: 'text_gate', profile: 'ann' });
      expect(none.status).toBe(422);
    });

    it('refuses what nobody may get', async () => {
      const draft = await add({ ...hello, published: false });
      const gone = await add(hello);
      await archiveItem(corridor.database, gone);
      const [other] = await corridor.database.query<{ id: string }>(
        `insert into account (id, name, created_at) values (gen_random_uuid(), $1, now()) returning id`,
        [`other ${gone}`],
      );
      const foreign = await addItem(corridor.database, other?.id ?? '', hello);
      for (const itemId of [draft, gone, foreign, '00000000-0000-7000-8000-000000000000']) {
        const { status, body } = await post(itemId);
        expect([status, body.code, body.problems[0].pointer]).toEqual([
          422,
          'CONTENT_NOT_PUBLISHED',
          '/contentItemId',
        ]);
      }
      expect((await post('no-id')).status).toBe(422);
    });

    it('refuses what the channel does not take, and says what it does', async () => {
      const itemId = await add({ channelType: 'email_html', content: { subject: 'A', html: 'B' } });
      const { status, body } = await post(itemId);
      expect([status, body.code]).toEqual([422, 'REQUEST_INVALID']);
      expect(body.detail).toContain('takes content of type "sms_text"');
    });

    it('refuses at once what would fit nobody, and says which field it is', async () => {
      const itemId = await add({ channelType: 'sms_text', content: { body: 'x'.repeat(61) } });
      const { status, body } = await post(itemId);
      expect([status, body.code, body.problems[0].pointer]).toEqual([
        422,
        'VALUES_INVALID',
        '/contentItemId',
      ]);
      expect(body.detail).toContain('does not fit channel "text_gate": "text" (Text) must have at most 60');
      const mailing = await corridor.api('POST /mailings', {
        name: 'Too long',
        channel: 'text_gate',
        sender: 'main',
        resource: 'shop',
        contentItemId: itemId,
        audience: { all: true },
      });
      expect([mailing.status, mailing.body.code]).toEqual([422, 'VALUES_INVALID']);
      expect(
        (await post(await add({ channelType: 'sms_text', content: { body: 'x'.repeat(60) } }))).status,
      ).toBe(202);
    });

    it('accepts many at once, each with its own problem', async () => {
      const itemId = await add(hello);
      const one = { channel: 'text_gate', resource: 'shop', profile: 'ann', attributes: { code: 1 } };
      const { body } = await corridor.api('POST /messages', {
        messages: [{ ...one, contentItemId: itemId }, one, { ...one, template: { text: 'x' } }],
      });
      expect(body.results.map((each: { problem?: unknown }) => each.problem === undefined)).toEqual([
        true,
        false,
        true,
      ]);
    });
  });

  it('goes the whole way, from a draft that cannot be published to the message', async () => {
    const { body: user } = await corridor.api('POST /users', {
      email: 'second@example.com',
      name: 'Second',
      role: 'editor',
      password: 'a long password of the tests',
    });
    const { body: token } = await corridor.api('POST /tokens', {
      userId: user.id,
      name: 'second',
      role: 'editor',
    });
    const reviewer = { authorization: `Bearer ${token.token}` };
    const { body: item } = await corridor.api('POST /content', {
      name: 'Welcome',
      channelType: 'sms_text',
      content: { body: 'Hi {{ customer.name }}!' },
    });
    const act = (verb: string, headers = {}) =>
      corridor.api(`POST /content/${item.id}/${verb}`, undefined, headers);
    const publish = async () => {
      await act('submit');
      expect((await act('approve', reviewer)).status).toBe(200);
      return act('publish');
    };
    expect((await corridor.api(`POST /content/${item.id}/preview`, {})).body).toMatchObject({
      unresolved: ['customer.name'],
      publishable: false,
    });
    const blocked = await publish();
    expect([blocked.status, blocked.body.detail]).toEqual([422, expect.stringContaining('customer.name')]);
    expect((await post(item.id)).body.code).toBe('CONTENT_NOT_PUBLISHED');
    const wrong = await corridor.api(`PUT /content/${item.id}`, {
      personalization: [{ variable: 'computed.a', source: 'computed', formula: '(' }],
    });
    expect([wrong.status, wrong.body.problems[0].pointer]).toEqual([422, '/personalization/0/formula']);
    const personalization = [{ variable: 'customer.name', source: 'customer', fallback: 'friend' }];
    expect((await corridor.api(`PUT /content/${item.id}`, { personalization })).status).toBe(200);
    const { body: live } = await publish();
    const id = await accepted(item.id, { profile: 'bob' });
    await corridor.api(`PUT /content/${item.id}`, { content: { body: 'A draft that nobody gets' } });
    const second = await accepted(item.id, { profile: 'ann' });
    await corridor.idle();
    expect([await sentTo(id), await sentTo(second)]).toEqual(['Hi friend!', 'Hi Ann!']);
    for (const each of [id, second]) {
      expect((await corridor.view(each)) as object).toMatchObject({
        contentItemId: item.id,
        contentVersion: live.publishedVersion,
      });
    }
    expect((await corridor.api(`DELETE /content/${item.id}`)).status).toBe(204);
    expect((await post(item.id)).body.code).toBe('CONTENT_NOT_PUBLISHED');
  });

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
      const startAt = new Date(corridor.ground.clock.now() + 100_000).toISOString();
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
