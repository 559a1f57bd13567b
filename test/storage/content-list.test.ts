/** Pages of a library of 100,000 items: what the database reads for one is bounded, whatever is asked. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIds } from '../../src/ids.ts';
import { own } from '../../src/json.ts';
import { COUNTED, listContent } from '../../src/storage/content-list.ts';
import type { ContentFilter } from '../../src/storage/content-terms.ts';
import type { Sql, SqlValue } from '../../src/storage/database.ts';
import { databaseKinds, openTestDatabase, type TestDatabase } from '../support/database.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const ITEMS = 100_000;
/** Blocks of 8 KiB, of tables and indexes alike. All items fill more than twice as many. */
const MOST_BLOCKS = 1_500;

for (const kind of await databaseKinds()) {
  describe(`100,000 items on the ${kind} database`, () => {
    let test: TestDatabase;
    const ids = createIds({ now: () => NOW });
    const account = ids.next();
    const other = ids.next();

    beforeAll(async () => {
      test = await openTestDatabase(kind, NOW);
      const { database } = test;
      for (const [id, name] of [
        [account, 'big'],
        [other, 'small'],
      ] as const) {
        await database.query('insert into account (id, name, created_at) values ($1, $2, now())', [id, name]);
      }
      // Old items are archived, a few stand in review, one in a thousand is a template, one in ten thousand is rare.
      await database.query(
        `with numbered as (
           select n, (lpad(to_hex(1700000000000 + n), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid as id,
             case when n <= 60000 then 'archived' when n % 5000 = 0 then 'in_review' when n % 2 = 0 then 'draft' else 'published' end as status,
             (array['email_html', 'sms_text', 'banner'])[1 + n % 3] as type, n % 1000 = 7 as template
           from generate_series(1, $2::int) as n),
         items as (
           insert into content_item (id, account_id, name, channel_type, status, tags, is_template, source_type,
             version, newest_version, revision, search, created_at, updated_at)
           select id, $1::uuid, 'Item ' || n, type, status, '[]', template, 'internal', 1, 1, 1,
             array_to_tsvector(array['=a' || $1::uuid::text, '=s' || status, '=c' || type, '=i' || template, '=ointernal',
               'item', 'sale', n::text, 'word' || n % 500] || case when n % 10000 = 3 then array['rare', '=t72617265'] else '{}' end),
             now(), now()
           from numbered returning id)
         insert into content_version (item_id, version, account_id, name, content, created_at)
         select id, 1, $1::uuid, 'x', '{"body":"x"}', now() from numbered`,
        [account, ITEMS],
      );
    }, 240_000);
    afterAll(() => test.end());

    /** What statements read, by the database's own account; that of functions is in the blocks. */
    interface Reading {
      blocks: number;
      readonly scans: string[];
    }

    const explaining = (reading: Reading): Sql => ({
      query: async <Row>(text: string, values: readonly SqlValue[] = []) => {
        const [row] = await test.database.query(`explain (analyze, buffers, format json) ${text}`, values);
        const [{ Plan: plan }] = Object.values(row ?? {})[0] as [{ Plan: object }];
        reading.blocks += Number(own(plan, 'Shared Hit Blocks')) + Number(own(plan, 'Shared Read Blocks'));
        add(plan, reading);
        return test.database.query<Row>(text, values);
      },
    });
    const add = (node: object, reading: Reading) => {
      const kindOf = String(own(node, 'Node Type'));
      if (/Scan/.test(kindOf) && !/CTE|Function|Subquery/.test(kindOf)) {
        reading.scans.push(`${kindOf} ${own(node, 'Relation Name')}`);
      }
      for (const inner of (own(node, 'Plans') as object[] | undefined) ?? []) add(inner, reading);
    };
    const read = async (filter: ContentFilter, before?: string, of = account) => {
      const reading: Reading = { blocks: 0, scans: [] };
      const page = await listContent(explaining(reading), of, filter, { limit: 20, before });
      return { ...page, reading };
    };

    const CASES: readonly (readonly [string, ContentFilter, number, rows: number])[] = [
      ['everything', {}, COUNTED, 21],
      ['the drafts', { status: 'draft' }, COUNTED, 21],
      ['the archived, all of them old', { status: 'archived' }, COUNTED, 21],
      ['those in review', { status: 'in_review' }, 8, 8],
      ['a type', { channelType: 'banner' }, COUNTED, 21],
      ['the templates', { isTemplate: true }, 100, 21],
      ['a word of all', { words: ['sale'] }, COUNTED, 21],
      ['the beginning of a word of all', { words: ['sal'] }, COUNTED, 21],
      ['a word of some', { words: ['word499'] }, 200, 21],
      ['a rare word', { words: ['rare'] }, 10, 10],
      ['a rare tag with a common word', { tag: 'rare', words: ['sale'] }, 10, 10],
      ['a common word in a rare state', { words: ['sale'], status: 'in_review' }, 8, 8],
      ['a common word in old items', { words: ['sale'], status: 'archived' }, COUNTED, 21],
      ['a word that is not there', { words: ['nowhere', 'sale'] }, 0, 0],
      ['what excludes each other', { words: ['rare'], status: 'in_review' }, 0, 0],
    ];

    it('is about more than a page may read', async () => {
      const [row] = await test.database.query<{ blocks: number }>(
        "select (pg_relation_size('content_item') / 8192)::int as blocks",
      );
      expect(row?.blocks).toBeGreaterThan(2 * MOST_BLOCKS);
    });

    describe.each(['without', 'with'])('%s statistics', (statistics) => {
      beforeAll(async () => {
        if (statistics === 'with') await test.database.query('analyze content_item, content_version');
      });

      it.each(CASES)('finds %s', async (_what, filter, total, rows) => {
        const first = await read(filter);
        expect(first.total).toBe(total);
        expect(first.rows).toHaveLength(rows);
        // Behind the first page, or where there is none, behind its first row.
        const [place, next] = first.rows.length > 20 ? [19, 20] : [0, 1];
        const second = await read(filter, first.rows[place]?.id);
        for (const { reading } of [first, second]) {
          expect(reading.scans.filter((scan) => /^Seq Scan content/.test(scan))).toEqual([]);
          expect(reading.blocks).toBeLessThan(MOST_BLOCKS);
        }
        expect(second.rows[0]?.id).toBe(first.rows[next]?.id);
      });
    });

    it('reads nothing of a big account for a small one', async () => {
      for (const filter of [{}, { words: ['sale'] }, { status: 'draft' }]) {
        const { rows, total, reading } = await read(filter, undefined, other);
        expect([rows.length, total]).toEqual([0, 0]);
        expect(reading.blocks).toBeLessThan(200);
      }
    });
  });
}
