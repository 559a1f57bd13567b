/** Frequency caps of several engines on one PostgreSQL server: exact, no matter who takes which message. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sql } from '../../../src/storage/database.ts';
import { type FullCap, reserveContacts } from '../../../src/storage/guards.ts';
import { type Corridor, type Node, openCorridor } from '../../support/corridor.ts';
import { serverReachable } from '../../support/database.ts';
import { until } from '../../support/engine.ts';
import { type Pipe, smsChannel } from '../../support/sms-channel.ts';

const PEOPLE = 30;
const EACH = 24;
const CAP = 5;

describe.skipIf(!(await serverReachable()))('two engines on one PostgreSQL server', () => {
  let corridor: Corridor;
  let nodes: readonly Node[];
  beforeAll(async () => {
    // Small claims, so that both have a part of every person's messages at the same time.
    const options = { laneConcurrency: 16, concurrency: 16 };
    corridor = await openCorridor('server', options);
    nodes = [corridor, await corridor.another(options)];
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
    const quick: Pipe[] = [{ id: 1, type: 'event', params: { sid: 'accepted' } }];
    await corridor.addChannel(smsChannel('quick', quick));
    await corridor.addSender('quick');
  });
  afterAll(() => corridor.end());

  it('wait for each other where they look at the same person, and then see what the other took', async () => {
    const who = { profile: { externalId: 'slow', subscription: { fields: { phone: '+490' } } } };
    const ids = [await corridor.send('quick', who), await corridor.send('quick', who)];
    await corridor.idle();
    const caps = [{ rule: 0, channelId: null, category: null, messages: 1, seconds: 3_600 }];
    const nowMs = corridor.runtime.clock.now();
    const ask = (sql: Sql, id: string | undefined) =>
      reserveContacts(sql, [{ messageId: id ?? '', category: 'any', caps }], nowMs);
    const other = nodes[1]?.runtime.database;
    if (other === undefined) throw new Error('There is no other node.');
    let second: Promise<FullCap[]> | undefined;
    let done = false;
    const first = await corridor.database.transaction(async (tx) => {
      const taken = await ask(tx, ids[0]);
      second = ask(other, ids[1]).finally(() => {
        done = true;
      });
      await until(async () => {
        const waits = await tx.query(`select 1 from pg_locks where locktype = 'advisory' and not granted
           and database = (select oid from pg_database where datname = current_database())`);
        return done || waits.length > 0;
      });
      return taken;
    });
    expect(first).toEqual([]);
    expect(await second).toMatchObject([{ place: 0, rule: 0, free_at: nowMs + 3_600_000 }]);
  });

  it('never send a person more than the cap, and as many as it allows', async () => {
    const rules = { quietHours: [], caps: [{ messages: CAP, perHours: 24, onHit: 'drop' }] };
    expect((await corridor.api('PUT /sending-rules', rules)).status).toBe(200);
    // What was remembered of the account is forgotten.
    await corridor.pass(3);
    const messages = Array.from({ length: PEOPLE * EACH }, (_, index) => ({
      channel: 'quick',
      resource: 'shop',
      profile: { externalId: `p-${index % PEOPLE}`, subscription: { fields: { phone: `+49${index}` } } },
      template: { text: 'Hello' },
    }));
    expect((await corridor.api('POST /messages', { messages })).status).toBe(202);
    await until(async () => {
      const [left] = await corridor.database.query<{ n: number }>('select count(*)::int as n from waiting');
      return left?.n === 0;
    });
    const counts = await corridor.database.query<{ sent: number; capped: number }>(
      `select count(*) filter (where m.state = 40)::int as sent,
         count(*) filter (where m.state = 103 and m.reason = 'FREQUENCY_CAP')::int as capped
       from message m join profile p on p.id = m.profile_id where p.external_id like 'p-%' group by p.id`,
    );
    expect(counts).toEqual(Array.from({ length: PEOPLE }, () => ({ sent: CAP, capped: EACH - CAP })));
    const worked = nodes.map((node) => node.runtime.stages.totals().run.items);
    expect(Math.min(...worked)).toBeGreaterThan(0);
  });
});
