/** The happy way of a message, and what the database and people see of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { databaseKinds } from '../support/database.ts';
import { listenerPipeline, messagePipeline, person, smsChannel } from '../support/sms-channel.ts';

const kinds = await databaseKinds();

describe.each(kinds)('on the %s database', (kind) => {
  let corridor: Corridor;
  beforeAll(async () => {
    corridor = await openCorridor(kind);
    await corridor.addChannel(
      smsChannel('plain', messagePipeline(), { pipelines: { listener: listenerPipeline } }),
    );
    await corridor.addSender('plain');
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: { plain: {} } });
  });
  afterAll(() => corridor.end());

  it('sends a message, keeps the external id, and joins the reports that follow', async () => {
    const id = await corridor.send('plain', person('ann'));
    await corridor.idle();
    const sent = await corridor.view(id);
    expect(sent).toMatchObject({ state: 'sent', reason: null, externalId: expect.stringMatching(/^p-/) });
    expect(sent.events).toMatchObject([{ sid: 'accepted', type: 'send', externalId: sent.externalId }]);
    expect(sent.attempts).toMatchObject([
      {
        number: 1,
        outcome: 'done',
        trail: [
          { pipe: 1, type: 'pack', exit: 'success' },
          { pipe: 2, type: 'http_request', exit: 'success', response: { status: 202 } },
          { pipe: 3, type: 'unpack', exit: 'success' },
          { pipe: 4, type: 'event', exit: 'success' },
        ],
      },
    ]);
    const answer = await corridor.listen('plain/1/main', {
      body: JSON.stringify({ id: sent.externalId, type: 'delivered' }),
    });
    expect(answer.status).toBe(200);
    await corridor.idle();
    const delivered = await corridor.view(id);
    expect(delivered.state).toBe('delivered');
    expect(delivered.events.map((event) => event.sid)).toEqual(['accepted', 'delivered']);
    const [request] = await corridor.provider.seen(id);
    expect(request?.headers.authorization).toBe('Bearer secret-token-main');
  });

  it('shows a secret nowhere, wherever authors and providers put it', async () => {
    const leaky = [
      { id: 1, type: 'log', params: { level: 'warn', message: 'token $sender.token' }, outs: { success: 2 } },
      {
        id: 2,
        type: 'pack',
        params: { template: { reference: '$origin.send_message_id', token: '$sender.token' } },
        outs: { success: 3 },
      },
      {
        id: 3,
        type: 'http_request',
        params: {
          url: '$sender.base_url/leaky',
          method: 'POST',
          content_type: 'json',
          headers: { 'X-Key': '$sender.token' },
          query: { key: '$sender.token' },
          retry: { delays: [60] },
        },
        outs: { success: 4, error: 5 },
      },
      { id: 4, type: 'unpack', outs: { success: 5 } },
      {
        id: 5,
        type: 'event',
        params: {
          sid: 'gone',
          event: {
            message: 'refused $sender.token',
            code: '$sender.token',
            data: { echo: '$sender.token' },
            external_id: 'x',
          },
        },
      },
    ];
    await corridor.addChannel(smsChannel('leaky', leaky));
    await corridor.addSender('leaky');
    await corridor.provider.script(
      '/leaky',
      {
        status: 503,
        body: { error: 'no Bearer secret-token-main' },
        headers: { 'x-echo': 'secret-token-main' },
      },
      { status: 400, body: { error: 'no secret-token-main' } },
    );
    const id = await corridor.send('leaky', person('bob'));
    await corridor.idle();
    const between = await corridor.dump();
    await corridor.pass(61);
    const view = await corridor.view(id);
    expect(view.state).toBe('hard_bounced');
    expect(await corridor.provider.seen(id)).toHaveLength(2);
    expect(view.attempts.map((attempt) => attempt.outcome)).toEqual(['waiting', 'done']);
    const everything = between + (await corridor.dump()) + corridor.logged() + JSON.stringify(view);
    expect(everything).toContain('***');
    expect(everything).not.toContain('secret-token-main');
    expect(everything).not.toContain(Buffer.from('secret-token-main').toString('base64'));
  });

  it('keeps the lines of log pipes with the run, and writes them to the log', async () => {
    const logs = [
      {
        id: 1,
        type: 'log',
        params: { level: 'error', message: 'to $subscription.phone' },
        outs: { success: 2 },
      },
      { id: 2, type: 'event', params: { sid: 'accepted' } },
    ];
    await corridor.addChannel(
      smsChannel('logging', logs, {
        pipelines: {
          listener: [{ id: 7, type: 'log', params: { level: 'warn', message: 'heard $in.form.word' } }],
        },
      }),
    );
    await corridor.addSender('logging');
    const id = await corridor.send('logging', person('cleo'));
    expect((await corridor.listen('logging/7?word=cuckoo')).status).toBe(200);
    await corridor.idle();
    const [attempt] = (await corridor.view(id)).attempts;
    expect(attempt?.trail[0]?.log).toEqual([
      { level: 'error', prefix: 'logging|1', message: 'to +491540000001' },
    ]);
    expect(corridor.logged()).toContain('logging|1 to +491540000001');
    expect(corridor.logged()).toContain('logging|7 heard cuckoo');
  });
});
