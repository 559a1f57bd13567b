/**
 * Pages of the content library, newest first. No page reads more than its limit says where items are walked in their
 * order, or more than COUNTED where they are searched for: a search with more matches than that is walked too, because
 * then matches are near wherever one begins.
 */
import { ITEM, type ItemRow } from './content.ts';
import { type ContentFilter, conditionsOf, queryOf } from './content-terms.ts';
import type { Sql } from './database.ts';

/** Totals are exact up to here; what is more is not counted. */
export const COUNTED = 10_000;

export interface ContentPage {
  readonly limit: number;
  readonly before?: string | undefined;
}

/** One page with one row more than the limit, and the total, at most COUNTED. */
export async function listContent(
  sql: Sql,
  accountId: string,
  filter: ContentFilter,
  page: ContentPage,
): Promise<{ rows: ItemRow[]; total: number }> {
  const { status, words = [], ...others } = filter;
  const simple = words.length === 0 && Object.values(others).every((value) => value === undefined);
  if (simple) {
    const total = await countByStatus(sql, accountId, status);
    return { rows: await walk(sql, accountId, filter, page), total };
  }
  const { ids, total } = await search(sql, queryOf(accountId, filter), page);
  if (total > COUNTED) return { rows: await walk(sql, accountId, filter, page), total: COUNTED };
  return { rows: await readItems(sql, ids), total };
}

async function countByStatus(sql: Sql, accountId: string, status: string | undefined): Promise<number> {
  const [row] = await sql.query<{ total: number }>(
    `select count(*)::int as total from (
       select from content_item where account_id = $1 ${status === undefined ? '' : 'and status = $2'}
       limit ${COUNTED}) as counted`,
    status === undefined ? [accountId] : [accountId, status],
  );
  return row?.total ?? 0;
}

/** How many match, at most one more than COUNTED, and the page of them where they are not more. */
async function search(
  sql: Sql,
  query: string,
  page: ContentPage,
): Promise<{ ids: readonly string[]; total: number }> {
  const [row] = await sql.query<{ total: number; ids: readonly string[] | null }>(
    `with matched as materialized (select id from content_matches($1::text::tsquery, ${COUNTED + 1}) as m (id))
     select (select count(*) from matched)::int as total,
       (select json_agg(id) from (
          select id from matched where $2::uuid is null or id < $2 order by id desc limit $3) as p) as ids`,
    [query, page.before ?? null, page.limit + 1],
  );
  return { ids: row?.ids ?? [], total: row?.total ?? 0 };
}

function walk(sql: Sql, accountId: string, filter: ContentFilter, page: ContentPage): Promise<ItemRow[]> {
  const before = page.before === undefined ? [] : [page.before];
  const { text, values } = conditionsOf(filter, queryOf(accountId, filter), 3 + before.length);
  return sql.query<ItemRow>(
    `select ${ITEM} from (
       select * from content_item where account_id = $1 ${before.length === 0 ? '' : 'and id < $3'} ${text}
       order by id desc limit $2) as i
     join content_version v on v.item_id = i.id and v.version = i.version
     order by i.id desc`,
    [accountId, page.limit + 1, ...before, ...values],
  );
}

function readItems(sql: Sql, ids: readonly string[]): Promise<ItemRow[]> {
  return sql.query<ItemRow>(
    `select ${ITEM} from content_item i join content_version v on v.item_id = i.id and v.version = i.version
     where i.id = any($1::uuid[]) order by i.id desc`,
    [ids],
  );
}
