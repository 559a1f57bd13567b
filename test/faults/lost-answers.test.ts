/** Statements that were done and whose answers were lost: anyone who asks again must find what is there. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { type Corridor, openCorridor } from '../support/corridor.ts';
import { databaseKinds } from '../support/database.ts';
import { until } from '../support/engine.ts';
import { seeded } from '../support/seeded.ts';
import { messagePipeline, person, smsChannel } from '../support/sms-channel.ts';
import { createTally } from './tally.ts';

const SEED = Number(process.env.FAULTS_SEED ?? 5);
const MESSAGES = 120;
const kinds = await databaseKinds();
const tally = createTally();
afterEach(tally.saw);
afterAll(() => console.log(tally.line()));

describe.each(kinds)(`answers of the %s database that are lost, seed ${SEED}`, (kind) => {
  const random = seeded(SEED);
  /** Of a hundred answers so many are lost. */
  let lost = 0;
  /** The next answer to a statement with these words is lost. */
  let next = '';
  const through = (books: Database): Database => ({
    ...books,
    query: async (text, values) => {
      const rows = await books.query(text, values);
      const named = next !== '' && text.includes(next);
      if (named) next = '';
      if (!named && random.next() * 100 >= lost) return rows as never;
      tally.fault('lost answer');
      throw Object.assign(new Error('write CONNECTION_CLOSED'), { code: 'CONNECTION_CLOSED' });
    },
  });
  let corridor: Corridor;
  beforeAll(async () => {
    corridor = await openCorridor(kind, { through });
    await corridor.api('POST /resources', { sid: 'shop', name: 'Shop', channels: {} });
    await corridor.addChannel(
      smsChannel('once', messagePipeline({ retry: { attempts: 30, delays: [0.05] } })),
    );
    await corridor.addSender('once');
  });
  afterAll(async () => {
    await corridor.end();
    tally.run();
  });

  const messageTo = (index: number) => ({
    channel: 'once',
    resource: 'shop',
    template: { text: 'Hello' },
    ...person(`p-${index}`),
  });
  const count = async () =>
    (await corridor.database.query<{ n: number }>('select count(*)::int as n from message'))[0]?.n;

  it('a call that is repeated with its key makes nothing twice', async () => {
    const key = { 'idempotency-key': 'one' };
    next = 'insert into message ';
    const failed = await corridor.api('POST /messages', messageTo(1), key);
    expect(failed).toMatchObject({ status: 503, body: { code: 'DATABASE_UNREACHABLE' } });
    const again = await corridor.api('POST /messages', messageTo(1), key);
    expect(again.status).toBe(202);
    await corridor.idle();
    expect(await count()).toBe(1);
    expect(await corridor.provider.seen(again.body.id)).toHaveLength(1);
  });

  it('a batch fails as a whole, so that it may be repeated', async () => {
    const key = { 'idempotency-key': 'many' };
    const messages = [2, 3, 4].map(messageTo);
    next = 'insert into message ';
    expect((await corridor.api('POST /messages', { messages }, key)).status).toBe(503);
    const { status, body } = await corridor.api('POST /messages', { messages }, key);
    expect(status).toBe(202);
    expect(body.results.every((each: { id?: string }) => each.id !== undefined)).toBe(true);
    await corridor.idle();
    expect(await count()).toBe(4);
  });

  it('one of ten lost, everywhere: each message is sent once, although repeating is not safe', async () => {
    await corridor.provider.scriptRound('/send', [{}, { status: 503, headers: { 'retry-after': '0' } }, {}]);
    lost = 10;
    const ids = await Promise.all(
      Array.from({ length: MESSAGES }, async (_, index) => {
        const key = { 'idempotency-key': `call-${index}` };
        for (;;) {
          const { status, body } = await corridor.api('POST /messages', messageTo(100 + index), key);
          if (status === 202) return body.id as string;
          expect(status).toBe(503);
        }
      }),
    );
    await until(async () => (await corridor.database.query('select id from waiting limit 1')).length === 0);
    lost = 0;
    expect(new Set(ids).size).toBe(MESSAGES);
    expect(await count()).toBe(4 + MESSAGES);
    const log = (await corridor.provider.log()).filter((each) => each.took);
    for (const id of ids) {
      expect(log.filter((each) => each.reference === id)).toHaveLength(1);
      expect(await corridor.view(id)).toMatchObject({ state: 'sent' });
    }
    const sends = await corridor.database.query(
      `select message_id from event where type = 'send' group by 1 having count(*) <> 1`,
    );
    expect(sends).toEqual([]);
  });
});
