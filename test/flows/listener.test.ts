/** Door 2 as a provider meets it: addresses, signatures, repeats, arrays, handshakes, answers. */
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
      expect(corridor.logged()).toMatch(/"code":"TEMPLATE_VALUE_MISSING".*1 of 3 elements failed/);
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
