/** Several engines on one PostgreSQL server: limits, fairness, and that each message is one run's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Corridor, type Node, openCorridor } from '../support/corridor.ts';
import { serverReachable } from '../support/database.ts';
import { until } from '../support/engine.ts';
import { messagePipeline, type Pipe, smsChannel } from '../support/sms-channel.ts';

const reachable = await serverReachable();

describe.skipIf(!reachable)('two engines on one PostgreSQL server', () => {
  let corridor: Corridor;
  let other: Node;
  beforeAll(async () => {
    corridor = await openCorridor('server');
    other = await corridor.another();
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
  });
  afterAll(() => corridor.end());

  const sendMany = async (channel: string, sender: string, count: number) => {
    const ids: string[] = [];
    for (let from = 0; from < count; from += 1_000) {
      const messages = Array.from({ length: Math.min(1_000, count - from) }, (_, index) => ({
        channel,
        sender,
        resource: 'shop',
        profile: { externalId: `${channel}-${from + index}`, subscription: { fields: { phone: '+491' } } },
        template: { text: 'Hello' },
      }));
      const { body } = await corridor.api('POST /messages', { messages });
      for (const result of body.results) {
        if (result.id === undefined) throw new Error(JSON.stringify(result));
        ids.push(result.id);
      }
    }
    return ids;
  };
  const countsOf = async (channel: string) => {
    const rows = await corridor.database.query<{ state: number; n: number }>(
      `select state, count(*)::int as n from message m join channel c on c.id = m.channel_id
       where c.sid = $1 group by 1 order by 1`,
      [channel],
    );
    return Object.fromEntries(rows.map((row) => [row.state, row.n]));
  };
  const SENT = 40;

  it('send no more than the limit in any window, and skip none', async () => {
    // A window long enough that a machine short of time, which reads the provider's clock late, says nothing about us.
    const windowMs = 5_000;
    const limited = { limit: { requests: 20, per: windowMs / 1_000 }, url: '$sender.base_url/limited' };
    await corridor.addChannel(smsChannel('limited', messagePipeline(limited)));
    await corridor.addSender('limited');
    await sendMany('limited', 'main', 50);
    await until(async () => (await countsOf('limited'))[SENT] === 50);
    const times = (await corridor.provider.log())
      .filter((each) => each.path === '/limited')
      .map((each) => each.at)
      .sort((a, b) => a - b);
    expect(times).toHaveLength(50);
    const most = Math.max(
      ...times.map((start) => times.filter((at) => at >= start && at < start + windowMs).length),
    );
    expect(most).toBeLessThanOrEqual(20);
    expect(await countsOf('limited')).toEqual({ [SENT]: 50 });
  });

  it('send each message once, and both work', async () => {
    await corridor.addChannel(smsChannel('once', messagePipeline({ url: '$sender.base_url/once' })));
    await corridor.addSender('once');
    const before = [corridor, other].map((node) => node.runtime.stages.totals().run.items);
    const ids = await sendMany('once', 'main', 2_000);
    await until(async () => (await countsOf('once'))[SENT] === 2_000);
    const references = (await corridor.provider.log())
      .filter((each) => each.path === '/once')
      .map((each) => each.reference);
    expect(references.toSorted()).toEqual(ids.toSorted());
    const worked = [corridor, other].map(
      (node, index) => node.runtime.stages.totals().run.items - (before[index] ?? 0),
    );
    expect(Math.min(...worked)).toBeGreaterThan(0);
    expect(worked[0] ?? 0).toBeLessThan(3_000);
    const [events] = await corridor.database.query(
      "select count(*)::int as n, count(distinct message_id)::int as m from event e join channel c on c.id = e.channel_id where c.sid = 'once'",
    );
    expect(events).toEqual({ n: 2_000, m: 2_000 });
  });

  it('open a mailing of several pages once', async () => {
    const quick: Pipe[] = [{ id: 1, type: 'event', params: { sid: 'accepted' } }];
    await corridor.addChannel(smsChannel('paged', quick));
    await corridor.addSender('paged');
    await sendMany('paged', 'main', 1);
    await corridor.idle();
    await corridor.database.query(
      `with p as (insert into profile (id, account_id, external_id, fields, created_at, updated_at)
         select gen_random_uuid(), $1, 'paged ' || i, '{}', now(), now() from generate_series(1, 11999) as i returning id)
       insert into subscription (id, account_id, profile_id, resource_id, channel_id, fields, status, created_at, updated_at)
       select gen_random_uuid(), $1, p.id, r.id, c.id, '{"phone": "+1"}', 'subscribed', now(), now()
       from p, resource r, channel c where r.sid = 'shop' and c.sid = 'paged'`,
      [corridor.accountId],
    );
    const { body } = await corridor.api('POST /mailings', {
      name: 'Pages',
      channel: 'paged',
      sender: 'main',
      resource: 'shop',
      template: { text: 'Hello' },
      audience: { all: true },
    });
    const started = await Promise.all(
      [corridor, other].map((node) => node.api(`POST /mailings/${body.id}/start`)),
    );
    expect(started.map((each) => each.status).sort()).toEqual([200, 409]);
    await until(async () => {
      await other.housekeeping.finish();
      return (await corridor.api(`GET /mailings/${body.id}`)).body.state === 'finished';
    });
    const mailing = (await corridor.api(`GET /mailings/${body.id}`)).body;
    expect(mailing).toMatchObject({ counts: { sent: 12_000 }, launches: [{ opened: 12_000 }] });
  });
});

/** More of them than fill the worker's places, and one of them floods. */
const NOISY = Array.from({ length: 6 }, (_, index) => ({
  sid: `noisy${index}`,
  calls: index === 0 ? 20 : 1,
}));
const CALL = 500;
const FLOOD = NOISY.reduce((sum, { calls }) => sum + calls * CALL, 0);

