/** Clocks that jump by hours while messages wait: nothing is stuck for good, nothing is sent twice, what expires expires. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { databaseKinds } from '../support/database.ts';
import { until } from '../support/engine.ts';
import type { Step } from '../support/scripted-provider.ts';
import { messagePipeline, person, smsChannel } from '../support/sms-channel.ts';
import { createTally } from './tally.ts';

const HOUR = 3_600;
const kinds = await databaseKinds();
const tally = createTally();
afterEach(tally.saw);
afterAll(() => console.log(tally.line()));

describe.each(kinds)('a clock that jumps, on the %s database', (kind) => {
  let corridor: Corridor;
  beforeAll(async () => {
    corridor = await openCorridor(kind);
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
  });
  afterAll(async () => {
    await corridor.end();
    tally.run();
  });

  let people = 0;
  const channel = async (sid: string, steps: readonly Step[], params = {}) => {
    await corridor.addChannel(smsChannel(sid, messagePipeline({ retry: { delays: [10] }, ...params })));
    await corridor.addSender(sid, 'main', { base_url: `${corridor.provider.url}/${sid}` });
    await corridor.provider.script(`/${sid}/send`, ...steps);
  };
  const send = (sid: string, more = {}) => {
    people += 1;
    return corridor.send(sid, { ...person(`p-${people}`), ...more });
  };
  const stateOf = async (id: string) => (await corridor.view(id)).state;
  const sentOnce = async (id: string) => {
    await until(async () => (await stateOf(id)) === 'sent');
    expect((await corridor.provider.seen(id)).filter((each) => each.took)).toHaveLength(1);
  };
  const jump = (hours: number) => {
    tally.fault(hours > 0 ? 'clock forward' : 'clock back');
    return corridor.pass(hours * HOUR);
  };

  it('forth, back, and forth again: what comes in in the meantime goes out at once', async () => {
    await channel('jumps', [{}]);
    const ids: string[] = [];
    for (const hours of [0, 5, -3, 26, -25, 1]) {
      await jump(hours);
      const id = await send('jumps');
      await sentOnce(id);
      ids.push(id);
    }
    for (const id of ids) await sentOnce(id);
  });

  it('back while a retry waits: it goes out once, when the clock has come round', async () => {
    await channel('retries', [{ status: 503 }, {}]);
    const id = await send('retries');
    await corridor.idle();
    expect(await stateOf(id)).toBe('queued');
    await jump(-4);
    expect(await stateOf(id)).toBe('queued');
    await sentOnce(await send('retries'));
    await jump(5);
    await sentOnce(id);
  });

  it('forth while a request is under way: it is settled as it ends, and not sent again', async () => {
    await channel('hangs', [{ delayMs: 400 }]);
    const id = await send('hangs');
    await until(async () => (await corridor.provider.seen(id)).length === 1);
    const jumped = jump(6);
    await jumped;
    await sentOnce(id);
    await jump(-6);
    await sentOnce(id);
  });

  it('past its expiry a message is not sent, whatever the clock says later', async () => {
    await channel('expires', [{ status: 503 }, {}], { retry: { delays: [2 * HOUR] } });
    const expiresAt = new Date(corridor.runtime.clock.now() + HOUR * 1_000).toISOString();
    const late = await send('expires', { expiresAt });
    await corridor.idle();
    await jump(3);
    expect(await stateOf(late)).toBe('expired');
    await jump(-3);
    await jump(5);
    expect(await corridor.view(late)).toMatchObject({ state: 'expired', reason: 'MESSAGE_EXPIRED' });
    expect((await corridor.provider.seen(late)).filter((each) => each.took)).toEqual([]);
  });

  it('leaves no row that waits or is owned', async () => {
    await jump(30);
    expect(await corridor.database.query('select id from waiting')).toEqual([]);
  });
});
