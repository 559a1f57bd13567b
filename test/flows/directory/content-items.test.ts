/** Content items in messages: what is published goes out, in the version that was fixed, or visibly not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ContentCorridor, openContentCorridor } from '../../support/content-corridor.ts';
import { addItem, addVersion, archiveItem, publishVersion } from '../../support/content-rows.ts';
import type { Corridor } from '../../support/corridor.ts';
import { databaseKinds } from '../../support/database.ts';
import { messagePipeline, person } from '../../support/sms-channel.ts';

const hello = {
  channelType: 'sms_text',
  content: { body: 'Hi {{ customer.name }}, {{ attributes.code }}' },
  personalization: [
    { variable: 'customer.name', source: 'customer', fallback: 'friend' },
    { variable: 'attributes.code', required: true },
  ],
};

describe.each(await databaseKinds())('content items in messages (%s)', (kind) => {
  let corridor: Corridor;
  let channelWith: ContentCorridor['channelWith'];
  let add: ContentCorridor['add'];
  let post: ContentCorridor['post'];
  let accepted: ContentCorridor['accepted'];
  let sentTo: ContentCorridor['sentTo'];
  beforeAll(async () => {
    ({ corridor, channelWith, add, post, accepted, sentTo } = await openContentCorridor(kind));
  });
  afterAll(() => corridor.end());

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

    it('is compiled once for each version, which never changes', async () => {
      const itemId = await add({
        channelType: 'sms_text',
        content: { body: 'First {{ now | date: "%Y" }}' },
      });
      const first = await accepted(itemId);
      // Nothing but a hand in the database can change a version; so anyone who read it again would show it.
      await corridor.database.query(
        `update content_version set content = '{"body":"Read again"}' where item_id = $1`,
        [itemId],
      );
      const second = await accepted(itemId);
      await addVersion(corridor.database, itemId, 2, { content: { body: 'Second' } });
      await publishVersion(corridor.database, itemId, 2);
      const third = await accepted(itemId);
      await corridor.idle();
      const texts = [await sentTo(first), await sentTo(second), await sentTo(third)];
      expect(texts).toEqual([texts[0], texts[0], 'Second']);
      expect(texts[0]).toMatch(/^First \d{4}$/);
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
});
