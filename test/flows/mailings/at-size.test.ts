/** Mailings of several pages, and of several processes: opened, parked, resumed, stopped and withdrawn. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../../support/corridor.ts';
import { serverReachable } from '../../support/database.ts';
import { until } from '../../support/engine.ts';
import { messagePipeline, type Pipe, smsChannel } from '../../support/sms-channel.ts';

/** Two whole pages and a part of one. */
const PROFILES = 10_100;

describe.skipIf(!(await serverReachable()))('with more people than fit a page', () => {
  let corridor: Corridor;
  beforeAll(async () => {
    corridor = await openCorridor('server', { laneConcurrency: 256 });
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
    await corridor.database.query(
      `insert into profile (id, account_id, external_id, fields, created_at, updated_at)
       select gen_random_uuid(), $1, 'p-' || n, json_build_object('odd', n % 2 = 1)::jsonb, now(), now()
       from generate_series(1, ${PROFILES}) n`,
      [corridor.accountId],
    );
  });
  afterAll(() => corridor.end());

  const channelWith = async (sid: string, message: readonly Pipe[], more = {}) => {
    await corridor.addChannel(smsChannel(sid, message, more));
    await corridor.addSender(sid);
    await corridor.database.query(
      `insert into subscription (id, account_id, profile_id, resource_id, channel_id, fields, status, created_at, updated_at)
       select gen_random_uuid(), p.account_id, p.id, r.id, c.id, '{"phone": "+491"}', 'subscribed', now(), now()
       from profile p, resource r, channel c where c.sid = $1`,
      [sid],
    );
  };
  const create = async (channel: string, more = {}) => {
    const { body } = await corridor.api('POST /mailings', {
      ...{ name: 'Large', channel, sender: 'main', resource: 'shop', template: { text: 'Hi' } },
      ...{ audience: { all: true }, ...more },
    });
    return body.id as string;
  };
  const act = async (id: string, verb: string) => {
    const answer = await corridor.api(`POST /mailings/${id}/${verb}`);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  };
  const show = async (id: string) => (await corridor.api(`GET /mailings/${id}`)).body;
  const parked = async () => {
    const [row] = await corridor.database.query<{ n: number }>(
      `select count(*)::int as n from waiting where due_at > '9000-01-01'`,
    );
    return row?.n ?? 0;
  };
  const held = (sid: string, status: 'paused' | 'active') =>
    corridor.database.query('update channel set status = $1 where sid = $2', [status, sid]);

  const accepted: Pipe[] = [{ id: 1, type: 'event', params: { sid: 'accepted' } }];
  const placement = {
    mailing_types: ['placement'],
    pipelines: { stop: [{ id: 1, type: 'event', params: { event_type: 'stop' } }] },
  };

  it('withdraws each of them, once', { timeout: 240_000 }, async () => {
    await channelWith('bulk', accepted, placement);
    const id = await create('bulk');
    await act(id, 'start');
    await until(async () => (await show(id)).counts.sent === PROFILES);
    await corridor.idle();
    expect(await show(id)).toMatchObject({ state: 'finished', launches: [{ expected: PROFILES }] });
    await act(id, 'stop');
    await until(async () => (await show(id)).counts.stopped === PROFILES);
    await corridor.idle();
    expect((await show(id)).counts).toEqual({ stopped: PROFILES });
    const [events] = await corridor.database.query<{ n: number; messages: number }>(
      `select count(*)::int as n, count(distinct message_id)::int as messages from event where type = 'stop'`,
    );
    expect(events).toEqual({ n: PROFILES, messages: PROFILES });
  });

  it('parks, resumes and stops all of them, and says how many are left', { timeout: 240_000 }, async () => {
    await channelWith('waves', accepted);
    const id = await create('waves');
    await act(id, 'start');
    await held('waves', 'paused');
    await until(async () => !(await show(id)).launches[0].opening);
    await act(id, 'pause');
    await held('waves', 'active');
    const sent = async () => ((await show(id)).counts.sent ?? 0) as number;
    await until(async () => (await parked()) + (await sent()) === PROFILES);
    expect(await parked()).toBeGreaterThan(0);
    expect((await show(id)).pace.remaining).toBe(await parked());
    await held('waves', 'paused');
    await act(id, 'resume');
    await until(async () => (await parked()) === 0);
    await act(id, 'pause');
    await held('waves', 'active');
    await until(async () => (await parked()) + (await sent()) === PROFILES);
    const before = await sent();
    await act(id, 'stop');
    await until(async () => (await show(id)).counts.stopped === PROFILES - before);
    await corridor.idle();
    const mailing = await show(id);
    expect(mailing.launches[0].finishedAt).not.toBeNull();
    expect(mailing.counts.stopped + (mailing.counts.sent ?? 0)).toBe(PROFILES);
    const [left] = await corridor.database.query<{ n: number }>(
      'select count(*)::int as n from waiting where message_id is not null',
    );
    expect(left?.n).toBe(0);
  });

  it('opens only whom a filter means, or a list names', async () => {
    await channelWith('some', accepted);
    const odd = await create('some', { audience: { where: { odd: true } } });
    await act(odd, 'start');
    const named = await create('some', { audience: { profiles: ['p-1', 'p-10001', 'p-0'] } });
    await act(named, 'start');
    await until(async () => (await show(odd)).counts.sent === PROFILES / 2);
    await corridor.idle();
    expect(await show(odd)).toMatchObject({ state: 'finished', expected: PROFILES / 2 });
    expect(await show(named)).toMatchObject({ state: 'finished', counts: { sent: 2 } });
  });

  it('starts no request later than a second after a pause is answered, in any process', async () => {
    const [pack, request] = messagePipeline({ url: '$sender.base_url/counted' }, {});
    await channelWith('counting', [pack as Pipe, { ...(request as Pipe), outs: {} }]);
    const other = await corridor.another({ laneConcurrency: 8 });
    await corridor.provider.script('/counted', { status: 202, delayMs: 20 });
    const requests = async () =>
      (await corridor.provider.log()).filter((each) => each.path === '/counted').map((each) => each.at);
    const id = await create('counting');
    await act(id, 'start');
    await until(async () => (await requests()).length > 200);
    const paused = await other.api(`POST /mailings/${id}/pause`);
    const answeredMs = Date.now();
    expect(paused.body.state).toBe('paused');
    await until(async () => Date.now() > answeredMs + 4_000);
    const seen = await requests();
    expect(seen.length).toBeLessThan(PROFILES);
    // One second is promised; another is for a machine that is short of time.
    expect(seen.filter((at) => at > answeredMs + 2_000)).toEqual([]);
    await act(id, 'stop');
    await until(async () => (await show(id)).pace.remaining === 0);
  });
});
