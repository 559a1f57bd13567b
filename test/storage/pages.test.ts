/**
 * A page of a list costs what is on it, and a question about few people what there is of them, not what else fits or is
 * there: with statistics and without any. Counted are the pages of the database that are read, not the time.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIds } from '../../src/ids.ts';
import { audienceCondition } from '../../src/storage/audience.ts';
import type { Database } from '../../src/storage/database.ts';
import { listEvents } from '../../src/storage/events.ts';
import { readLaunches } from '../../src/storage/launches.ts';
import { readMessages } from '../../src/storage/messages.ts';
import { FIRST_PAGE_VALUE, openDirectPage } from '../../src/storage/open-launch.ts';
import { waitingForProfile } from '../../src/storage/profiles.ts';
import { listSubscriptions } from '../../src/storage/subscriptions.ts';
import { databaseKinds, openTestDatabase, type TestDatabase } from '../support/database.ts';
import { pagesOf } from '../support/pages-of.ts';

const NOW_MS = Date.UTC(2026, 5, 20, 12);
const PEOPLE = 20_000;
const NAMED = 50;
const WAITING = 50;
const LIMIT = 20;
/** A few levels of a few indexes, and the rows; what is written touches as many again. */
const MOST_PAGES_EACH = 60;

const ids = createIds({ now: () => NOW_MS });
const account = ids.next();
const resource = ids.next();
const [large, named, triggered] = [ids.next(), ids.next(), ids.next()];
const largeLaunch = ids.next();
const namedLaunch = ids.next();
const triggeredLaunch = ids.next();

/** People who all subscribe to one resource, each with a message of a large launch and one of the API, and events of both. */
async function fill(database: Database): Promise<void> {
  const at = `timestamptz '2026-06-20 12:00Z'`;
  const numbers = `generate_series(0, ${PEOPLE - 1}) as n`;
  const id = (kind: string) => `('019e82d7-2f80-7000-8${kind}00-' || lpad(to_hex(n), 12, '0'))::uuid`;
  const person = `md5('person ' || n)::uuid`;
  const mailing = (mailingId: string, launchId: string, type: string, opening: boolean) => [
    `insert into mailing (id, account_id, name, channel_id, resource_id, content, fields, audience, class, state, type,
        created_at, updated_at)
      values ('${mailingId}', '${account}', '${mailingId}', 7, '${resource}', '{}', '{}', '{}', 'normal', 'sending', '${type}', ${at}, ${at})`,
    `insert into launch (id, mailing_id, account_id, number, kind, channel_version_id, resource_id, content, fields,
        audience, class, opening, state, started_at)
      select '${launchId}', '${mailingId}', '${account}', 1, 'real', id, '${resource}', '{}', '{}', '{}', 'normal', ${opening}, 'sending', ${at}
      from channel_version where channel_id = 7`,
  ];
  const message = (messageId: string, launchId: string) =>
    `insert into message (id, account_id, channel_id, channel_version_id, profile_id, subscription_id, resource_id, lane_id,
        launch_id, class, content, state, updated_at)
      select ${messageId}, '${account}', 7, 1, ${person}, ${id('2')}, '${resource}', 1, ${launchId}, 'normal', '{}', 40, ${at} from ${numbers}`;
  const event = (kind: string, messageId: string) =>
    `insert into event (id, account_id, message_id, channel_id, type, attempt, time)
      select ${id(kind)}, '${account}', ${messageId}, 7, 'send', 1, ${at} from ${numbers}`;
  const statements = [
    `insert into account (id, name, created_at) values ('${account}', 'a', ${at})`,
    `insert into resource (id, account_id, sid, name, channels, created_at, updated_at)
      values ('${resource}', '${account}', 'brand', 'Brand', '{}', ${at}, ${at})`,
    `insert into channel (id, sid, kind, version_id, created_at, updated_at) values (7, 'seven', 'custom', 1, ${at}, ${at})`,
    `insert into channel_version (channel_id, version, document, hash, created_at) values (7, 1, '{}', 'h', ${at})`,
    `insert into profile (id, account_id, external_id, fields, created_at, updated_at)
      select ${person}, '${account}', 'p-' || n, '{}', ${at}, ${at} from ${numbers}`,
    `insert into subscription (id, account_id, profile_id, resource_id, channel_id, fields, status, created_at, updated_at)
      select ${id('2')}, '${account}', ${person}, '${resource}', 7, '{}', 'subscribed', ${at}, ${at} from ${numbers}`,
    ...mailing(large, largeLaunch, 'regular', false),
    ...mailing(named, namedLaunch, 'regular', true),
    ...mailing(triggered, triggeredLaunch, 'trigger', false),
    message(`launch_message_id('${largeLaunch}', ${id('2')})`, `'${largeLaunch}'`),
    message(id('3'), `case when n % 1000 = 0 then '${triggeredLaunch}'::uuid end`),
    event('4', id('3')),
    `insert into event (id, account_id, message_id, channel_id, launch_id, type, attempt, time)
      select '${ids.next()}', '${account}', launch_message_id('${largeLaunch}', ${id('2')}), 7, '${largeLaunch}', 'send', 1, ${at}
      from generate_series(0, 0) as n`,
    `insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id)
      select ${id('3')}, '${account}', 1, ${at}, 1, ${id('3')}, 1 from generate_series(1, ${WAITING}) as n`,
  ];
  for (const statement of statements) await database.query(statement);
}

