/** Guards through the corridor: who is skipped, who waits, and what says why. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../../support/corridor.ts';
import { databaseKinds } from '../../support/database.ts';
import { listenerPipeline, messagePipeline, smsChannel } from '../../support/sms-channel.ts';

const kinds = await databaseKinds();
const NO_RULES = { quietHours: [], caps: [] };

describe.each(kinds)('on the %s database', (kind) => {
  let corridor: Corridor;
  let names = 0;
  beforeAll(async () => {
    corridor = await openCorridor(kind);
    for (const sid of ['shop', 'club'])
      await corridor.api('POST /resources', { sid, name: sid, channels: {} });
    await channel('texts');
  });
  afterAll(() => corridor.end());

  /** A channel that writes to `/<sid>`, with a listener and a sender. */
  const channel = async (sid: string, more: object = {}, params: object = {}) => {
    const message = messagePipeline({ url: `$sender.base_url/${sid}`, ...params });
    await corridor.addChannel(
      smsChannel(sid, message, { pipelines: { listener: listenerPipeline }, ...more }),
    );
    await corridor.addSender(sid);
  };
  /** Someone new, with a phone of their own. */
  const someone = (fields: object = {}) => {
    names += 1;
    const phone = `+49 15${names} 000`;
    return { phone, profile: { externalId: `p-${names}`, fields, subscription: { fields: { phone } } } };
  };
  const digits = (phone: string) => phone.replaceAll(/\D/g, '');
  const put = async (request: string, json: unknown) => {
    const answer = await corridor.api(request, json);
    if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
    return answer.body;
  };
  const rules = async (more: object) => {
    await put('PUT /sending-rules', { ...NO_RULES, ...more });
    // What was remembered of the account is forgotten.
    await corridor.pass(3);
  };
  const suppress = async (json: object) => {
    const made = await put('POST /suppressions', json);
    await corridor.pass(3);
    return made;
  };
  const sendTo = async (who: object, more: object = {}, sid = 'texts') => {
    const id = await corridor.send(sid, { ...who, ...more });
    await corridor.idle();
    return corridor.view(id);
  };
  const requestsOf = async (id: string) =>
    (await corridor.provider.log()).filter((each) => each.reference === id).length;
  /** Hours of the day in UTC around now, as rules write them. */
  const around = (fromHours: number, toHours: number) => {
    const hour = (hours: number) => new Date(corridor.runtime.clock.now() + hours * 3_600_000).toISOString();
    return { from: hour(fromHours).slice(11, 16), to: hour(toHours).slice(11, 16) };
  };

  describe('suppression', () => {
    it('speaks against an address however it is written, and says who decided', async () => {
      const { phone, profile } = someone();
      const { id } = await suppress({ address: `00${digits(phone)}`, reason: 'asked by letter' });
      const view = await sendTo({ profile });
      expect(view).toMatchObject({ state: 'suppressed', reason: 'SUPPRESSED_GLOBAL' });
      expect(view.attempts).toMatchObject([
        {
          outcome: 'suppressed',
          trail: [{ guard: 'SUPPRESSED_GLOBAL', rule: expect.stringContaining(`suppression ${id}: global`) }],
        },
      ]);
      expect(JSON.stringify(view)).not.toContain(digits(phone));
      expect(await requestsOf(view.id)).toBe(0);
      const listed = await corridor.api('GET /messages?reason=SUPPRESSED_GLOBAL');
      expect(listed.body.data.map((each: { id: string }) => each.id)).toContain(view.id);
      await put(`DELETE /suppressions/${id}`, undefined);
      expect(await sendTo({ profile: profile.externalId })).toMatchObject({ state: 'sent' });
    });

    it('of a list speaks for its resource, and not to what is transactional', async () => {
      const { phone, profile } = someone();
      await suppress({ address: phone, channel: 'texts', resource: 'shop', reason: 'complain' });
      const marketing = { class: 'marketing' };
      expect(await sendTo({ profile }, marketing)).toMatchObject({
        state: 'suppressed',
        reason: 'SUPPRESSED_LIST',
      });
      expect(await sendTo({ profile }, { ...marketing, resource: 'club' })).toMatchObject({ state: 'sent' });
      expect(await sendTo({ profile }, { class: 'urgent' })).toMatchObject({ state: 'suppressed' });
      expect(await sendTo({ profile }, { class: 'transactional' })).toMatchObject({ state: 'sent' });
    });

    it('without a list holds for what is transactional and urgent, in its channel', async () => {
      await channel('others');
      const { phone, profile } = someone();
      await suppress({ address: phone, channel: 'texts' });
      for (const of of ['transactional', 'urgent', 'marketing']) {
        expect(await sendTo({ profile }, { class: of })).toMatchObject({ reason: 'SUPPRESSED_GLOBAL' });
      }
      expect(await sendTo({ profile }, {}, 'others')).toMatchObject({ state: 'sent' });
    });

    it('is over when its time is, and is deleted then', async () => {
      const { phone, profile } = someone();
      const expiresAt = new Date(corridor.runtime.clock.now() + 3_600_000).toISOString();
      const { id } = await suppress({ address: phone, expiresAt });
      expect(await sendTo({ profile })).toMatchObject({ state: 'suppressed' });
      await corridor.pass(3_700);
      expect(await sendTo({ profile })).toMatchObject({ state: 'sent' });
      await corridor.housekeeping.dropOldGuards();
      const left = await corridor.database.query('select id from suppression where id = $1', [id]);
      expect(left).toEqual([]);
    });

    it('keeps secret addresses as hashes only', async () => {
      const subscription = [{ field: 'phone', type: 'string', name: 'Phone', required: true, secret: true }];
      const { fields } = smsChannel('secret');
      await channel('secret', { fields: { ...fields, subscription } });
      const { profile } = someone();
      const phone = '+4917012345678';
      const who = { profile: { ...profile, subscription: { fields: { phone } } } };
      const made = await suppress({ address: phone, channel: 'secret' });
      expect(made).toMatchObject({ address: null, channel: 'secret' });
      expect(await sendTo(who, {}, 'secret')).toMatchObject({ reason: 'SUPPRESSED_GLOBAL' });
      expect(await corridor.dump()).not.toContain('4917012345678');
      const found = await corridor.api(
        `GET /suppressions?address=${encodeURIComponent('(0049) 170 12345678')}`,
      );
      expect(found.body.data).toEqual([made]);
    });
  });

  describe('events', () => {
    const report = async (sid: string, message: string, type: string) => {
      await corridor.listen(`${sid}/1/main`, { body: JSON.stringify({ message, type }) });
      await corridor.idle();
      await corridor.pass(3);
    };

    it('suppress: who bounced hard is not in the next launch, though subscribed again', async () => {
      const { phone, profile } = someone();
      const sent = await sendTo({ profile });
      await report('texts', sent.id, 'gone');
      const { body } = await corridor.api(`GET /suppressions?address=${encodeURIComponent(phone)}`);
      expect(body.data).toMatchObject([
        {
          address: digits(phone),
          channel: 'texts',
          scope: 'global',
          reason: 'hbounce',
          source: 'event',
          message: sent.id,
        },
      ]);
      const subscriptions = await corridor.api(`GET /subscriptions?profile=${profile.externalId}`);
      await put(`PUT /subscriptions/${subscriptions.body.data[0].id}`, {
        fields: { phone },
        status: 'subscribed',
      });
      const mailing = await put('POST /mailings', {
        name: 'Next',
        channel: 'texts',
        sender: 'main',
        resource: 'shop',
        template: { text: 'Hi' },
        audience: { profiles: [profile.externalId] },
      });
      await put(`POST /mailings/${mailing.id}/start`, {});
      await corridor.idle();
      const messages = await corridor.api(`GET /messages?mailing=${mailing.id}`);
      expect(messages.body.data).toMatchObject([{ state: 'suppressed', reason: 'SUPPRESSED_GLOBAL' }]);
      const shown = await corridor.api(`GET /reports/mailings/${mailing.id}`);
      expect(shown.body).toMatchObject({ messages: { suppressed: 1 }, skipped: { SUPPRESSED_GLOBAL: 1 } });
    });

    it('that complain suppress the list; those that stand for good are not made shorter', async () => {
      const { phone, profile } = someone();
      await suppress({ address: phone, channel: 'texts', resource: 'shop', reason: 'by hand' });
      const sent = await sendTo({ profile }, { class: 'transactional' });
      await report('texts', sent.id, 'complained');
      const { body } = await corridor.api(`GET /suppressions?address=${encodeURIComponent(phone)}`);
      expect(body.data).toMatchObject([
        { scope: 'list', resource: 'shop', reason: 'by hand', source: 'api', expiresAt: null },
      ]);
    });

    it('do what the channel maps them to, for as long as it says, and nothing where it maps none', async () => {
      await channel('mapped', { suppress: { bounced: { scope: 'global', days: 2 } } });
      await channel('silent', { suppress: {} });
      const soft = someone();
      const first = await sendTo({ profile: soft.profile }, {}, 'mapped');
      await report('mapped', first.id, 'bounced');
      expect(await sendTo({ profile: soft.profile }, {}, 'mapped')).toMatchObject({ state: 'suppressed' });
      await corridor.pass(2 * 86_400);
      expect(await sendTo({ profile: soft.profile }, {}, 'mapped')).toMatchObject({ state: 'sent' });
      const hard = someone();
      const second = await sendTo({ profile: hard.profile }, {}, 'silent');
      await report('silent', second.id, 'gone');
      const { body } = await corridor.api(`GET /suppressions?address=${encodeURIComponent(hard.phone)}`);
      expect(body.data).toEqual([]);
    });

    it('that came before their message was known suppress when it is', async () => {
      const { phone, profile } = someone();
      await corridor.listen('texts/1/main', { body: JSON.stringify({ id: 'early-gone', type: 'gone' }) });
      await corridor.idle();
      await corridor.provider.script('/texts', { body: { id: 'early-gone' } }, {});
      await sendTo({ profile });
      await corridor.pass(3);
      const { body } = await corridor.api(`GET /suppressions?address=${encodeURIComponent(phone)}`);
      expect(body.data).toMatchObject([{ reason: 'hbounce' }]);
    });
  });

  it('events are settled, whether their address can be read or not', async () => {
    const { profile } = someone();
    const sent = await sendTo({ profile });
    const [kept] = await corridor.database.query<{ value: string }>(
      "select value from setting where key = 'address_key'",
    );
    const keep = (value: string) =>
      corridor.database.query("update setting set value = $1 where key = 'address_key'", [value]);
    await keep('{"$secret":"00000000.a.b.c"}');
    await corridor.listen('texts/1/main', { body: JSON.stringify({ message: sent.id, type: 'gone' }) });
    await corridor.idle();
    expect(await corridor.view(sent.id)).toMatchObject({ state: 'hard_bounced' });
    expect(corridor.logged()).toContain('an address could not be suppressed');
    await keep(kept?.value ?? '');
  });

  describe('quiet hours', () => {
    afterAll(() => rules(NO_RULES));
    const zone = { timeZone: 'UTC', timeZoneField: 'zone' };

    it('hold until they are over, and everything is looked at again then', async () => {
      await rules({ quietHours: [{ ...around(-2, 2), ...zone, onHit: 'hold' }] });
      const [held, left] = [someone(), someone()];
      const views = [await sendTo({ profile: held.profile }), await sendTo({ profile: left.profile })];
      expect(views[0]).toMatchObject({ state: 'queued', reason: 'QUIET_HOURS' });
      expect(views[0]?.attempts).toMatchObject([
        {
          outcome: 'waiting',
          trail: [
            { guard: 'QUIET_HOURS', rule: expect.stringMatching(/^quietHours\/0: .* in UTC; waits until /) },
          ],
        },
      ]);
      const subscriptions = await corridor.api(`GET /subscriptions?profile=${left.profile.externalId}`);
      await put(`PUT /subscriptions/${subscriptions.body.data[0].id}`, {
        fields: { phone: left.phone },
        status: 'unsubscribed',
      });
      await corridor.pass(3_600);
      expect(await corridor.view(views[0]?.id ?? '')).toMatchObject({ state: 'queued' });
      await corridor.pass(3_700);
      expect(await corridor.view(views[0]?.id ?? '')).toMatchObject({ state: 'sent', reason: null });
      expect(await corridor.view(views[1]?.id ?? '')).toMatchObject({
        state: 'suppressed',
        reason: 'SUBSCRIPTION_UNSUBSCRIBED',
      });
    });

    it('are those of the zone of the person; one that does not exist is the zone of the rule', async () => {
      // Where the rule is at home it is quiet now, ten hours to the east it is not.
      await rules({ quietHours: [{ ...around(-2, 2), ...zone, onHit: 'drop' }] });
      const away = someone({ zone: 'Australia/Brisbane' });
      expect(await sendTo({ profile: away.profile })).toMatchObject({ state: 'sent' });
      const lost = someone({ zone: 'Mars/Olympus' });
      expect(await sendTo({ profile: lost.profile })).toMatchObject({
        state: 'suppressed',
        reason: 'QUIET_HOURS',
      });
    });

    it('let urgent messages and tests of mailings pass, and spare other channels', async () => {
      await channel('loud');
      await rules({ quietHours: [{ ...around(-2, 2), ...zone, channel: 'texts', onHit: 'drop' }] });
      const { profile } = someone();
      expect(await sendTo({ profile }, { class: 'urgent' })).toMatchObject({ state: 'sent' });
      expect(await sendTo({ profile }, {}, 'loud')).toMatchObject({ state: 'sent' });
      const mailing = await put('POST /mailings', {
        name: 'Test',
        channel: 'texts',
        sender: 'main',
        resource: 'shop',
        template: { text: 'Hi' },
        audience: { all: true },
      });
      await put(`POST /mailings/${mailing.id}/test`, { profiles: [profile.externalId] });
      await corridor.idle();
      const messages = await corridor.api(`GET /messages?mailing=${mailing.id}`);
      expect(messages.body.data).toMatchObject([{ state: 'sent' }]);
    });

    it('hold no message for longer than it lives', async () => {
      await rules({ quietHours: [{ ...around(-2, 4), ...zone, onHit: 'hold' }] });
      const expiresAt = new Date(corridor.runtime.clock.now() + 3_600_000).toISOString();
      const view = await sendTo({ profile: someone().profile }, { expiresAt });
      expect(view).toMatchObject({ state: 'queued', reason: 'QUIET_HOURS' });
      await corridor.pass(3_700);
      expect(await corridor.view(view.id)).toMatchObject({ state: 'expired' });
    });

    it('hold a retry too, which keeps its tries', async () => {
      await channel('again', {}, { retry: { attempts: 2, delays: [3_600], on: [500] } });
      await rules({ quietHours: [{ ...around(0.5, 3), ...zone, onHit: 'hold' }] });
      await corridor.provider.script('/again', { status: 500 }, { status: 202, body: { id: 'again' } });
      const view = await sendTo({ profile: someone().profile }, {}, 'again');
      expect(view).toMatchObject({ state: 'queued' });
      await corridor.pass(3_700);
      expect(await requestsOf(view.id)).toBe(1);
      await corridor.pass(3 * 3_600);
      expect(await corridor.view(view.id)).toMatchObject({ state: 'sent' });
      expect((await corridor.view(view.id)).attempts.map((each) => each.outcome)).toEqual([
        'waiting',
        'waiting',
        'done',
      ]);
    });
  });

  describe('frequency caps', () => {
    afterAll(() => rules(NO_RULES));

    it('drop what is over them and count each person, channel and category for itself', async () => {
      await channel('capped');
      await rules({
        caps: [{ channel: 'capped', category: 'offers', messages: 2, perHours: 24, onHit: 'drop' }],
      });
      const { profile } = someone();
      const offer = async (who: object = { profile }, more: object = {}) =>
        (await sendTo(who, { category: 'offers', ...more }, 'capped')).state;
      expect([await offer(), await offer(), await offer()]).toEqual(['sent', 'sent', 'suppressed']);
      expect(await offer({ profile }, { category: 'news' })).toBe('sent');
      expect(await offer({ profile: someone().profile })).toBe('sent');
      expect((await sendTo({ profile }, { category: 'offers' })).state).toBe('sent');
      const [last] = (await corridor.api('GET /messages?reason=FREQUENCY_CAP')).body.data;
      expect((await corridor.view(last.id)).attempts).toMatchObject([
        {
          outcome: 'suppressed',
          trail: [
            {
              guard: 'FREQUENCY_CAP',
              rule: 'caps/0: 2 messages of category offers in channel capped in 24 hours',
            },
          ],
        },
      ]);
      await corridor.pass(24 * 3_600);
      expect(await offer()).toBe('sent');
    });

    it('of several messages that come together let through as many as fit, one by one', async () => {
      await rules({ caps: [{ category: 'together', messages: 3, perHours: 1, onHit: 'drop' }] });
      const people = [someone(), someone()];
      await put('POST /messages', {
        messages: Array.from({ length: 20 }, (_, index) => ({
          channel: 'texts',
          resource: 'shop',
          ...people[index % 2],
          phone: undefined,
          category: 'together',
          template: { text: 'Hello' },
        })),
      });
      await corridor.idle();
      const counts = await corridor.database.query(
        `select count(*) filter (where m.state = 40)::int as sent, count(*) filter (where m.reason = 'FREQUENCY_CAP')::int as capped
         from message m join profile p on p.id = m.profile_id where p.external_id = any($1::text[]) group by p.id`,
        [people.map((each) => each.profile.externalId)],
      );
      expect(counts).toEqual([
        { sent: 3, capped: 7 },
        { sent: 3, capped: 7 },
      ]);
    });

    it('hold until there is room, and count by the mailing or the class', async () => {
      await rules({ caps: [{ category: 'weekly', messages: 1, perHours: 2, onHit: 'hold' }] });
      const { profile } = someone();
      expect(await sendTo({ profile }, { category: 'weekly' })).toMatchObject({ state: 'sent' });
      await corridor.pass(3_600);
      const mailing = await put('POST /mailings', {
        name: 'Weekly',
        channel: 'texts',
        sender: 'main',
        resource: 'shop',
        template: { text: 'Hi' },
        audience: { profiles: [profile.externalId] },
        category: 'weekly',
      });
      expect(mailing.category).toBe('weekly');
      await put(`POST /mailings/${mailing.id}/start`, {});
      await corridor.idle();
      const [held] = (await corridor.api(`GET /messages?mailing=${mailing.id}`)).body.data;
      expect(held).toMatchObject({ state: 'queued', reason: 'FREQUENCY_CAP' });
      await corridor.pass(3_700);
      expect(await corridor.view(held.id)).toMatchObject({ state: 'sent' });
      expect(await sendTo({ profile })).toMatchObject({ state: 'sent' });
    });

    it('forget what no cap counts any more', async () => {
      await rules({ caps: [{ messages: 100, perHours: 1, onHit: 'drop' }] });
      const view = await sendTo({ profile: someone().profile });
      const kept = () => corridor.database.query('select at from contact where message_id = $1', [view.id]);
      await corridor.housekeeping.dropOldGuards();
      expect(await kept()).toHaveLength(1);
      await corridor.pass(3_700);
      await corridor.housekeeping.dropOldGuards();
      expect(await kept()).toEqual([]);
    });
  });
});
