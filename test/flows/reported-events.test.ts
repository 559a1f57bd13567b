/** Events that providers report: whose they are, early ones, unmatched ones, repeated ones, hostile ones. */
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
      await post('reports/1/one', { message: '01890a5d-ac96-774b-bcce-b302099a8057', type: 'read' });
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

    it('whose id of a message has a wrong form fail their run', async () => {
      await post('reports/1/one', { message: 'order-4711', type: 'read' });
      await corridor.idle();
      expect(corridor.logged()).toMatch(/a listener run failed.*"code":"PIPE_PARAMS".*order-4711/);
    });

    it('of a message whose provider gives an endless id say so, and never blame a bug', async () => {
      await corridor.provider.script('/send', { body: { id: 'x'.repeat(9_000) } });
      const id = await corridor.send('reports', { ...person('endless'), sender: 'one' });
      await corridor.idle();
      expect(await corridor.view(id)).toMatchObject({ state: 'failed', reason: 'PROVIDER_ID_TOO_LONG' });
      // As long as an index could not keep, but for its limit.
      await corridor.provider.script('/send', { body: { id: `${'y7Kq'.repeat(250)}` } });
      const longest = await corridor.send('reports', { ...person('longest'), sender: 'one' });
      await corridor.idle();
      await post('reports/1/one', { id: 'y7Kq'.repeat(250), type: 'delivered' });
      await corridor.idle();
      expect(await corridor.view(longest)).toMatchObject({ state: 'delivered' });
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
      expect(sids).toEqual(expect.arrayContaining(['accepted', 'bounced', 'clicked', 'delivered', 'read']));
      expect(await corridor.view(id)).toMatchObject({ state: 'clicked' });
      expect(await waitingRows()).toBe(0);
    });
  });
});
