/** How a mailing goes: counts that are exact whatever happens to its messages, and the stream that tells them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMailingWatch, type WatchEvent } from '../../../src/flows/mailings/watch-mailings.ts';
import { enterNode } from '../../../src/storage/claim.ts';
import type { Database, Sql } from '../../../src/storage/database.ts';
import { foldCounts } from '../../../src/storage/launch-counts.ts';
import { settle } from '../../../src/storage/settle.ts';
import { STATE_CODES, stateName } from '../../../src/storage/states.ts';
import { type Corridor, openCorridor } from '../../support/corridor.ts';
import { databaseKinds } from '../../support/database.ts';
import { until } from '../../support/engine.ts';
import { addressed, all, type MailingCorridor, mailingsOn } from '../../support/mailing-corridor.ts';
import type { Pipe } from '../../support/sms-channel.ts';

describe.each(await databaseKinds())('on the %s database', (kind) => {
  let mailings: MailingCorridor;
  let corridor: Corridor;
  beforeAll(async () => {
    corridor = await openCorridor(kind);
    mailings = await mailingsOn(corridor);
  });
  afterAll(() => corridor.end());

  /** The messages of a mailing by state, counted one by one. */
  const counted = async (id: string) => {
    const rows = await corridor.database.query<{ state: number; count: number }>(
      `select m.state, count(*)::int as count from message m join launch l on l.id = m.launch_id
       where l.mailing_id = $1 and l.kind = 'real' group by m.state order by m.state`,
      [id],
    );
    return Object.fromEntries(rows.map((row) => [stateName(row.state), row.count]));
  };
  const foldAll = () => foldCounts(corridor.database, corridor.runtime.clock.now() + 1_000);

  describe('counts', () => {
    it('are those of the messages, through retries, reports, redrives and stops, folded or not', async () => {
      const listener: Pipe[] = [
        { id: 1, type: 'event', params: { sid: 'delivered', event: { send_message_id: '$in.form.id' } } },
        { id: 2, type: 'event', params: { sid: 'gone', event: { send_message_id: '$in.form.id' } } },
      ];
      await mailings.channelWith('counted', addressed('counted'), { pipelines: { listener } });
      await corridor.provider.script('counted/ann', { status: 503 }, { status: 202 });
      await corridor.provider.script('counted/bob', { status: 400 }, { status: 202 });
      await corridor.provider.script('counted/cleo', { status: 503 });
      const id = await mailings.create('counted');
      const check = async (expected: object) => {
        expect(await counted(id)).toEqual(expected);
        expect((await mailings.show(id)).counts).toEqual(expected);
      };
      await mailings.act(id, 'start');
      await corridor.idle();
      await check({ queued: 2, sent: 2, failed: 1 });
      const ids = await corridor.database.query<{ id: string; name: string }>(
        `select m.id, p.external_id as name from message m join profile p on p.id = m.profile_id
         join launch l on l.id = m.launch_id where l.mailing_id = $1`,
        [id],
      );
      const idOf = (name: string) => ids.find((each) => each.name === name)?.id ?? '';
      // Late, twice, and against the order.
      await corridor.listen(`counted/1?id=${idOf('dan')}`);
      await corridor.listen(`counted/1?id=${idOf('dan')}`);
      await corridor.listen(`counted/2?id=${idOf('eve')}`);
      await corridor.listen(`counted/1?id=${idOf('eve')}`);
      await corridor.idle();
      await check({ queued: 2, delivered: 1, failed: 1, hard_bounced: 1 });
      await foldAll();
      await check({ queued: 2, delivered: 1, failed: 1, hard_bounced: 1 });
      await corridor.api('POST /messages/redrive', { ids: [idOf('bob')] });
      await corridor.idle();
      await check({ queued: 2, sent: 1, delivered: 1, hard_bounced: 1 });
      expect(await mailings.show(id)).toMatchObject({ state: 'sending', pace: { remaining: 2 } });
      await corridor.pass(30);
      await Promise.all([foldAll(), mailings.act(id, 'stop'), foldAll()]);
      await corridor.idle();
      await check({ sent: 1, delivered: 1, stopped: 2, hard_bounced: 1 });
      await foldAll();
      await check({ sent: 1, delivered: 1, stopped: 2, hard_bounced: 1 });
      const [left] = await corridor.database.query<{ n: number }>(
        'select count(*)::int as n from launch_change',
      );
      expect(left?.n).toBe(0);
    });

    it.skipIf(kind === 'embedded')('are right when two settle the same message at once', async () => {
      await mailings.channelWith('raced', addressed('raced'));
      await corridor.provider.script('/raced', { status: 503 });
      const id = await mailings.create('raced', { audience: { profiles: ['ann'] } });
      await mailings.act(id, 'start');
      await corridor.idle();
      const { database, runtime } = corridor;
      const [message] = await database.query<{ id: string; launch: string }>(
        `select m.id, m.launch_id as launch from message m join launch l on l.id = m.launch_id where l.mailing_id = $1`,
        [id],
      );
      const node = await enterNode(database, 'racer');
      /** A settlement from a waiting row of its own that raises the message. */
      const raise = async (sql: Sql, state: number) => {
        const source = runtime.ids.next();
        await database.query(
          `insert into waiting (id, lane_id, due_at, pipeline, channel_version_id, owner) values ($1, 0, now(), 3, 0, $2)`,
          [source, node],
        );
        const none = { again: [], waits: [], events: [], attempts: [], externalIds: [], parked: [] };
        const raised = { attempt: 1, state, reason: null, externalId: null };
        return settle(sql, {
          ...{ ...none, node, nowMs: runtime.clock.now(), done: [source] },
          ...{ subscriptions: [], suppressions: [], exhausted: [], failedRequests: [], doneRequests: [] },
          messages: [{ ...raised, source, id: message?.id ?? '', launchId: message?.launch ?? null }],
        });
      };
      let second: Promise<unknown> = Promise.resolve();
      await database.transaction(async (tx) => {
        await raise(tx, STATE_CODES.sent);
        second = raise(database, STATE_CODES.delivered);
        // It waits for the row now, with the state before both in its snapshot.
        await until(async () => {
          const [row] = await tx.query<{ n: number }>(
            `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          );
          return row?.n === 1;
        });
      });
      await second;
      expect(await counted(id)).toEqual({ delivered: 1 });
      expect((await mailings.show(id)).counts).toEqual({ delivered: 1 });
      await database.query('delete from waiting where message_id = $1', [message?.id ?? '']);
      await corridor.idle();
    });

    it('are kept for launches only', async () => {
      await mailings.channelWith('single');
      await foldAll();
      await corridor.send('single', { profile: 'ann' });
      await corridor.idle();
      const [row] = await corridor.database.query<{ n: number }>(
        'select (select count(*) from launch_change)::int as n',
      );
      expect(row?.n).toBe(0);
    });
  });

  describe('the stream', () => {
    const eventsOf = (text: string) =>
      text
        .split('\n\n')
        .filter((part) => part.startsWith('event: '))
        .map((part) => {
          const [, type = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? [];
          return { type, data: JSON.parse(data) };
        });

    it('tells at once, then what changes, and ends with the mailing', async () => {
      await mailings.channelWith('streamed', addressed('streamed'));
      await corridor.provider.script('/streamed', { status: 202, delayMs: 1_500 });
      const id = await mailings.create('streamed');
      await mailings.act(id, 'start');
      const response = await corridor.open(`/mailings/${id}/progress`);
      expect(response.headers.get('content-type')).toBe('text/event-stream');
      const done: Promise<string> = response.text();
      await until(async () => (await mailings.show(id)).counts.sent === all.length);
      await corridor.idle();
      const events = eventsOf(await done);
      expect(events[0]).toMatchObject({ type: 'progress', data: { id, state: 'sending' } });
      expect(events.at(-1)).toMatchObject({
        type: 'end',
        data: { state: 'finished', counts: { sent: 5 }, pace: { remaining: 0 } },
      });
      expect(events.filter((event) => event.type === 'end')).toHaveLength(1);
      const texts = events.slice(0, -1).map((event) => JSON.stringify(event.data));
      expect(new Set(texts).size).toBe(texts.length);
      await until(async () => corridor.watched() === 0);
    });

    it('of what does not go on is over at once', async () => {
      await mailings.channelWith('resting');
      const id = await mailings.create('resting');
      const events = eventsOf(await (await corridor.open(`/mailings/${id}/progress`)).text());
      expect(events).toMatchObject([{ type: 'end', data: { state: 'draft', messages: 0 } }]);
      const stranger = await corridor.open('/mailings/018f0000-0000-7000-8000-000000000000/progress');
      expect(stranger.status).toBe(404);
    });

    it('holds nothing once its reader is gone', async () => {
      await mailings.channelWith('left_alone', addressed('left_alone'));
      await corridor.provider.script('/left_alone', { status: 503 });
      const id = await mailings.create('left_alone');
      await mailings.act(id, 'start');
      await corridor.idle();
      const readers = await Promise.all(
        Array.from({ length: 3 }, async () => {
          const reader = (await corridor.open(`/mailings/${id}/progress`)).body?.getReader();
          await reader?.read();
          return reader;
        }),
      );
      expect(corridor.watched()).toBe(1);
      for (const reader of readers) {
        expect(corridor.watched()).toBe(1);
        await reader?.cancel();
      }
      expect(corridor.watched()).toBe(0);
      await mailings.act(id, 'stop');
      await corridor.idle();
    });
  });

  it('many watchers of a mailing share its queries, and are told when it is over with this process', async () => {
    await mailings.channelWith('crowded', addressed('crowded'));
    await corridor.provider.script('/crowded', { status: 503 });
    const id = await mailings.create('crowded');
    await mailings.act(id, 'start');
    await corridor.idle();
    let asked = 0;
    const database: Database = {
      ...corridor.database,
      query: (text, values) => {
        asked += 1;
        return corridor.database.query(text, values);
      },
    };
    const watch = createMailingWatch({ ...corridor.runtime, database });
    const told: WatchEvent[][] = [];
    const join = () => {
      const mine: WatchEvent[] = [];
      told.push(mine);
      return watch.watch(id, (event) => mine.push(event));
    };
    for (let each = 0; each < 100; each += 1) join();
    await until(async () => told.every((mine) => mine.length === 1));
    expect(asked).toBe(1);
    // Anyone who comes later is told what is known.
    const leave = join();
    expect(told.at(-1)).toMatchObject([{ type: 'progress', progress: { state: 'sending' } }]);
    leave();
    await mailings.act(id, 'pause');
    await until(async () => told.slice(0, 100).every((mine) => mine.length >= 2));
    expect(told.at(-1)).toHaveLength(1);
    expect(asked).toBeLessThan(60);
    watch.close();
    expect(told.slice(0, 100).every((mine) => mine.at(-1)?.type === 'closed')).toBe(true);
    expect(watch.watched()).toBe(0);
    const late: WatchEvent[] = [];
    watch.watch(id, (event) => late.push(event));
    expect(late).toEqual([{ type: 'closed' }]);
    await mailings.act(id, 'stop');
    await corridor.idle();
  });
});
