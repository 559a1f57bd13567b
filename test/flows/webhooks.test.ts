/** Webhooks: signed, tried again, given up, disabled; and that a dead receiver is nobody else's trouble. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { databaseKinds, serverReachable } from '../support/database.ts';
import { until } from '../support/engine.ts';
import { addWebhook, expectedSignature, type Receiver, startReceiver } from '../support/receiver.ts';
import { messagePipeline, person, smsChannel } from '../support/sms-channel.ts';
import { verify } from './listener/support.ts';

for (const kind of await databaseKinds()) {
  describe(`webhooks on ${kind === 'server' ? 'a PostgreSQL server' : 'the embedded database'}`, () => {
    let corridor: Corridor;
    let receiver: Receiver;
    beforeAll(async () => {
      // A slow machine must not end what a test lets hang.
      const options = { concurrency: 8, webhookTimeoutMs: 600_000 };
      [corridor, receiver] = await Promise.all([openCorridor(kind, options), startReceiver()]);
      await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
      await corridor.addChannel(smsChannel('plain'));
      await corridor.addSender('plain');
    });
    afterAll(async () => {
      await receiver.kill();
      await corridor.end();
    });

    const test = async (id: string) => {
      const { status, body } = await corridor.api(`POST /webhooks/${id}/test`);
      expect(status).toBe(202);
      return body.event as string;
    };
    const deliveries = async (id: string) =>
      (await corridor.api(`GET /webhooks/${id}/deliveries?limit=100`)).body.data;
    const show = async (id: string) => (await corridor.api(`GET /webhooks/${id}`)).body;
    const told = async (type: string) =>
      (await corridor.api(`GET /operator-events?limit=100&type=${type}`)).body.data;
    const waitingFor = async (laneId: number) =>
      (
        await corridor.database.query<{ n: number }>(
          'select count(*)::int as n from waiting where lane_id = $1',
          [laneId],
        )
      )[0]?.n;
    const ofEvent = async (event: string) => (await receiver.received()).filter((each) => each.id === event);

    it('a test event is signed with the secret that was shown, as our own listener checks it too', async () => {
      const { id, secret } = await addWebhook(corridor, receiver.url, ['node.lost']);
      expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      const event = await test(id);
      await corridor.idle();
      const [received] = await ofEvent(event);
      if (received === undefined) throw new Error('nothing came');
      expect(received.body).toMatchObject({ type: 'webhook.test', data: { webhook: id } });
      expect(received.signatures).toEqual([expectedSignature(received, secret)]);
      const headers = {
        'webhook-id': received.id,
        'webhook-timestamp': String(received.timestamp),
        'webhook-signature': `v1,${received.signatures[0]}`,
      };
      const check = (body: string) =>
        verify({ preset: 'standard_webhooks' }, { headers, body }, { secret }, received.timestamp * 1_000);
      expect(check(received.text)).toBe(true);
      expect(check(received.text.replace('test', 'tent'))).not.toBe(true);
      expect(await deliveries(id)).toMatchObject([
        { event, type: 'webhook.test', state: 'delivered', attempts: 1, status: 202, nextAt: null },
      ]);
      await corridor.api(`DELETE /webhooks/${id}`);
    });

    it('a rotated secret signs beside the one before for a day', async () => {
      const { id, secret } = await addWebhook(corridor, receiver.url, ['node.lost']);
      const rotated = (await corridor.api(`POST /webhooks/${id}/rotate-secret`)).body.secret;
      expect(rotated).not.toBe(secret);
      const signatures = async () => {
        const event = await test(id);
        await corridor.idle();
        const [received] = await ofEvent(event);
        if (received === undefined) throw new Error('nothing came');
        return { received, given: received.signatures };
      };
      const during = await signatures();
      expect(during.given).toEqual([rotated, secret].map((each) => expectedSignature(during.received, each)));
      await corridor.pass(24 * 3_600 + 1);
      const after = await signatures();
      expect(after.given).toEqual([expectedSignature(after.received, rotated)]);
      await corridor.api(`DELETE /webhooks/${id}`);
    });

    it('a receiver that was killed gets what it missed once it is back, under the same id', async () => {
      const { id } = await addWebhook(corridor, receiver.url, ['node.lost']);
      await receiver.kill();
      const event = await test(id);
      await corridor.idle();
      await corridor.pass(6);
      expect(await deliveries(id)).toMatchObject([{ event, state: 'waiting', attempts: 2, status: null }]);
      const failing = await show(id);
      expect(failing.failingSince).not.toBeNull();
      await receiver.restart();
      await corridor.pass(31);
      const [received, ...more] = await ofEvent(event);
      expect(more).toEqual([]);
      const [last] = await deliveries(id);
      expect(last).toMatchObject({ event, state: 'delivered', attempts: 3 });
      // It is signed for when it is sent, not for when the event was.
      expect((received?.timestamp ?? 0) * 1_000 - Date.parse(received?.body.timestamp ?? '')).toBeGreaterThan(
        35_000,
      );
      expect((await show(id)).failingSince).toBeNull();
      await corridor.api(`DELETE /webhooks/${id}`);
    });

    it('a receiver that hangs holds up no message', async () => {
      await receiver.script({ end: 'hang' });
      const { id, laneId } = await addWebhook(corridor, receiver.url, ['node.lost']);
      for (let index = 0; index < 20; index += 1) await test(id);
      await until(async () => (await receiver.received()).length >= 4);
      const ids = await Promise.all(
        Array.from({ length: 40 }, (_, index) => corridor.send('plain', person(`hang-${index}`))),
      );
      await until(async () =>
        (await Promise.all(ids.map((each) => corridor.view(each)))).every((each) => each.state === 'sent'),
      );
      // None of the hanging requests has ended in the meantime.
      expect(await deliveries(id)).toEqual([]);
      expect(await waitingFor(laneId)).toBe(20);
      await corridor.api(`PUT /webhooks/${id}`, { status: 'disabled' });
      await receiver.kill();
      await corridor.idle();
      await receiver.restart();
      await corridor.api(`DELETE /webhooks/${id}`);
    });

    it('a webhook that answers 410 is disabled, which others are told, and what waited is dropped', async () => {
      const watching = await addWebhook(corridor, receiver.url, ['webhook.disabled']);
      const gone = await startReceiver();
      await gone.script({ end: 'hang' });
      const { id, laneId } = await addWebhook(corridor, gone.url, ['*']);
      for (let index = 0; index < 12; index += 1) await test(id);
      await gone.kill();
      await until(async () => (await deliveries(id)).length === 12);
      await gone.restart();
      await gone.script({ status: 410 });
      await corridor.pass(6);
      expect(await waitingFor(laneId)).toBe(0);
      expect(await show(id)).toMatchObject({
        status: 'disabled',
        reason: 'The receiver answered 410: it wants no more events.',
      });
      const [event] = await told('webhook.disabled');
      expect(event.data).toMatchObject({ webhook: id, host: new URL(gone.url).host });
      await until(async () => (await ofEvent(event.id)).length === 1);
      expect((await corridor.api(`POST /webhooks/${id}/test`)).status).toBe(409);
      expect((await gone.received()).length).toBeLessThan(12);
      await gone.script({ status: 204 });
      expect((await corridor.api(`PUT /webhooks/${id}`, { status: 'active' })).body).toMatchObject({
        status: 'active',
        reason: null,
        failingSince: null,
      });
      const again = await test(id);
      await corridor.idle();
      expect((await gone.received()).some((each) => each.id === again)).toBe(true);
      await gone.kill();
      for (const each of [id, watching.id]) await corridor.api(`DELETE /webhooks/${each}`);
    });

    it('an event is given up after the last delay, and a webhook that took nothing for five days is disabled', async () => {
      await receiver.script({ status: 500, body: 'still broken' });
      const { id } = await addWebhook(corridor, receiver.url, ['node.lost']);
      const event = await test(id);
      await corridor.idle();
      for (const seconds of [5, 30, 120, 600, 3_600, 21_600, 86_400]) await corridor.pass(seconds + 1);
      expect(await ofEvent(event)).toHaveLength(8);
      expect(await deliveries(id)).toMatchObject([
        { event, state: 'failed', attempts: 8, status: 500, excerpt: 'still broken', nextAt: null },
      ]);
      expect((await show(id)).status).toBe('active');
      await corridor.pass(2 * 86_400);
      await test(id);
      await corridor.idle();
      expect((await show(id)).status).toBe('active');
      await corridor.pass(2 * 86_400);
      expect(await show(id)).toMatchObject({ status: 'disabled' });
      expect((await told('webhook.disabled'))[0].data).toMatchObject({ webhook: id });
      await receiver.script({ status: 202 });
      await corridor.api(`DELETE /webhooks/${id}`);
    });

    it('nothing is told about the lane of a webhook, whose breaker opens like any other', async () => {
      await receiver.script({ status: 503 });
      const { id, laneId } = await addWebhook(corridor, receiver.url, ['*']);
      for (let index = 0; index < 25; index += 1) await test(id);
      const breaker = async () =>
        (
          await corridor.database.query<{ breaker: string }>('select breaker from lane where id = $1', [
            laneId,
          ])
        )[0]?.breaker;
      await until(async () => (await breaker()) === 'open');
      await corridor.api(`POST /lanes/${laneId}/pause`);
      await corridor.api(`POST /lanes/${laneId}/resume`);
      await corridor.api(`POST /lanes/${laneId}/reset`);
      for (const type of ['lane.opened', 'lane.closed', 'lane.paused', 'lane.resumed']) {
        expect(await told(type)).toEqual([]);
      }
      const [lane] = (await corridor.api('GET /lanes')).body.data.filter(
        (each: { id: number }) => each.id === laneId,
      );
      expect(JSON.stringify(lane)).not.toContain('address-key');
      await corridor.api(`DELETE /webhooks/${id}`);
      await receiver.script({ status: 202 });
      await corridor.idle();
    });

    it('a loopback address that nobody allowed is not reached', async () => {
      const { id } = await addWebhook(corridor, 'http://10.1.2.3/hook', ['node.lost']);
      await test(id);
      await corridor.idle();
      const [first] = await deliveries(id);
      expect(first).toMatchObject({ state: 'waiting', status: null });
      expect(first.error).toContain('must not be reached');
      await corridor.api(`DELETE /webhooks/${id}`);
    });
  });
}

describe.skipIf(!(await serverReachable()))('with two workers', () => {
  it('a mailing is finished and told once', async () => {
    const corridor = await openCorridor('server');
    const receiver = await startReceiver();
    try {
      const other = await corridor.another();
      await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
      await corridor.addChannel(smsChannel('both', messagePipeline()));
      await corridor.addSender('both');
      await addWebhook(corridor, receiver.url, ['mailing.finished']);
      const subscription = { resource: 'shop', channel: 'both', fields: { phone: '+491' } };
      for (const profile of ['ann', 'bob']) {
        await corridor.api('POST /profiles', { externalId: profile });
        await corridor.api('POST /subscriptions', { profile, ...subscription });
      }
      const { body } = await corridor.api('POST /mailings', {
        name: 'Spring',
        channel: 'both',
        sender: 'main',
        resource: 'shop',
        template: { text: 'Hi' },
        audience: { all: true },
      });
      for (let launch = 1; launch <= 5; launch += 1) {
        expect((await corridor.api(`POST /mailings/${body.id}/start`)).status).toBe(200);
        await until(async () => {
          const finishing = [corridor, other].flatMap((node) => [
            node.housekeeping.finish(),
            node.housekeeping.finish(),
          ]);
          return (await Promise.all(finishing)).some((count) => count > 0);
        });
      }
      await until(async () => (await receiver.received()).length >= 5);
      await corridor.idle();
      const finished = (await receiver.received()).map((each) => each.body.data.launch);
      expect(finished).toHaveLength(5);
      expect(new Set(finished).size).toBe(5);
    } finally {
      await receiver.kill();
      await corridor.end();
    }
  });
});
