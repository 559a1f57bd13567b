/** Mailings: how they are started, tested, paused, resumed, stopped and finished. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requeue } from '../../../src/flows/settlement/end-message.ts';
import { settleEffects } from '../../../src/flows/settlement/settler.ts';
import { type ClaimedRow, enterNode } from '../../../src/storage/claim.ts';
import { PARKED_DUE_MS } from '../../../src/storage/launches.ts';
import type { Corridor } from '../../support/corridor.ts';
import { until } from '../../support/engine.ts';
import { addressed, all, type MailingCorridor, openMailings } from '../../support/mailing-corridor.ts';
import { type Pipe, smsChannel } from '../../support/sms-channel.ts';

let mailings: MailingCorridor;
let corridor: Corridor;
beforeAll(async () => {
  mailings = await openMailings();
  ({ corridor } = mailings);
});
afterAll(() => corridor.end());

describe('starting', () => {
  it('twice, one after the other, makes two launches; at the same time one', async () => {
    await mailings.channelWith('twice');
    const id = await mailings.create('twice');
    const answers = await Promise.all([
      mailings.act(id, 'start'),
      mailings.act(id, 'start'),
      mailings.act(id, 'start'),
    ]);
    expect(answers.map((each) => each.status).sort()).toEqual([200, 409, 409]);
    await corridor.idle();
    expect((await mailings.act(id, 'start')).status).toBe(200);
    await corridor.idle();
    expect(await mailings.reached('twice')).toEqual([...all, ...all].sort());
    expect(await mailings.show(id)).toMatchObject({
      state: 'finished',
      messages: 10,
      launches: [{ number: 1 }, { number: 2 }],
    });
  });

  it('again under the same Idempotency-Key because the answer was lost finds the launch that was made', async () => {
    await mailings.channelWith('repeated');
    const id = await mailings.create('repeated');
    for (const verb of ['start', 'test']) {
      const call = () =>
        corridor.api(`POST /mailings/${id}/${verb}`, verb === 'test' ? { profiles: ['ann'] } : undefined, {
          'idempotency-key': `${verb} once`,
        });
      const first = await call();
      await corridor.idle();
      await corridor.database.query('update idempotency set status = null, answer = null where key = $1', [
        `${verb} once`,
      ]);
      expect(first.status, JSON.stringify(first.body)).toBeLessThan(300);
      expect((await call()).status).toBe(first.status);
      await corridor.idle();
    }
    const { launches } = await mailings.show(id);
    expect(launches.map((each: { kind: string }) => each.kind)).toEqual(['real', 'test']);
  });

  it('waits for its time, and stops at its time', async () => {
    await mailings.channelWith('timed', addressed('timed'));
    await corridor.provider.script('/timed', { status: 503 });
    const at = (seconds: number) => new Date(corridor.runtime.clock.now() + seconds * 1_000).toISOString();
    const id = await mailings.create('timed', { schedule: { startAt: at(100), stopAt: at(150) } });
    expect((await mailings.act(id, 'start')).body.state).toBe('scheduled');
    expect((await mailings.act(id, 'start')).status).toBe(409);
    await corridor.idle();
    expect(await mailings.reached('timed')).toEqual([]);
    await corridor.pass(101);
    expect(await mailings.reached('timed')).toEqual(all);
    expect(await mailings.show(id)).toMatchObject({ state: 'sending', counts: { queued: 5 } });
    await corridor.pass(50);
    expect(await mailings.show(id)).toMatchObject({ state: 'stopped', counts: { stopped: 5 } });
    await corridor.pass(100);
    expect(await mailings.reached('timed')).toEqual(all);
  });

  it('a test sends to whom it names, and leaves the mailing as it is', async () => {
    await mailings.channelWith('tested');
    const id = await mailings.create('tested');
    expect((await mailings.act(id, 'test', {})).status).toBe(422);
    expect((await mailings.act(id, 'test', { profiles: ['cleo'] })).status).toBe(202);
    await corridor.idle();
    expect(await mailings.reached('tested')).toEqual(['cleo']);
    expect(await mailings.show(id)).toMatchObject({
      state: 'draft',
      messages: 0,
      launches: [{ kind: 'test', state: 'finished' }],
    });
  });

  it('finishes on the version of the channel with which it began', async () => {
    await corridor.provider.script('/before', { status: 503 }, { status: 503 }, { status: 202 });
    await mailings.channelWith('pinned', addressed('before'));
    const id = await mailings.create('pinned', { audience: { profiles: ['ann', 'bob'] } });
    await mailings.act(id, 'start');
    await corridor.idle();
    await corridor.addChannel(smsChannel('pinned', addressed('after')));
    await corridor.pass(61);
    expect(await mailings.show(id)).toMatchObject({ state: 'finished', counts: { sent: 2 } });
    const paths = async () =>
      (await corridor.provider.log())
        .filter((each) => each.reference.startsWith('pinned/'))
        .map((each) => each.path);
    expect(await paths()).toEqual(Array(4).fill('/before'));
    await mailings.act(id, 'start');
    await corridor.idle();
    expect((await paths()).slice(4)).toEqual(['/after', '/after']);
  });
});

describe('pausing', () => {
  it('holds what waits, also what is paused and resumed at once, and goes on after', async () => {
    await mailings.channelWith('paused', addressed('paused'));
    await corridor.provider.script('/paused', ...all.map(() => ({ status: 503 })), { status: 202 });
    const id = await mailings.create('paused');
    await mailings.act(id, 'start');
    await corridor.idle();
    expect((await mailings.act(id, 'pause')).body.state).toBe('paused');
    expect((await mailings.act(id, 'pause')).status).toBe(409);
    await corridor.pass(120);
    expect(await mailings.reached('paused')).toEqual(all);
    // What runs after the resume may still believe that it is paused, and must not be lost for that.
    await mailings.act(id, 'resume');
    await mailings.act(id, 'pause');
    corridor.wake();
    await mailings.act(id, 'resume');
    await corridor.idle();
    await corridor.pass(5);
    expect(await mailings.show(id)).toMatchObject({ state: 'finished', counts: { sent: 5 } });
    expect(await mailings.reached('paused')).toEqual([...all, ...all].sort());
  });

  it('parks only what belongs to a launch that is still paused when its run is settled', async () => {
    const { database, runtime } = corridor;
    await mailings.channelWith('stale', addressed('stale'));
    await corridor.provider.script('/stale', { status: 503 });
    const id = await mailings.create('stale', { audience: { profiles: ['ann'] } });
    await mailings.act(id, 'start');
    await corridor.idle();
    // The worker leaves the lanes of channels to the test.
    await database.query('update lane set paused_at = now() where channel_id <> 0');
    await corridor.pass(2);
    const node = await enterNode(database, 'stale');
    /** Settles the run of the message as one that saw its launch paused; gives the year in which it is due then. */
    const park = async () => {
      const [row] = await database.query<ClaimedRow>(
        `update waiting w set owner = $2 from message m join launch l on l.id = m.launch_id
         where m.id = w.message_id and l.mailing_id = $1 returning w.*`,
        [id, node],
      );
      if (row === undefined) throw new Error('nothing waits');
      await settleEffects(runtime, node, [requeue(row, PARKED_DUE_MS)]);
      const [now] = await database.query<{ due: Date }>('select due_at as due from waiting where id = $1', [
        row.id,
      ]);
      return now?.due.getUTCFullYear();
    };
    await mailings.act(id, 'pause');
    expect(await park()).toBe(9999);
    await mailings.act(id, 'resume');
    expect(await park()).toBe(new Date(runtime.clock.now()).getUTCFullYear());
    await mailings.act(id, 'stop');
    await until(async () => (await mailings.show(id)).counts.stopped === 1);
    await database.query('update lane set paused_at = null');
    await corridor.pass(2);
  });

  it('holds a paused channel as well, and still takes its events', async () => {
    const listener: Pipe[] = [
      { id: 1, type: 'event', params: { sid: 'delivered', event: { send_message_id: '$in.form.id' } } },
    ];
    await mailings.channelWith('held', addressed('held'), { pipelines: { listener } });
    const first = await corridor.send('held', { profile: 'ann' });
    await corridor.idle();
    const status = (to: string) =>
      corridor.database.query('update channel set status = $1 where sid = $2', [to, 'held']);
    await status('paused');
    // Every node reads the lanes at least each second.
    await corridor.pass(2);
    const queued = await corridor.send('held', { profile: 'bob' });
    await corridor.listen(`held/1?id=${first}`);
    await until(async () => (await corridor.view(first)).state === 'delivered');
    expect(await corridor.view(queued)).toMatchObject({ state: 'accepted' });
    await status('active');
    await corridor.pass(2);
    expect(await corridor.view(queued)).toMatchObject({ state: 'sent' });
    expect(await mailings.reached('held')).toEqual(['ann', 'bob']);
  });
});

