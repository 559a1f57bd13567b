/** Which sender a message goes by where it names none: rules by field, weights, health. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { databaseKinds } from '../support/database.ts';
import { messagePipeline, smsChannel } from '../support/sms-channel.ts';

const kinds = await databaseKinds();

/** Where a message falls among weights, as it was declared: the first eight hex digits of the MD5 of its id. */
const bucketOf = (id: string, total: number) =>
  Number.parseInt(createHash('md5').update(id).digest('hex').slice(0, 8), 16) % total;

describe.each(kinds)('on the %s database', (kind) => {
  let corridor: Corridor;
  let people = 0;
  beforeAll(async () => {
    corridor = await openCorridor(kind);
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
  });
  afterAll(() => corridor.end());

  const channelWith = async (sid: string, rules: readonly object[], timeout = 30) => {
    await corridor.addChannel(smsChannel(sid, messagePipeline({ timeout })));
    for (const sender of ['alpha', 'beta', 'gamma']) await corridor.addSender(sid, sender);
    expect(await corridor.api(`PUT /channels/${sid}/sender-rules`, { rules })).toMatchObject({ status: 200 });
  };
  const to = (phone: string, fields: object = {}) => {
    people += 1;
    return { profile: { externalId: `p-${people}`, fields, subscription: { fields: { phone } } } };
  };
  const senderOf = async (id: string) => (await corridor.view(id)).sender;
  const all = (sid: string, count: number) =>
    Promise.all(Array.from({ length: count }, () => corridor.send(sid, to('+4912345678'))));
  const lanesOf = async (sid: string) => {
    const { body } = await corridor.api('GET /lanes');
    return body.data.filter((lane: { channel: string }) => lane.channel === sid) as {
      id: number;
      sender: string;
    }[];
  };
  const turn = async (sid: string, senders: readonly string[], verb: 'pause' | 'resume') => {
    for (const lane of await lanesOf(sid)) {
      if (senders.includes(lane.sender)) await corridor.api(`POST /lanes/${lane.id}/${verb}`);
    }
  };

  it('is the one of the first rule that fits: by prefix, profile, class', async () => {
    await channelWith('by_field', [
      { name: 'urgent', when: { class: 'urgent' }, senders: [{ sender: 'gamma' }] },
      {
        name: 'germany',
        when: { 'subscription.phone': { startsWith: '+49' }, 'profile.vip': { '!=': true } },
        senders: [{ sender: 'alpha' }],
      },
      { name: 'rest', senders: [{ sender: 'beta' }] },
    ]);
    const cases: [string, string, Promise<string>][] = [
      ['alpha', 'germany', corridor.send('by_field', to('+491700000001'))],
      ['beta', 'rest', corridor.send('by_field', to('+331700000001'))],
      ['beta', 'rest', corridor.send('by_field', to('+491700000002', { vip: true }))],
      ['gamma', 'urgent', corridor.send('by_field', { ...to('+491700000003'), class: 'urgent' })],
    ];
    for (const [sender, rule, sent] of cases) {
      const id = await sent;
      await corridor.idle();
      expect(await corridor.view(id)).toMatchObject({ state: 'sent', sender, rule, attempt: 1 });
      const [request] = await corridor.provider.seen(id);
      expect(request?.headers.authorization).toBe(`Bearer secret-token-${sender}`);
    }
    const { body } = await corridor.api('GET /messages?channel=by_field&sender=beta');
    expect(body.data.map((each: { sender: string }) => each.sender)).toEqual(['beta', 'beta']);
    expect((await corridor.api('GET /messages?channel=by_field&sender=nobody')).body.data).toEqual([]);
  });

  it('is the named one where the message names one, and nobody where no rule fits', async () => {
    const when = { 'subscription.phone': { startsWith: '+49' } };
    await channelWith('named', [{ name: 'germany', when, senders: [{ sender: 'alpha' }] }]);
    const id = await corridor.send('named', { ...to('+491700000001'), sender: 'beta' });
    expect(await corridor.view(id)).toMatchObject({ sender: 'beta', rule: null });
    const refused = { channel: 'named', resource: 'shop', template: { text: 'x' }, ...to('+331700000001') };
    expect(await corridor.api('POST /messages', refused)).toMatchObject({
      status: 422,
      body: { code: 'REQUEST_INVALID', problems: [{ pointer: '/sender' }] },
    });
  });

  it('shares by weight, the same message always with the same sender', async () => {
    await channelWith('weighted', [
      {
        name: 'all',
        senders: [
          { sender: 'alpha', weight: 70 },
          { sender: 'beta', weight: 25 },
          { sender: 'gamma', weight: 5 },
        ],
      },
    ]);
    const expected = (id: string) => {
      const bucket = bucketOf(id, 100);
      return bucket < 70 ? 'alpha' : bucket < 95 ? 'beta' : 'gamma';
    };
    const ids = await all('weighted', 60);
    const chosen = await Promise.all(ids.map(senderOf));
    expect(chosen).toEqual(ids.map(expected));
    expect(new Set(chosen).size).toBeGreaterThan(1);
  });

  it('passes over who cannot send now; where nobody can, the weights stand and the message waits', async () => {
    await channelWith('health', [
      { name: 'all', senders: [{ sender: 'alpha', weight: 1_000 }, { sender: 'beta' }, { sender: 'gamma' }] },
    ]);
    await all('health', 1);
    await corridor.idle();
    await turn('health', ['alpha'], 'pause');
    const ids = await all('health', 20);
    expect(await Promise.all(ids.map(senderOf))).toEqual(
      ids.map((id) => (bucketOf(id, 2) === 0 ? 'beta' : 'gamma')),
    );
    await turn('health', ['beta', 'gamma'], 'pause');
    const [waiting = ''] = await all('health', 1);
    expect(await senderOf(waiting)).toBe(bucketOf(waiting, 1_002) < 1_000 ? 'alpha' : 'other');
    expect(await corridor.view(waiting)).toMatchObject({ state: 'accepted' });
    await turn('health', ['alpha', 'beta', 'gamma'], 'resume');
    await corridor.idle();
    expect(await corridor.view(waiting)).toMatchObject({ state: 'sent' });
  });

  it('gives a lane that is to be probed something to probe with, and no more than that', async () => {
    await channelWith(
      'probe',
      [{ name: 'all', senders: [{ sender: 'alpha', weight: 1_000 }, { sender: 'beta' }] }],
      3,
    );
    await all('probe', 1);
    await corridor.idle();
    const [alpha] = (await lanesOf('probe')).filter((lane) => lane.sender === 'alpha');
    const set = (breaker: string, probeInMs: number) =>
      corridor.database.query('update lane set breaker = $2, probe_at = $3 where id = $1', [
        alpha?.id ?? 0,
        breaker,
        new Date(corridor.runtime.clock.now() + probeInMs),
      ]);
    await set('open', 3_600_000);
    const [passed = ''] = await all('probe', 1);
    expect(await senderOf(passed)).toBe('beta');
    await set('half_open', 3_600_000);
    await corridor.provider.script('/send', { end: 'hang' });
    const [probing = ''] = await all('probe', 1);
    expect(await senderOf(probing)).toBe('alpha');
    const [behind = ''] = await all('probe', 1);
    expect(await senderOf(behind)).toBe('beta');
    await corridor.provider.script('/send', {});
    await set('closed', 0);
    await corridor.idle();
  });

  describe('of a mailing', () => {
    const mail = async (channel: string, more: object = {}) => {
      const { body } = await corridor.api('POST /mailings', {
        ...{ name: 'Spring', channel, resource: 'shop', template: { text: 'Hi' }, audience: { all: true } },
        ...more,
      });
      expect(await corridor.api(`POST /mailings/${body.id}/start`)).toMatchObject({ status: 200 });
      await corridor.idle();
      const messages = await corridor.api(`GET /messages?mailing=${body.id}&limit=100`);
      return messages.body.data as {
        id: string;
        sender: string | null;
        state: string;
        reason: string | null;
      }[];
    };
    const subscribe = async (channel: string, profile: string, phone: string) => {
      await corridor.api('POST /profiles', { externalId: profile, fields: { vip: profile === 'm-0' } });
      await corridor.api('POST /subscriptions', { profile, resource: 'shop', channel, fields: { phone } });
    };

    it('is chosen for each message of a launch; without a fitting rule it fails and says why', async () => {
      await channelWith('launched', [
        { name: 'vip', when: { 'profile.vip': true, class: 'marketing' }, senders: [{ sender: 'gamma' }] },
        {
          name: 'spring',
          when: { mailing: 'Spring', 'subscription.phone': { startsWith: '+4' } },
          senders: [{ sender: 'alpha', weight: 2 }, { sender: 'beta' }],
        },
      ]);
      const people = Array.from({ length: 12 }, (_, index) => `m-${index}`);
      for (const person of people) await subscribe('launched', person, person === 'm-1' ? '+331' : '+491');
      const messages = await mail('launched');
      const views = await Promise.all(messages.map((each) => corridor.view(each.id)));
      for (const view of views) {
        const { profile } = view as unknown as { profile: string };
        if (profile === 'm-0') expect(view).toMatchObject({ sender: 'gamma', rule: 'vip', state: 'sent' });
        else if (profile === 'm-1') {
          expect(view).toMatchObject({ sender: null, state: 'failed', reason: 'SENDER_NOT_CHOSEN' });
        } else {
          const sender = bucketOf(view.id, 3) < 2 ? 'alpha' : 'beta';
          expect(view).toMatchObject({ sender, rule: 'spring', state: 'sent' });
        }
      }
      expect(views).toHaveLength(12);
      const named = await mail('launched', { sender: 'beta' });
      expect(new Set(named.map((each) => each.sender))).toEqual(new Set(['beta']));
      const other = await mail('launched', { name: 'Autumn' });
      expect(other.filter((each) => each.state === 'failed')).toHaveLength(11);
    });

    it('needs a name where there are no rules; rules that went away leave failures that say so', async () => {
      await channelWith('unruled', [{ name: 'all', senders: [{ sender: 'alpha' }] }]);
      await subscribe('unruled', 'm-0', '+491');
      const draft = {
        name: 'x',
        channel: 'unruled',
        resource: 'shop',
        template: { text: 'x' },
        audience: { all: true },
      };
      const { body } = await corridor.api('POST /mailings', draft);
      expect((await corridor.api('DELETE /channels/unruled/sender-rules')).status).toBe(204);
      expect((await corridor.api('POST /mailings', draft)).status).toBe(422);
      await corridor.api(`POST /mailings/${body.id}/start`);
      await corridor.idle();
      const { body: found } = await corridor.api(`GET /messages?mailing=${body.id}`);
      expect(found.data).toMatchObject([{ state: 'failed', reason: 'SENDER_NOT_CHOSEN' }]);
      const [{ id }] = found.data;
      expect((await corridor.api('POST /messages/redrive', { ids: [id] })).body).toEqual({ redriven: 1 });
      await corridor.idle();
      expect(await corridor.view(id)).toMatchObject({
        ...{ state: 'failed', reason: 'SENDER_NOT_CHOSEN', attempt: 2 },
        attempts: [{ trail: [{ error: { message: expect.stringContaining('start the mailing again') } }] }],
      });
    });

    it('to a resource is chosen as well', async () => {
      const { fields, ...rest } = smsChannel('wall', [
        { id: 1, type: 'pack', params: { template: { text: '$template.text' } }, outs: { success: 2 } },
        {
          id: 2,
          type: 'http_request',
          params: { url: '$sender.base_url/wall', method: 'POST', content_type: 'json' },
        },
      ]);
      const { sender, template } = fields;
      const resource = [{ field: 'page', type: 'string', name: 'Page' }];
      await corridor.addChannel({
        ...rest,
        communication: 'indirect',
        fields: { sender, template, resource },
      });
      for (const sid of ['alpha', 'beta']) await corridor.addSender('wall', sid);
      const rules = [
        { name: 'urgent', when: { class: 'urgent' }, senders: [{ sender: 'beta' }] },
        { name: 'rest', senders: [{ sender: 'alpha' }] },
      ];
      expect((await corridor.api('PUT /channels/wall/sender-rules', { rules })).status).toBe(200);
      expect(await mail('wall', { audience: undefined })).toMatchObject([{ sender: 'alpha', state: 'sent' }]);
      expect(await mail('wall', { audience: undefined, class: 'urgent' })).toMatchObject([
        { sender: 'beta', state: 'sent' },
      ]);
    });

    it('that nobody is chosen to moderate returns to draft', async () => {
      const [pack, request] = messagePipeline();
      const { fields, ...rest } = smsChannel('judged', []);
      const { sender, template } = fields;
      const resource = [{ field: 'page', type: 'string', name: 'Page' }];
      const pipeline = [
        { ...pack, params: { template: { text: '$template.text' } } },
        { ...request, outs: {} },
      ];
      const asked = { ...request, outs: { success: 3 } };
      const passed = { id: 3, type: 'event', params: { event_type: 'moderate_pass' } };
      await corridor.addChannel({
        ...{ ...rest, communication: 'indirect', moderate: true, fields: { sender, template, resource } },
        pipelines: { message: pipeline, moderate: [...pipeline.slice(0, 1), asked, passed] },
      });
      await corridor.addSender('judged', 'alpha');
      const rules = [{ name: 'urgent', when: { class: 'urgent' }, senders: [{ sender: 'alpha' }] }];
      expect((await corridor.api('PUT /channels/judged/sender-rules', { rules })).status).toBe(200);
      await mail('judged', { audience: undefined });
      const { body } = await corridor.api('GET /mailings');
      expect(body.data[0]).toMatchObject({ channel: 'judged', state: 'draft' });
    });
  });
});
