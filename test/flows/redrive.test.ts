/** Sending failed messages again: new attempts on the same ids. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { databaseKinds } from '../support/database.ts';
import { listenerPipeline, messagePipeline, person, smsChannel } from '../support/sms-channel.ts';

const kinds = await databaseKinds();

describe.each(kinds)('on the %s database', (kind) => {
  let corridor: Corridor;
  const once = { retry: { attempts: 1 } };
  const withListener = { pipelines: { listener: listenerPipeline } };
  beforeAll(async () => {
    corridor = await openCorridor(kind);
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
    for (const sid of ['again', 'many']) {
      await corridor.addChannel(smsChannel(sid, messagePipeline(once), withListener));
      await corridor.addSender(sid);
    }
  });
  afterAll(() => corridor.end());

  const redrive = async (body: object) => (await corridor.api('POST /messages/redrive', body)).body;
  const report = async (channel: string, body: object) => {
    expect((await corridor.listen(`${channel}/1/main`, { body: JSON.stringify(body) })).status).toBe(200);
    await corridor.idle();
  };

  it('makes a new attempt on the same id, with all its tries, and audits it', async () => {
    await corridor.provider.script('/send', { status: 503 }, { status: 202, body: { id: 'second' } });
    const id = await corridor.send('again', person('ann'));
    await corridor.idle();
    expect(await corridor.view(id)).toMatchObject({ state: 'failed', reason: 'HTTP_STATUS_503', attempt: 1 });
    expect(await redrive({ ids: [id] })).toEqual({ redriven: 1 });
    await corridor.idle();
    const view = await corridor.view(id);
    expect(view).toMatchObject({ state: 'sent', reason: null, attempt: 2, externalId: 'second' });
    expect(view.attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
      [1, 'failed'],
      [2, 'done'],
    ]);
    const { body } = await corridor.api('GET /audit');
    const after = { redriven: 1, messages: [id] };
    expect(body.data).toContainEqual(expect.objectContaining({ action: 'messages.redrive', after }));
    expect(await redrive({ ids: [id] })).toEqual({ redriven: 0 });
  });

  it('is audited or not made at all', async () => {
    await corridor.provider.script('/send', { status: 503 });
    const id = await corridor.send('again', person('dan'));
    await corridor.idle();
    await corridor.database.query(
      `alter table audit add constraint unwritable check (action <> 'messages.redrive') not valid`,
    );
    expect((await corridor.api('POST /messages/redrive', { ids: [id] })).status).toBeGreaterThanOrEqual(500);
    await corridor.database.query('alter table audit drop constraint unwritable');
    expect(await corridor.view(id)).toMatchObject({ state: 'failed', attempt: 1 });
    expect(await redrive({ ids: [id] })).toEqual({ redriven: 1 });
    await corridor.idle();
  });

  it('keeps late events of the attempt before away from the new one', async () => {
    await corridor.provider.script('/send', { body: { id: 'try-1' } }, { body: { id: 'try-2' } });
    const id = await corridor.send('again', person('bob'));
    await corridor.idle();
    await report('again', { id: 'try-1', type: 'bounced', code: 'full' });
    expect(await corridor.view(id)).toMatchObject({ state: 'soft_bounced', reason: 'full' });
    await redrive({ ids: [id] });
    await corridor.idle();
    expect(await corridor.view(id)).toMatchObject({ state: 'sent', attempt: 2 });
    await report('again', { id: 'try-1', type: 'gone' });
    await report('again', { id: 'try-1', message: id, type: 'gone' });
    expect(await corridor.view(id)).toMatchObject({ state: 'sent', attempt: 2 });
    await report('again', { id: 'try-2', type: 'delivered' });
    const view = await corridor.view(id);
    expect(view.state).toBe('delivered');
    expect(view.events.map((event) => [event.sid, event.attempt]).sort()).toEqual([
      ['accepted', 1],
      ['accepted', 2],
      ['bounced', 1],
      ['delivered', 2],
      ['gone', 1],
      ['gone', 1],
    ]);
  });

  it('follows a provider that gives the repeated message the same id', async () => {
    await corridor.provider.script('/send', { body: { id: 'same' } });
    const id = await corridor.send('again', person('cleo'));
    await corridor.idle();
    await report('again', { id: 'same', type: 'bounced' });
    await redrive({ ids: [id] });
    await corridor.idle();
    await report('again', { id: 'same', type: 'delivered' });
    expect(await corridor.view(id)).toMatchObject({ state: 'delivered', attempt: 2 });
  });

  it('finds them by channel, state and reason, and goes through the channel as it is now', async () => {
    await corridor.provider.script('/send', { status: 503 });
    const failed = await Promise.all(['p1', 'p2', 'p3'].map((name) => corridor.send('many', person(name))));
    await corridor.idle();
    await corridor.provider.script('/send', { status: 400 });
    const other = await corridor.send('many', person('p4'));
    await corridor.idle();
    await corridor.addChannel(
      smsChannel('many', messagePipeline({ ...once, url: '$sender.base_url/fixed' }), withListener),
    );
    expect(await redrive({ channel: 'many', state: 'failed', reason: 'HTTP_STATUS_503' })).toEqual({
      redriven: 3,
    });
    await corridor.idle();
    for (const id of failed) {
      expect(await corridor.view(id)).toMatchObject({ state: 'sent', attempt: 2 });
      expect((await corridor.provider.seen(id)).map((each) => each.path)).toEqual(['/send', '/fixed']);
    }
    expect(await corridor.view(other)).toMatchObject({ state: 'failed', attempt: 1 });
  });
});
