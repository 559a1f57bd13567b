/** Events late, twice, early, in any order: one shown state, one count of each. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { settleEffects } from '../../src/flows/settlement/settler.ts';
import { insertRequests } from '../../src/storage/accept.ts';
import { claim, enterNode, FIRST_ID } from '../../src/storage/claim.ts';
import { ensureLane } from '../../src/storage/lanes.ts';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { listenerPipeline, messagePipeline, person, smsChannel } from '../support/sms-channel.ts';

let corridor: Corridor;
beforeAll(async () => {
  corridor = await openCorridor();
  // The provider is told a reference that the test knows before.
  const [pack, ...rest] = messagePipeline();
  const named = { ...pack, params: { template: { reference: '$profile.external_id' } } } as (typeof rest)[0];
  await corridor.addChannel(
    smsChannel('orders', [named, ...rest], { pipelines: { listener: listenerPipeline } }),
  );
  await corridor.addSender('orders');
  await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
});
afterAll(() => corridor.end());

const kinds = ['delivered', 'read', 'clicked', 'bounced'] as const;
/** Each twice; `clicked` names its repeats. */
const reports = [...kinds, ...kinds].map((type) => ({ type, ...(type === 'clicked' && { key: 'click-1' }) }));

/** How many messages are shown in which state, with which counts of events. */
const shown = (ids: readonly string[]) =>
  corridor.database.query(
    `select state, counts, count(*)::int as messages from (
       select m.state, string_agg(e.type || ' ' || e.n, ', ' order by e.type) as counts
       from message m join (select message_id, type, count(*) as n from event group by 1, 2) e on e.message_id = m.id
       where m.id = any($1::uuid[]) group by m.id, m.state) as shown group by 1, 2`,
    [ids],
  );
const one = (messages: number) => [
  { state: 70, counts: 'click 1, deliv 2, read 2, sbounce 2, send 1', messages },
];

it('shows one result for 1,000 orders, settled alone or together', async () => {
  const { database, runtime } = corridor;
  const nowMs = runtime.clock.now();
  const node = await enterNode(database, 'orders');
  const lane = await ensureLane(database, {
    key: 'the orders of this test',
    accountId: corridor.accountId,
    channelId: 0,
    senderId: null,
    nowMs,
  });
  // The worker leaves this lane to the test.
  await database.query('update lane set paused_at = now() where id = $1', [lane.id]);
  const model = await corridor.send('orders', person('model'));
  await corridor.idle();
  const channelId = (await corridor.directory.channel('orders'))?.channel.document.id ?? 0;
  const events = [
    { type: 'send', key: null },
    ...reports.map(({ type, ...more }) => ({
      type: { delivered: 'deliv', read: 'read', clicked: 'click', bounced: 'sbounce' }[type],
      key: 'key' in more ? String(more.key) : null,
    })),
  ];
  const { length } = events;
  const orders = fc.sample(
    fc.tuple(
      fc.shuffledSubarray(events, { minLength: length }),
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: length, maxLength: length }),
    ),
    { numRuns: 1_000, seed: 7 },
  );
  const ids = orders.map(() => runtime.ids.next());
  await database.query(
    `insert into message (id, account_id, channel_id, channel_version_id, lane_id, resource_id, state, class, updated_at)
     select i, account_id, channel_id, channel_version_id, lane_id, resource_id, 10, class, updated_at
     from message, unnest($2::uuid[]) as i where id = $1`,
    [model, ids],
  );

  /** Takes the next events of each order, as many as its turn has, and settles them all together. */
  const rests = orders.map(([order, sizes], index) => ({
    messageId: ids[index] ?? '',
    order: [...order],
    sizes,
  }));
  for (let turn = 0; turn < length; turn += 1) {
    const arriving = rests.flatMap(({ messageId, order, sizes }) =>
      order.splice(0, sizes[turn]).map((event) => ({ ...event, messageId, source: runtime.ids.next() })),
    );
    for (let from = 0; from < arriving.length; from += 500) {
      const together = arriving.slice(from, from + 500);
      const rows = together.map(({ source }) => ({
        id: source,
        accountId: corridor.accountId,
        laneId: lane.id,
        channelId,
        channelVersionId: 1,
        pipe: 1,
        senderId: null,
        payload: '{}',
        dedupeKey: null,
      }));
      await insertRequests(database, rows, runtime.clock.now());
      const share = { laneId: lane.id, afterDueMs: 0, afterId: FIRST_ID, share: 1_000 };
      expect(await claim(database, node, runtime.clock.now(), [share])).toHaveLength(together.length);
      const parts = together.map(({ source, messageId, type, key }) => ({
        done: [source],
        unmatched: [
          {
            source,
            id: runtime.ids.next(),
            channelId,
            accountId: null,
            senderId: null,
            externalId: null,
            messageId,
            eventId: 100_000,
            type,
            timeMs: nowMs,
            code: null,
            text: null,
            value: null,
            dedupeKey: key,
          },
        ],
      }));
      await settleEffects(runtime, node, parts);
    }
  }
  expect(await shown(ids)).toEqual(one(1_000));
});

it('does so through the listener, with reports that come before the send is settled', async () => {
  const orders = fc.sample(fc.shuffledSubarray(reports, { minLength: reports.length }), {
    numRuns: 30,
    seed: 3,
  });
  const names = orders.map((_, index) => `order-${index}`);
  for (const name of names) await corridor.provider.script(name, { delayMs: 500, body: { id: `x-${name}` } });
  const ids = await Promise.all(names.map((name) => corridor.send('orders', person(name))));
  // Half of them name the message by our id, the others by the provider's, which is not known yet.
  const post = (body: object) => corridor.listen('orders/1/main', { body: JSON.stringify(body) });
  await Promise.all(
    orders.flatMap((order, index) =>
      order.map((each) =>
        post({ ...each, ...(index % 2 === 0 ? { message: ids[index] } : { id: `x-${names[index]}` }) }),
      ),
    ),
  );
  expect(await shown(ids)).not.toEqual(one(30));
  await corridor.idle();
  expect(await shown(ids)).toEqual(one(30));
  const views = await Promise.all(ids.map((id) => corridor.view(id)));
  expect(views.map((view) => view.externalId)).toEqual(names.map((name) => `x-${name}`));
});
