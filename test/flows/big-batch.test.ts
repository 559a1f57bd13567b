/** A provider's report of many thousand elements: all of it is registered, in slices between which others run. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { until } from '../support/engine.ts';
import { messagePipeline, type Pipe, person, smsChannel } from '../support/sms-channel.ts';

let corridor: Corridor;
const listener: Pipe[] = [
  { id: 1, type: 'unpack', outs: { success: 2 } },
  { id: 2, type: 'split', params: { items: '$in.data', as: 'report', each: 3 }, outs: { error: 7 } },
  {
    id: 3,
    type: 'selector',
    params: { outs: [{ query: "$in.report = 'odd'", out: 6 }] },
    outs: { success: 4 },
  },
  {
    id: 4,
    type: 'event',
    params: { sid: 'noted', event: { send_message_id: '$origin.form.message', code: '$in.report' } },
  },
  { id: 6, type: 'event', params: { sid: 'noted', event: { send_message_id: 'not an id' } } },
  { id: 7, type: 'log', params: { level: 'warn', message: '$error.message First: $error.items.%0.index.' } },
];
beforeAll(async () => {
  corridor = await openCorridor('embedded', { listenerMaxBytes: 1_048_576 });
  await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
  await corridor.addChannel(smsChannel('batches', messagePipeline(), { pipelines: { listener } }));
  await corridor.addSender('batches');
});
afterAll(() => corridor.end());

const notes = async (id: string) => {
  const [row] = await corridor.database.query<{ events: number; different: number }>(
    `select count(*)::int as events, count(distinct code)::int as different from event where message_id = $1 and type = 'custom'`,
    [id],
  );
  return row;
};
const begun = (id: string) => async () =>
  (await corridor.database.query("select from event where message_id = $1 and type = 'custom' limit 1", [id]))
    .length > 0;
const send = async (externalId: string) => {
  await corridor.provider.script('/send', { body: { id: externalId } });
  const id = await corridor.send('batches', person(externalId));
  await corridor.idle();
  return id;
};

it('of 100,000 elements is registered whole, once each, while others are served', async () => {
  const id = await send('whole');
  const reports = Array.from({ length: 100_000 }, (_, index) => String(index));
  const body = JSON.stringify(reports);
  const answer = await corridor.listen(`batches/1/main?message=${id}`, { body });
  expect(answer.status).toBe(200);
  // Behind the first slices another message has its turn.
  await until(begun(id));
  const other = await corridor.send('batches', person('other'));
  await until(async () => (await corridor.view(other)).state === 'sent');
  expect((await notes(id))?.events).toBeLessThan(100_000);
  await corridor.idle();
  expect(await notes(id)).toEqual({ events: 100_000, different: 100_000 });
  expect(corridor.logged()).not.toContain('a listener run failed');
}, 240_000);

it('names what failed of all its slices, and registers the rest', async () => {
  const id = await send('some');
  const reports = Array.from({ length: 5_000 }, (_, index) => (index % 1_000 === 7 ? 'odd' : `r${index}`));
  await corridor.listen(`batches/1/main?message=${id}`, { body: JSON.stringify(reports) });
  await corridor.idle();
  expect(await notes(id)).toEqual({ events: 4_995, different: 4_995 });
  expect(corridor.logged()).toContain('5 of 5000 elements failed; the first is number 8');
  expect(corridor.logged()).toContain('First: 7.');
});
