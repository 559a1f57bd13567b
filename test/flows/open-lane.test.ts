/** A lane whose provider fails: what waits is kept, one message probes, and all go when it is well again. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { until } from '../support/engine.ts';
import { messagePipeline, person, smsChannel } from '../support/sms-channel.ts';

const MESSAGES = 100;
let corridor: Corridor;
beforeAll(async () => {
  corridor = await openCorridor('embedded', { laneConcurrency: 8 });
  await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
  await add('control');
});
afterAll(() => corridor.end());

const add = async (sid: string) => {
  // Two tries, the second long after: what is tried while the lane is open must cost none of them.
  const request = { url: `$sender.base_url/${sid}`, retry: { delays: [600] } };
  await corridor.addChannel(smsChannel(sid, messagePipeline(request)));
  await corridor.addSender(sid);
};
const requestsTo = async (sid: string) =>
  (await corridor.provider.log()).filter((each) => each.path === `/${sid}`).length;
const laneOf = async (sid: string) => {
  const { body } = await corridor.api('GET /lanes');
  return body.data.find((each: { channel: string }) => each.channel === sid);
};
const openedOf = async (laneId: number) => {
  const [row] = await corridor.database.query<{ times: number }>(
    'select times_opened as times from lane where id = $1',
    [laneId],
  );
  return row?.times ?? 0;
};
const countOf = async (sid: string, state: string) =>
  (await corridor.api(`GET /messages?channel=${sid}&state=${state}&limit=1`)).body.pagination.total as number;
/** Another lane's message has gone, and so would have gone what this one lets through. */
const control = async () => {
  for (let each = 0; each < 2; each += 1) {
    const id = await corridor.send('control', person(`control-${each}`));
    await until(async () => (await corridor.view(id)).state === 'sent');
  }
};

it.each([
  ['down', 503],
  ['locked', 401],
] as const)('%s (%i): few are tried, none of the others is lost', async (sid, status) => {
  await add(sid);
  await corridor.provider.script(`/${sid}`, { status });
  const messages = Array.from({ length: MESSAGES }, (_, index) => ({
    ...{ channel: sid, resource: 'shop', template: { text: 'Hello' } },
    ...person(`${sid}-${index}`),
  }));
  await corridor.api('POST /messages', { messages });
  await until(async () => (await laneOf(sid))?.breaker === 'open');
  const lane = await laneOf(sid);
  const atRest = async () => {
    const owned = 'select 1 from waiting where lane_id = $1 and owner is not null';
    return (await corridor.database.query(owned, [lane.id])).length === 0;
  };
  await until(atRest);
  expect(await requestsTo(sid)).toBeLessThan(MESSAGES / 2);
  // Who was refused before that failed for good; a server that was down cost nobody anything.
  const failed = await countOf(sid, 'failed');
  expect(failed).toBeLessThan(status === 401 ? MESSAGES / 2 : 1);

  // Time for a probe, which takes long: while it is under way, nothing goes beside it.
  await corridor.provider.script(`/${sid}`, { status, delayMs: 1_500 });
  const opened = await openedOf(lane.id);
  const requests = await requestsTo(sid);
  const passed = [corridor.pass(6)];
  await until(async () => (await requestsTo(sid)) > requests);
  await control();
  expect(await requestsTo(sid)).toBe(requests + 1);
  await until(async () => (await openedOf(lane.id)) > opened);
  await until(atRest);
  // The probe itself is kept, too.
  expect(await countOf(sid, 'failed')).toBe(failed);
  // What was put back stands ready for the moment in which the lane closes, also by hand.
  const [later] = await corridor.database.query<{ n: number }>(
    `select count(*)::int as n from waiting where lane_id = $1 and due_at > $2 and due_at < $3`,
    [lane.id, ...[5, 300].map((seconds) => new Date(corridor.runtime.clock.now() + seconds * 1_000))],
  );
  expect(later?.n).toBe(0);

  await corridor.provider.script(`/${sid}`, { status: 202 });
  passed.push(corridor.pass(60));
  await until(async () => (await laneOf(sid)).breaker === 'closed');
  passed.push(corridor.pass(700));
  await Promise.all(passed);
  expect(await countOf(sid, 'failed')).toBe(failed);
  expect(await countOf(sid, 'sent')).toBe(MESSAGES - failed);
});