const kinds = await databaseKinds();

describe.each(kinds.flatMap((kind) => ['with', 'without'].map((having) => [kind, having] as const)))(
  'pages on %s %s statistics',
  (kind, having) => {
    let opened: TestDatabase;
    let database: Database;
    beforeAll(async () => {
      opened = await openTestDatabase(kind, NOW_MS);
      database = opened.database;
      await fill(database);
      if (having === 'with') await database.script('analyze');
    });
    afterAll(() => opened.end());

    const page = { limit: LIMIT, before: undefined };

    it('shows the messages of a mailing in their order, page by page', async () => {
      for (const [mailingId, total] of [
        [large, 100],
        [triggered, PEOPLE / 1_000],
      ] as const) {
        const seen: string[] = [];
        for (let before: string | undefined; seen.length < total; ) {
          const rows = await readMessages(database, account, { mailingId }, { limit: 7, before });
          if (rows.length === 0) break;
          expect(rows.every((row) => row.mailing_id === mailingId)).toBe(true);
          seen.push(...rows.map((row) => row.id));
          before = rows.at(-1)?.id;
        }
        expect(seen.length).toBeGreaterThanOrEqual(total);
        expect(new Set(seen).size).toBe(seen.length);
        expect([...seen].sort().reverse()).toEqual(seen);
      }
      expect(await readMessages(database, ids.next(), { mailingId: large }, page)).toEqual([]);
      expect(await readMessages(database, account, { mailingId: large, states: [110] }, page)).toEqual([]);
    });

    it('reads few pages for messages of a large mailing, the first and later', async () => {
      const [middle] = await database.query<{ id: string }>(
        `select id from message where launch_id = '${largeLaunch}' order by id offset ${PEOPLE / 2} limit 1`,
      );
      for (const before of [undefined, middle?.id]) {
        const pages = await pagesOf(database, (sql) =>
          readMessages(sql, account, { mailingId: large }, { limit: LIMIT, before }),
        );
        expect(pages / LIMIT).toBeLessThan(MOST_PAGES_EACH);
      }
    });

    it('looks up what belongs to messages for those of the page alone', async () => {
      const pages = await pagesOf(database, (sql) => readMessages(sql, account, { channelId: 7 }, page));
      // Every message may be read, but nothing else for each of them.
      expect(pages / PEOPLE).toBeLessThan(0.5);
    });

    it('looks up the names of subscriptions for those of the page alone', async () => {
      const filter = { resource: 'brand', channel: 'seven' };
      expect((await listSubscriptions(database, account, filter, page)).rows).toHaveLength(LIMIT + 1);
      const pages = await pagesOf(database, (sql) => listSubscriptions(sql, account, filter, page));
      expect(pages / PEOPLE).toBeLessThan(0.5);
    });

    it('does not look at events from before a mailing', async () => {
      const { rows, total } = await listEvents(database, account, { mailingId: large }, page);
      expect([total, rows.map((row) => row.mailing_id)]).toEqual([1, [large]]);
      const pages = await pagesOf(database, (sql) => listEvents(sql, account, { mailingId: large }, page));
      expect(pages).toBeLessThan(MOST_PAGES_EACH);
    });

    it('opens a launch for people who are named without looking at the others', async () => {
      const [launch] = await readLaunches(database, [namedLaunch]);
      if (launch === undefined) throw new Error('There is no launch.');
      const profiles = Array.from({ length: NAMED }, (_, index) => `p-${index * 300}`);
      const condition = audienceCondition({ profiles }, FIRST_PAGE_VALUE);
      const pages = await pagesOf(database, (sql) =>
        openDirectPage(sql, launch, null, 1, 1_000, NOW_MS, condition),
      );
      expect(pages / NAMED).toBeLessThan(MOST_PAGES_EACH);
      const [count] = await database.query<{ opened: number }>(
        `select opened from launch where id = '${namedLaunch}'`,
      );
      expect(count?.opened).toBe(NAMED);
    });

    it('looks only at what waits for what waits for one person', async () => {
      const [row] = await database.query<{ id: string }>(`select id from profile where external_id = 'p-7'`);
      const person = row?.id ?? '';
      expect(await waitingForProfile(database, account, person)).toBe(1);
      const pages = await pagesOf(database, (sql) => waitingForProfile(sql, account, person));
      expect(pages / WAITING).toBeLessThan(10);
    });
  },
);
