/** Door 2 as a provider meets it: signatures, repeats, early and unmatched events, arrays, answers. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { databaseKinds } from '../support/database.ts';
import { listenerPipeline, messagePipeline, type Pipe, person, smsChannel } from '../support/sms-channel.ts';

const kinds = await databaseKinds();

describe.each(kinds)('on the %s database', (kind) => {
  let corridor: Corridor;
  const listening = (
    sid: string,
    listener: object,
    pipeline: readonly Pipe[] = listenerPipeline,
    more: object = {},
  ) =>
    corridor.addChannel(
      smsChannel(sid, messagePipeline(), { listener, pipelines: { listener: pipeline, ...more } }),
    );
  beforeAll(async () => {
    corridor = await openCorridor(kind);
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
    await listening('reports', {});
    for (const sender of ['one', 'two']) await corridor.addSender('reports', sender);
  });
  afterAll(() => corridor.end());

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    corridor.listen(path, { headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
  const sentAs = async (externalId: string, sender = 'one') => {
    await corridor.provider.script('/send', { body: { id: externalId } });
    const id = await corridor.send('reports', { ...person(`p-${sender}-${externalId}`), sender });
    await corridor.idle();
    return id;
  };
  const sidsOf = async (id: string) => (await corridor.view(id)).events.map((event) => event.sid).sort();
  const waitingRows = async () =>
    (await corridor.database.query<{ n: number }>('select count(*)::int as n from waiting'))[0]?.n;

  describe('what is not for us', () => {
    it('is not found: channel, pipe, sender, address', async () => {
      const paths = [
        'nothing/1',
        'reports/2222',
        'reports/1/nobody',
        'reports/x',
        'reports/0',
        'reports/1/one/more',
        'reports',
      ];
      for (const path of paths) expect([path, (await post(path, '{}')).status]).toEqual([path, 404]);
      expect(await waitingRows()).toBe(0);
    });

    it('is too large', async () => {
      expect((await post('reports/1', 'x'.repeat(65_537))).status).toBe(413);
      expect((await post('reports/1', 'x'.repeat(65_536))).status).toBe(200);
      await corridor.idle();
    });

    it('is not signed by the sender of its address', async () => {
      const verify = { type: 'hmac', header: 'x-signature', secrets: ['$sender.webhook_secret'] };
      await listening('signed', { verify });
      await corridor.addSender('signed', 'one', { webhook_secret: 'first-secret' });
      await corridor.addSender('signed', 'two', { webhook_secret: 'second-secret' });
      const body = '{"id":"signed-1","type":"delivered"}';
      const signature = (secret: string) => ({
        'x-signature': createHmac('sha256', secret).update(body).digest('hex'),
      });
      expect((await post('signed/1/one', body, signature('first-secret'))).status).toBe(200);
      for (const headers of [signature('second-secret'), {}, { 'x-signature': 'ab' }]) {
        expect((await post('signed/1/one', body, headers as Record<string, string>)).status).toBe(401);
      }
      expect((await post('signed/1', body, signature('first-secret'))).status).toBe(401);
      await corridor.idle();
      const parked = await corridor.database.query(
        "select id from parked_event where external_id = 'signed-1'",
      );
      expect(parked).toHaveLength(1);
    });
  });

  describe('events', () => {
    it('of two senders with the same external id belong to the message of their own', async () => {
      const [first, second] = [await sentAs('shared', 'one'), await sentAs('shared', 'two')];
      await post('reports/1/one', { id: 'shared', type: 'delivered' });
      await post('reports/1/two', { id: 'shared', type: 'read' });
      await corridor.idle();
      expect(await sidsOf(first)).toEqual(['accepted', 'delivered']);
      expect(await sidsOf(second)).toEqual(['accepted', 'read']);
    });

    it('do not reach a message of another sender by its id', async () => {
      const id = await sentAs('mine', 'one');
      await post('reports/1/two', { message: id, type: 'gone' });
      await corridor.idle();
      expect(await corridor.view(id)).toMatchObject({ state: 'sent' });
    });

    it('that come early are parked and joined; the others stay countable', async () => {
      await post('reports/1/one', { id: 'early', type: 'delivered' });
      await post('reports/1/one', { id: 'never', type: 'read' });
      await post('reports/1/one', { message: 'no uuid at all', type: 'read' });
      await corridor.idle();
      const parked = () =>
        corridor.database.query<{ id: string; n: number }>(
          `select coalesce(external_id, '-') as id, count(*)::int as n from parked_event p join channel c on c.id = p.channel_id
         where c.sid = 'reports' group by 1 order by 1`,
        );
      // Two that name no message that is there: this one, and the one of the test before.
      expect(await parked()).toEqual(
        expect.arrayContaining([
          { id: '-', n: 2 },
          { id: 'early', n: 1 },
          { id: 'never', n: 1 },
        ]),
      );
      const id = await sentAs('early');
      expect(await corridor.view(id)).toMatchObject({ state: 'delivered' });
      expect((await parked()).map((row) => row.id)).not.toContain('early');
      expect((await parked()).map((row) => row.id)).toContain('never');
    });

    it('have their own names: a dedupe key is one for its message, not for all', async () => {
      const [first, second] = [await sentAs('d-1'), await sentAs('d-2')];
      for (const id of ['d-1', 'd-2', 'd-1', 'd-2'])
        await post('reports/1/one', { id, type: 'read', key: 'read' });
      await corridor.idle();
      expect(await sidsOf(first)).toEqual(['accepted', 'read']);
      expect(await sidsOf(second)).toEqual(['accepted', 'read']);
    });

    it('that report the send bring the external id by which later ones find it', async () => {
      const reporting = (sid: string, id: number): Pipe[] => [
        { id, type: 'unpack', outs: { success: id + 1 } },
        {
          id: id + 1,
          type: 'event',
          params: { sid, event: { send_message_id: '${in.data.message?}', external_id: '$in.data.id' } },
        },
      ];
      await corridor.addChannel(
        smsChannel('later', [{ id: 1, type: 'log', params: { message: 'by hand' } }], {
          pipelines: { listener: [...reporting('accepted', 1), ...reporting('delivered', 5)] },
        }),
      );
      await corridor.addSender('later');
      const id = await corridor.send('later', person('later'));
      await corridor.idle();
      await post('later/5/main', { id: 'by-hand', type: 'delivered' });
      await corridor.idle();
      await post('later/1/main', { id: 'by-hand', message: id });
      await corridor.idle();
      expect(await corridor.view(id)).toMatchObject({ state: 'delivered', externalId: 'by-hand' });
      await post('later/5/main', { id: 'by-hand', type: 'delivered' });
      await corridor.idle();
      expect(await sidsOf(id)).toEqual(['accepted', 'delivered', 'delivered']);
    });

    it('with hostile values are kept as far as they can be, and cost no other event anything', async () => {
      const id = await sentAs('target');
      const long = 'x'.repeat(20_000);
      await Promise.all([
        post('reports/1/one', { id: 'target', type: 'bounced', code: 'nul \u0000 and \ud800' }),
        post('reports/1/one', { id: 'nul\u0000', type: 'read' }),
        post('reports/1/one', { id: long, type: 'read' }),
        post('reports/1/one', { id: 'target', type: 'read', key: 'k\u0000' }),
        post('reports/1/one', {
          id: 'target',
          type: 'clicked',
          key: Array.from({ length: 900 }, (_, i) => `${i * 7919}`).join(''),
        }),
        post('reports/1/one', { id: 'target', type: 'delivered' }),
        post('reports/1/one', 'no JSON'),
      ]);
      await corridor.idle();
      const sids = await sidsOf(id);
      expect(sids).toEqual(expect.arrayContaining(['accepted', 'bounced', 'delivered', 'read']));
      expect(await corridor.view(id)).toMatchObject({ state: expect.stringMatching(/^(read|clicked)$/) });
      expect(await waitingRows()).toBe(0);
    });
  });

  describe('requests', () => {
    it('with the same name run once, and get the same answer', async () => {
      await listening('named', {
        dedupe: "${in.headers.'x-id'?}",
        response: { status: 202, body: 'thanks' },
      });
      await corridor.addSender('named');
      const send = (id: string) => post('named/1/main', { id: `n-${id}`, type: 'read' }, { 'x-id': id });
      const answers = await Promise.all([send('a'), send('a'), send('b'), send('a')]);
      answers.push(await send('a'));
      expect(await Promise.all(answers.map(async (each) => [each.status, await each.text()]))).toEqual(
        answers.map(() => [202, 'thanks']),
      );
      await corridor.idle();
      const rows = await corridor.database.query(
        "select external_id, count(*)::int as n from parked_event where external_id like 'n-%' group by 1 order by 1",
      );
      expect(rows).toEqual([
        { external_id: 'n-a', n: 1 },
        { external_id: 'n-b', n: 1 },
      ]);
    });

    it('with an array run a way for each element; one that is wrong costs no other', async () => {
      const batch: Pipe[] = [
        { id: 51, type: 'unpack', outs: { success: 52 } },
        { id: 52, type: 'split', params: { items: '$in.data', as: 'report', each: 53 } },
        { id: 53, type: 'event', params: { sid: 'delivered', event: { external_id: '$in.report.id' } } },
      ];
      await listening('reports', {}, [...listenerPipeline, ...batch]);
      const ids = [await sentAs('b-1'), await sentAs('b-2')];
      expect((await post('reports/51/one', [{ id: 'b-1' }, { no: 'id' }, { id: 'b-2' }])).status).toBe(200);
      await corridor.idle();
      for (const id of ids) expect(await corridor.view(id)).toMatchObject({ state: 'delivered' });
      expect(corridor.logged()).toContain('SPLIT_FAILED');
    });

    it('are answered at once where they are handshakes, and nothing is stored', async () => {
      await listening('shaking', {
        responses: [{ when: "$method = 'GET'", content_type: 'text/plain', body: '$in.form.challenge' }],
        response: 'ok',
      });
      const shake = await corridor.listen('shaking/1?challenge=4711', { method: 'GET' });
      expect([shake.status, await shake.text()]).toEqual([200, '4711']);
      expect(await waitingRows()).toBe(0);
      expect(await (await post('shaking/1', {})).text()).toBe('ok');
      await corridor.idle();
    });

    it('may be answered with the result of their run; a repeat gets the same and runs nothing', async () => {
      const asking: Pipe[] = [
        { id: 1, type: 'unpack', outs: { success: 2 } },
        {
          id: 2,
          type: 'http_request',
          params: { url: '$sender.base_url/stock', query: { reference: '$in.data.ask' } },
          outs: { success: 3 },
        },
        { id: 3, type: 'unpack', outs: { success: 4 } },
        {
          id: 4,
          type: 'event',
          params: { sid: 'noted', event: { external_id: '$in.data.id' } },
          outs: { success: 5 },
        },
        { id: 5, type: 'result', params: { path: { stock: '$#in.data.left' } } },
      ];
      await listening('asking', { answer: 'result', dedupe: "${in.headers.'x-id'?}" }, asking);
      await corridor.addSender('asking');
      await corridor.provider.script(
        '/stock',
        { status: 200, body: { id: 'asked', left: 7 } },
        { status: 200, body: { id: 'asked', left: 6 } },
      );
      const ask = () => post('asking/1/main', { ask: 'stock-1' }, { 'x-id': 'q-1' });
      expect(await (await ask()).json()).toEqual({ stock: 7 });
      expect(await (await ask()).json()).toEqual({ stock: 7 });
      expect(await corridor.provider.seen('stock-1')).toHaveLength(1);
      await corridor.idle();
      const parked = await corridor.database.query("select id from parked_event where external_id = 'asked'");
      expect(parked).toHaveLength(1);
    });

    it('may schedule what is to be done later, without a message, for the sender of their address', async () => {
      const listener: Pipe[] = [
        { id: 1, type: 'unpack', outs: { success: 2 } },
        { id: 2, type: 'scheduled', params: { pipe_id: 11, delay: 60, template: { id: '$in.data.id' } } },
      ];
      const schedule: Pipe[] = [
        {
          id: 11,
          type: 'http_request',
          params: {
            url: '$sender.base_url/state',
            form: { reference: '$origin.id' },
            retry: { delays: [30] },
          },
          outs: { success: 12 },
        },
        { id: 12, type: 'event', params: { sid: 'delivered', event: { external_id: '$origin.id' } } },
      ];
      await corridor.addChannel(
        smsChannel('deferring', messagePipeline(), { pipelines: { listener, schedule } }),
      );
      await corridor.addSender('deferring');
      await corridor.provider.script('/send', { body: { id: 'deferred' } });
      await corridor.provider.script('/state', { status: 503 }, { status: 200 });
      const id = await corridor.send('deferring', person('deferred'));
      await corridor.idle();
      await post('deferring/1/main', { id: 'deferred' });
      await corridor.idle();
      expect(await corridor.provider.seen('deferred')).toHaveLength(0);
      await corridor.pass(61);
      expect(await corridor.view(id)).toMatchObject({ state: 'sent' });
      await corridor.pass(31);
      expect(await corridor.provider.seen('deferred')).toHaveLength(2);
      expect(await corridor.view(id)).toMatchObject({ state: 'delivered' });
    });
  });
});
