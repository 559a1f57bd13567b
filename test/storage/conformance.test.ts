/** One suite for both databases: what storage promises, whatever is underneath. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIds } from '../../src/ids.ts';
import { insertMessages, insertRequests } from '../../src/storage/accept.ts';
import { beat, claim, enterNode, FIRST_ID, release, releaseLost } from '../../src/storage/claim.ts';
import { ensureLane } from '../../src/storage/lanes.ts';
import { turnRateLimits } from '../../src/storage/rate-limits.ts';
import { settle } from '../../src/storage/settle.ts';
import type { Settlement } from '../../src/storage/settlement.ts';
import { STATE_CODES } from '../../src/storage/states.ts';
import { takeOver } from '../../src/storage/take-over.ts';
import { findMessages } from '../../src/storage/unmatched-events.ts';
import { openTestDatabase, serverReachable, type TestDatabase } from '../support/database.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const reachable = await serverReachable();

for (const kind of ['embedded', 'server'] as const) {
  describe.skipIf(kind === 'server' && !reachable)(
    `storage on ${kind === 'server' ? 'a PostgreSQL server' : 'the embedded database'}`,
    () => {
      let test: TestDatabase;
      let now = NOW;
      const ids = createIds({ now: () => now });
      const account = ids.next();
      const resource = ids.next();

      beforeAll(async () => {
        test = await openTestDatabase(kind, NOW);
        await test.database.query('insert into account (id, name, created_at) values ($1, $2, $3)', [
          account,
          'main',
          new Date(NOW),
        ]);
      });
      afterAll(() => test.end());

      const lane = async (key: string) =>
        (
          await ensureLane(test.database, {
            key,
            accountId: account,
            channelId: 1,
            senderId: null,
            nowMs: NOW,
          })
        ).id;
      it('prepares only so many statements whose texts people make up, and answers all of them', async () => {
        const database = kind === 'server' ? await test.second() : test.database;
        await database.transaction(async (tx) => {
          // In one transaction, and so on one connection.
          for (let each = 0; each < 230; each += 1) {
            const rows = await tx.query(
              `select $1::timestamptz as at, t from unnest($2::text[]) as t where 'made up' <> 'number ${each}'`,
              [new Date(NOW), ['a', 'b']],
              'authored',
            );
            expect(rows).toEqual([
              { at: new Date(NOW), t: 'a' },
              { at: new Date(NOW), t: 'b' },
            ]);
          }
          const [found] = await tx.query<{ n: number }>(
            "select count(*)::int as n from pg_prepared_statements where statement like '%made up%number%'",
          );
          expect(found?.n).toBeLessThanOrEqual(200);
        });
      });

      const message = (laneId: number) => ({
        id: ids.next(),
        accountId: account,
        channelId: 1,
        channelVersionId: 1,
        laneId,
        profileId: null,
        subscriptionId: null,
        resourceId: resource,
        senderId: null,
        class: 'transactional',
        content: '{"values":{"text":"a \\"quoted\\" \\u0000 {text}, with \\\\ and ü"}}',
        expiresAtMs: null,
      });
      const accept = async (laneId: number, count: number) => {
        const messages = Array.from({ length: count }, () => message(laneId));
        await insertMessages(test.database, messages, now);
        return messages.map((each) => each.id);
      };
      const fromStart = (laneId: number, share: number) => ({
        laneId,
        afterDueMs: 0,
        afterId: FIRST_ID,
        share,
      });
      const settlement = (node: number, more: Partial<Settlement>): Settlement => ({
        node,
        nowMs: now,
        done: [],
        again: [],
        waits: [],
        messages: [],
        events: [],
        attempts: [],
        externalIds: [],
        parked: [],
        subscriptions: [],
        suppressions: [],
        exhausted: [],
        failedRequests: [],
        doneRequests: [],
        ...more,
      });
      const stateOf = async (id: string) => {
        const [row] = await test.database.query<{ state: number; attempt: number; reason: string | null }>(
          'select state, attempt, reason from message where id = $1',
          [id],
        );
        return row;
      };

      it('gives values back as they were', async () => {
        const [row] = await test.database.query<Record<string, unknown>>(
          `select $1::text as text, $2::float8 as number, $3::int8 as big, $4::boolean as flag, $5::timestamptz as time,
           $6::bytea as bytes, $7::text::jsonb as json, $8::text[] as texts, $9::int[] as numbers`,
          [
            'a "b" {c}, \\d',
            1.5,
            9_007_199_254_740_991,
            true,
            new Date(NOW),
            Buffer.from([0, 255]),
            '{"x":[1,null]}',
            ['a"', '', '\\,{}'],
            [1, 2],
          ],
        );
        expect(row).toEqual({
          text: 'a "b" {c}, \\d',
          number: 1.5,
          big: 9_007_199_254_740_991,
          flag: true,
          time: new Date(NOW),
          bytes: expect.anything(),
          json: { x: [1, null] },
          texts: ['a"', '', '\\,{}'],
          numbers: [1, 2],
        });
        expect(Buffer.from(row?.bytes as Uint8Array)).toEqual(Buffer.from([0, 255]));
      });

      it('undoes a failed transaction whole', async () => {
        const failed = test.database.transaction(async (tx) => {
          await tx.query('insert into setting (key, value) values ($1, $2)', ['undone', 'x']);
          throw new Error('on purpose');
        });
        await expect(failed).rejects.toThrow('on purpose');
        expect(await test.database.query('select * from setting where key = $1', ['undone'])).toEqual([]);
      });

      it('claims in the order of due times, from a cursor on, and no row twice', async () => {
        const laneId = await lane('order');
        const node = await enterNode(test.database, 'a');
        const first = await accept(laneId, 3);
        now += 10;
        const second = await accept(laneId, 3);
        const one = await claim(test.database, node, now, [fromStart(laneId, 4)]);
        expect(one.map((row) => row.id).sort()).toEqual([...first, second[0]].sort());
        expect(one[0]?.content).toEqual({ values: { text: 'a "quoted" \u0000 {text}, with \\ and ü' } });
        const last = one.reduce((a, b) => (a.due > b.due || (a.due === b.due && a.id > b.id) ? a : b));
        const rest = await claim(test.database, node, now, [
          { laneId, afterDueMs: last.due, afterId: last.id, share: 10 },
        ]);
        expect(rest.map((row) => row.id).sort()).toEqual(second.slice(1).sort());
        expect(await claim(test.database, node, now, [fromStart(laneId, 10)])).toEqual([]);
      });

      it('gives each lane its share, however much waits in another', async () => {
        const [flooded, quiet] = [await lane('flooded'), await lane('quiet')];
        const node = await enterNode(test.database, 'a');
        await accept(flooded, 500);
        const [single] = await accept(quiet, 1);
        const rows = await claim(test.database, node, now, [fromStart(flooded, 10), fromStart(quiet, 10)]);
        expect(rows.filter((row) => row.lane_id === flooded)).toHaveLength(10);
        expect(rows.filter((row) => row.lane_id === quiet).map((row) => row.id)).toEqual([single]);
      });

      it('does not claim what is not due', async () => {
        const laneId = await lane('later');
        const node = await enterNode(test.database, 'a');
        const [id = ''] = await accept(laneId, 1);
        await claim(test.database, node, now, [fromStart(laneId, 1)]);
        const back = {
          source: id,
          id,
          accountId: account,
          laneId,
          dueMs: now + 1_000,
          pipeline: 1,
          pipe: 7,
          tries: 2,
          messageId: id,
          channelVersionId: 1,
          payload: '{"in":{}}',
        };
        expect((await settle(test.database, settlement(node, { again: [back] }))).held).toEqual([id]);
        expect(await claim(test.database, node, now + 999, [fromStart(laneId, 1)])).toEqual([]);
        const [row] = await claim(test.database, node, now + 1_000, [fromStart(laneId, 1)]);
        expect(row).toMatchObject({ id, pipe: 7, tries: 2, payload: '{"in":{}}' });
        // The same settlement once more, as after a lost answer: the run that has begun since is not undone.
        expect((await settle(test.database, settlement(node, { again: [back] }))).held).toEqual([]);
        expect(await claim(test.database, node, now + 2_000, [fromStart(laneId, 1)])).toEqual([]);
      });

      it('settles everything of a run at once, and nothing for a node that lost its claim', async () => {
        const laneId = await lane('settle');
        const dead = await enterNode(test.database, 'dead');
        const alive = await enterNode(test.database, 'alive');
        const [id = ''] = await accept(laneId, 1);
        await claim(test.database, dead, now, [fromStart(laneId, 1)]);
        const { heir = 0, orphans } = await takeOver(test.database, alive, -1_000, now);
        expect(orphans.map((row) => row.id)).toContain(id);
        // Not the one who decides: what that one frees as lost must not be what somebody may have sent.
        expect(await releaseLost(test.database, alive, [])).toBe(0);
        expect(await beat(test.database, dead)).toBe(false);
        const ended = (node: number) =>
          settlement(node, {
            done: [id],
            messages: [
              {
                source: id,
                id,
                launchId: null,
                attempt: 1,
                state: STATE_CODES.sent,
                reason: null,
                externalId: 'x-1',
              },
            ],
            events: [
              {
                source: id,
                id: ids.next(),
                accountId: account,
                messageId: id,
                channelId: 1,
                launchId: null,
                eventId: 5,
                type: 'send',
                attempt: 1,
                timeMs: now,
                externalId: 'x-1',
                code: null,
                text: null,
                value: '{"a":1}',
                dedupeKey: null,
              },
            ],
            externalIds: [{ source: id, channelId: 1, externalId: 'x-1', messageId: id, attempt: 1 }],
            attempts: [
              {
                source: id,
                id: ids.next(),
                accountId: account,
                messageId: id,
                number: 1,
                outcome: 'done',
                trail: '[]',
              },
            ],
          });
        for (const other of [dead, alive])
          expect((await settle(test.database, ended(other))).held).toEqual([]);
        expect((await stateOf(id))?.state).toBe(STATE_CODES.accepted);
        expect((await settle(test.database, ended(heir))).held).toEqual([id]);
        expect((await stateOf(id))?.state).toBe(STATE_CODES.sent);
        expect(await test.database.query('select value from event where message_id = $1', [id])).toEqual([
          { value: { a: 1 } },
        ]);
        const [found] = await findMessages(test.database, [
          { channelId: 1, externalId: 'x-1', messageId: null, accountId: account, senderId: null },
        ]);
        expect(found).toMatchObject({ message_id: id, attempt: 1 });
      });

      it('takes over from nobody whose heartbeat is young, and from one who took over and died', async () => {
        const laneId = await lane('heir');
        const [first, second] = [
          await enterNode(test.database, 'first'),
          await enterNode(test.database, 'second'),
        ];
        const [id = ''] = await accept(laneId, 1);
        await claim(test.database, first, now, [fromStart(laneId, 1)]);
        expect((await takeOver(test.database, second, 3_600_000, now)).heir).toBeUndefined();
        const idsOf = (inheritance: Awaited<ReturnType<typeof takeOver>>) =>
          inheritance.orphans.map((row) => row.id);
        expect(idsOf(await takeOver(test.database, second, -1_000, now))).toContain(id);
        const again = await takeOver(test.database, second, -1_000, now);
        expect(idsOf(again)).toContain(id);
        await release(test.database, again.heir ?? 0, [id]);
        expect(await claim(test.database, second, now, [fromStart(laneId, 1)])).toHaveLength(1);
      });

      it('gives released rows to anyone who claims next, and tells that the lane changed', async () => {
        const laneId = await lane('release');
        const node = await enterNode(test.database, 'a');
        const [id = ''] = await accept(laneId, 1);
        await claim(test.database, node, now, [fromStart(laneId, 1)]);
        const epochOf = async () =>
          (await test.database.query<{ epoch: number }>('select epoch from lane where id = $1', [laneId]))[0]
            ?.epoch ?? 0;
        const before = await epochOf();
        await release(test.database, node, [id]);
        expect(await epochOf()).toBe(before + 1);
        expect((await claim(test.database, node, now, [fromStart(laneId, 1)])).map((row) => row.id)).toEqual([
          id,
        ]);
      });

      it('frees what a node holds in the database but not in its hands', async () => {
        const laneId = await lane('lost');
        const node = await enterNode(test.database, 'a');
        await accept(laneId, 3);
        const claimed = await claim(test.database, node, now, [fromStart(laneId, 3)]);
        const inHand = claimed[0]?.id ?? '';
        expect(await releaseLost(test.database, node, [inHand])).toBe(2);
        const again = await claim(test.database, node, now, [fromStart(laneId, 3)]);
        expect(again.map((row) => row.id).sort()).toEqual(
          claimed
            .slice(1)
            .map((row) => row.id)
            .sort(),
        );
      });

      it('raises a state and never lowers it within an attempt', async () => {
        const laneId = await lane('rank');
        const node = await enterNode(test.database, 'a');
        const [id = ''] = await accept(laneId, 1);
        const raise = async (state: number, attempt: number) => {
          await insertRequests(
            test.database,
            [
              {
                id: ids.next(),
                accountId: account,
                laneId,
                channelId: 1,
                channelVersionId: 1,
                pipe: 1,
                senderId: null,
                payload: '{}',
                dedupeKey: null,
              },
            ],
            now,
          );
          const [row] = await claim(test.database, node, now, [fromStart(laneId, 1)]);
          const source = row?.id ?? '';
          await settle(
            test.database,
            settlement(node, {
              done: [source],
              messages: [
                {
                  source,
                  id,
                  launchId: null,
                  attempt,
                  state,
                  reason: null,
                  externalId: null,
                },
              ],
            }),
          );
          return (await stateOf(id))?.state;
        };
        await claim(test.database, node, now, [fromStart(laneId, 1)]);
        expect(await raise(STATE_CODES.delivered, 1)).toBe(STATE_CODES.delivered);
        expect(await raise(STATE_CODES.sent, 1)).toBe(STATE_CODES.delivered);
        expect(await raise(STATE_CODES.hard_bounced, 1)).toBe(STATE_CODES.hard_bounced);
        expect(await raise(STATE_CODES.read, 1)).toBe(STATE_CODES.hard_bounced);
        expect(await raise(STATE_CODES.queued, 2)).toBe(STATE_CODES.queued);
        expect(await raise(STATE_CODES.failed, 1)).toBe(STATE_CODES.queued);
      });

      it('keeps one of several requests with the same dedupe key, together or apart', async () => {
        const laneId = await lane('dedupe');
        const node = await enterNode(test.database, 'a');
        const request = (key: string | null) => ({
          id: ids.next(),
          accountId: account,
          laneId,
          channelId: 9,
          channelVersionId: 1,
          pipe: 1,
          senderId: null,
          payload: '{}',
          dedupeKey: key,
        });
        await insertRequests(
          test.database,
          [request('k'), request('k'), request('other'), request(null), request(null)],
          now,
        );
        await insertRequests(test.database, [request('k')], now);
        expect(await claim(test.database, node, now, [fromStart(laneId, 10)])).toHaveLength(4);
      });

      it('accepts a message id once', async () => {
        const laneId = await lane('once');
        const node = await enterNode(test.database, 'a');
        const twice = message(laneId);
        await insertMessages(test.database, [twice], now);
        await insertMessages(test.database, [twice], now);
        expect(await claim(test.database, node, now, [fromStart(laneId, 10)])).toHaveLength(1);
      });

      it('counts the tokens of a limit by its own clock', async () => {
        const holder = { name: 'a', leaseMs: 10_000, horizonMs: 200, nowMs: undefined };
        const turn = {
          key: 'limit',
          requests: 2,
          windowMs: 3_600_000,
          burst: 2,
          held: 0,
          used: 0,
          wanted: 3,
        };
        const [first] = await turnRateLimits(test.database, holder, [turn]);
        expect(first?.granted).toBe(2);
        const other = { ...holder, name: 'b' };
        const [second] = await turnRateLimits(test.database, other, [{ ...turn, wanted: 1 }]);
        expect(second).toMatchObject({ granted: 0, soon: 0 });
        expect(second?.waitMs).toBeGreaterThan(3_500_000);
      });

      it.skipIf(kind === 'embedded')(
        'lets two connections claim at once without meeting (needs two connections)',
        async () => {
          const laneId = await lane('two');
          const other = await test.second();
          const [a, b] = [await enterNode(test.database, 'a'), await enterNode(other, 'b')];
          await accept(laneId, 200);
          const claimed = await Promise.all(
            Array.from({ length: 10 }, (_, turn) =>
              claim(turn % 2 === 0 ? test.database : other, turn % 2 === 0 ? a : b, now, [
                fromStart(laneId, 20),
              ]),
            ),
          );
          const all = claimed.flat().map((row) => row.id);
          expect(new Set(all).size).toBe(all.length);
          const rest = await claim(test.database, a, now, [fromStart(laneId, 200)]);
          expect(all.length + rest.length).toBe(200);
        },
      );
    },
  );
}