describe('stopping', () => {
  const stop: Pipe[] = [
    {
      id: 1,
      type: 'http_request',
      params: { url: '$sender.base_url/withdraw', form: { reference: 'withdraw/$message.id' } },
      outs: { success: 2 },
    },
    { id: 2, type: 'event', params: { event_type: 'stop' } },
  ];
  const placement = { mailing_types: ['placement'], pipelines: { stop } };

  it('stops what waits and withdraws what was placed', async () => {
    await mailings.channelWith('placed', addressed('placed'), placement);
    await corridor.provider.script('/placed', { status: 202 }, { status: 202 }, { status: 503 });
    const id = await mailings.create('placed');
    await mailings.act(id, 'start');
    await corridor.idle();
    expect((await mailings.show(id)).counts).toEqual({ sent: 2, queued: 3 });
    expect((await mailings.act(id, 'stop')).body.state).toBe('stopped');
    await corridor.pass(120);
    expect(await mailings.show(id)).toMatchObject({
      state: 'stopped',
      counts: { stopped: 5 },
      launches: [{ state: 'stopped' }],
    });
    const withdrawn = (await corridor.provider.log()).filter((each) => each.path === '/withdraw');
    expect(withdrawn).toHaveLength(2);
    expect(await mailings.reached('placed')).toEqual(all);
  });

  it('withdraws what was placed by a launch that has long ended, once', async () => {
    await mailings.channelWith('ended', addressed('ended'), placement);
    const id = await mailings.create('ended');
    await mailings.act(id, 'start');
    await corridor.idle();
    expect(await mailings.show(id)).toMatchObject({ state: 'finished', counts: { sent: 5 } });
    expect((await mailings.act(id, 'stop')).status).toBe(200);
    await corridor.idle();
    expect(await mailings.show(id)).toMatchObject({ state: 'stopped', counts: { stopped: 5 } });
    expect((await mailings.act(id, 'stop')).status).toBe(409);
  });

  it('stops what comes back to a lane that rests, and would be due again long before it goes on', async () => {
    const soon = addressed('resting').map((pipe) =>
      pipe.id === 2 ? { ...pipe, params: { ...pipe.params, retry: { delays: [0.05] } } } : pipe,
    );
    await mailings.channelWith('resting', soon);
    await corridor.provider.script('/resting', { status: 503, delayMs: 1_500 });
    const id = await mailings.create('resting');
    await mailings.act(id, 'start');
    await until(async () => (await mailings.reached('resting')).length === all.length);
    const { body } = await corridor.api('GET /lanes');
    const lane = body.data.find((each: { channel: string }) => each.channel === 'resting');
    await corridor.api(`POST /lanes/${lane.id}/pause`);
    await mailings.act(id, 'stop');
    await until(async () => (await mailings.show(id)).counts.stopped === all.length);
    await corridor.idle();
    expect((await mailings.show(id)).launches[0].finishedAt).not.toBeNull();
    expect(await mailings.reached('resting')).toEqual(all);
  });
});