describe.each(['embedded', 'server'] as const)('parties whose provider hangs, on the %s database', (kind) => {
  it.skipIf(kind === 'server' && !reachable)(
    'do not delay another: 10,000 of one sender and 2,500 of five more wait, and the one of a seventh goes',
    async () => {
      const corridor = await openCorridor(kind);
      try {
        const pipeline = messagePipeline({ url: '$sender.base_url', timeout: 50 });
        await corridor.addChannel(smsChannel('parties', pipeline));
        const { url } = corridor.provider;
        await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
        for (const { sid } of NOISY) await corridor.addSender('parties', sid, { base_url: `${url}/noisy` });
        await corridor.addSender('parties', 'quiet', { base_url: `${url}/quiet` });
        await corridor.provider.script('/noisy', { end: 'hang' });
        const message = (sender: string, index: number) => ({
          channel: 'parties',
          sender,
          resource: 'shop',
          profile: { externalId: `p-${index}`, subscription: { fields: { phone: '+491' } } },
          template: { text: 'Hello' },
        });
        for (const { sid, calls } of NOISY) {
          const messages = Array.from({ length: CALL }, (_, index) => message(sid, index));
          for (let call = 0; call < calls; call += 1) {
            expect((await corridor.api('POST /messages', { messages })).status).toBe(202);
          }
        }
        const paths = async () => (await corridor.provider.log()).map((each) => each.path);
        await until(async () => (await paths()).length >= 800);
        const id = await corridor.send('parties', message('quiet', 1));
        await until(async () => (await corridor.view(id)).state === 'sent');
        const answered = await corridor.database.query(
          'select id from message where state >= 35 and id <> $1',
          [id],
        );
        expect(answered).toEqual([]);
        expect((await paths()).filter((path) => path === '/noisy').length).toBeLessThan(FLOOD);
      } finally {
        await corridor.end();
      }
    },
  );
});
