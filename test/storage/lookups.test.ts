/**
 * What is looked up for each message is found through the right index, whatever the statistics know: without any, and
 * with those of tables that were nearly empty or whose rows were still to be committed. Counted are the pages that a
 * lookup touches, not its time.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIds } from '../../src/ids.ts';
import { claim, FIRST_ID } from '../../src/storage/claim.ts';
import type { Database, Sql } from '../../src/storage/database.ts';
import { settle } from '../../src/storage/settle.ts';
import { findSubscriptionFields, findSubscriptions } from '../../src/storage/subscriptions.ts';
import { findMessages } from '../../src/storage/unmatched-events.ts';
import { databaseKinds, openTestDatabase, type TestDatabase } from '../support/database.ts';
import { pagesOf } from '../support/pages-of.ts';

const NOW_MS = Date.UTC(2026, 5, 1, 12);
const PEOPLE = 20_000;
const ASKED = 200;
/** A few levels of a few indexes, and the row. */
const MOST_PAGES_EACH = 20;

const ANALYZE = 'analyze profile, subscription, message, waiting, external_id';

const ids = createIds({ now: () => NOW_MS });
const account = ids.next();
const resource = ids.next();

/** People who all subscribe to the same resource in the same channel, each with a message that waits. */
async function fill(sql: Sql, from: number, to: number): Promise<void> {
  const numbers = `generate_series(${from}, ${to - 1}) as n`;
  const at = `timestamptz '2026-06-01 11:00Z'`;
  const id = (kind: string) => `('019e82d7-2f80-7000-8${kind}00-' || lpad(to_hex(n), 12, '0'))::uuid`;
  // Profiles come from anywhere and in any order, which makes the indexes that begin with them the larger ones.
  const person = `md5('person ' || n)::uuid`;
  const statements = [
    `insert into profile (id, account_id, external_id, fields, created_at, updated_at)
      select ${person}, '${account}', 'p-' || n, '{}', ${at}, ${at} from ${numbers}`,
    `insert into subscription (id, account_id, profile_id, resource_id, channel_id, fields, status, created_at, updated_at)
      select ${id('2')}, '${account}', ${person}, '${resource}', 7, '{}', 'subscribed', ${at}, ${at} from ${numbers}`,
    `insert into message (id, account_id, channel_id, channel_version_id, profile_id, subscription_id, resource_id, lane_id,
        class, content, state, attempt, updated_at)
      select ${id('3')}, '${account}', 7, 1, ${person}, ${id('2')}, '${resource}', 1, 'normal', '{}', 10, 1, ${at} from ${numbers}`,
    `insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id)
      select ${id('3')}, '${account}', 1, ${at}, 1, ${id('3')}, 1 from ${numbers}`,
    `insert into external_id (channel_id, external_id, message_id, attempt)
      select 7, 'x-' || n, ${id('3')}, 1 from ${numbers}`,
  ];
  for (const statement of statements) await sql.query(statement);
}

const kinds = await databaseKinds();

const AGES: readonly (readonly [string, (database: Database) => Promise<void>])[] = [
  ['without statistics', async () => {}],
  [
    'with statistics of nearly empty tables',
    async (database: Database) => {
      await fill(database, 0, 20);
      await database.script(ANALYZE);
    },
  ],
  [
    'with statistics from the middle of an import, when nothing could be seen yet',
    async (database: Database) => {
      // Rows that were taken back leave the same: pages, and none of them in use.
      const takenBack = new Error('taken back');
      await database
        .transaction(async (tx) => {
          await fill(tx, 0, PEOPLE / 2);
          throw takenBack;
        })
        .catch((thrown) => expect(thrown).toBe(takenBack));
      await database.script(ANALYZE);
    },
  ],
  [
    'with statistics of half of the rows',
    async (database: Database) => {
      await fill(database, 0, PEOPLE / 2);
      await database.script(ANALYZE);
    },
  ],
];

describe.each(kinds.flatMap((kind) => AGES.map(([name, begin]) => [kind, name, begin] as const)))(
  'lookups on %s %s',
  (kind, _name, begin) => {
    const numbers = Array.from({ length: ASKED }, (_, index) => index * (PEOPLE / ASKED));
    const messages = numbers.map(
      (number) => `019e82d7-2f80-7000-8300-${number.toString(16).padStart(12, '0')}`,
    );
    let opened: TestDatabase;
    let database: Database;
    beforeAll(async () => {
      opened = await openTestDatabase(kind, NOW_MS);
      database = opened.database;
      await database.query('insert into account (id, name, created_at) values ($1, $2, now())', [
        account,
        'a',
      ]);
      await database.query(
        `insert into resource (id, account_id, sid, name, channels, created_at, updated_at) values ($1, $2, 'brand', 'Brand', '{}', now(), now())`,
        [resource, account],
      );
      await begin(database);
      const [row] = await database.query<{ count: number }>('select count(*)::int as count from profile');
      await fill(database, row?.count ?? 0, PEOPLE);
      // Held by the node that settles them, unlike those that are claimed below.
      await database.query('update waiting set owner = 2 where id = any($1::uuid[])', [messages]);
    });
    afterAll(() => opened.end());

    const people = numbers.map((number) => ({
      accountId: account,
      externalId: `p-${number}`,
      resourceId: resource,
      channelId: 7,
    }));
    const events = numbers.map((number) => ({
      channelId: 7,
      externalId: `x-${number}`,
      messageId: null,
      accountId: account,
      senderId: null,
    }));

    const byOwnId = { channelId: 7, externalId: null, accountId: null, senderId: null };
    const own = messages.map((id) => ({ ...byOwnId, messageId: id }));
    const nothing = { again: [], waits: [], attempts: [], externalIds: [], parked: [] };
    const left = {
      ...{
        ...nothing,
        subscriptions: [],
        suppressions: [],
        exhausted: [],
        failedRequests: [],
        doneRequests: [],
        events: [],
      },
      ...{ node: 2, nowMs: NOW_MS, done: messages },
      messages: messages.map((id) => ({
        ...{ source: id, id, launchId: null, attempt: 1, state: 40, reason: null, externalId: null },
      })),
    };

    it('find what is there', async () => {
      const found = await findSubscriptions(database, people);
      expect(found.filter((row) => row.subscription_id !== null)).toHaveLength(ASKED);
      expect(await findMessages(database, events)).toHaveLength(ASKED);
      expect((await findMessages(database, own)).map((row) => row.message_id)).toEqual(messages);
    });

    it.each<[string, (sql: Sql) => Promise<unknown>]>([
      ['subscriptions of profiles', (sql) => findSubscriptions(sql, people)],
      ['subscriptions of profiles with their fields', (sql) => findSubscriptionFields(sql, people)],
      ['messages by the id of the provider', (sql) => findMessages(sql, events)],
      ['messages by their own id', (sql) => findMessages(sql, own)],
      [
        'what is due in a lane',
        (sql) => claim(sql, 1, NOW_MS, [{ laneId: 1, afterDueMs: 0, afterId: FIRST_ID, share: ASKED }]),
      ],
      ['what many runs have left', (sql) => settle(sql, left)],
    ])('reads few pages for %s', async (_what, ask) => {
      const pages = await pagesOf(database, ask);
      expect(pages).toBeGreaterThan(0);
      expect(pages / ASKED).toBeLessThan(MOST_PAGES_EACH);
    });
  },
);
