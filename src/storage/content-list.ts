/**
 * Pages of the content library, newest first. What is searched for is found by one index, which answers words and filters
 * together, as long as COUNTED items match. Where more match, items are walked in their order instead: then some are near,
 * wherever one begins.
 */
import { ITEM, type ItemRow } from './content.ts';
import { type ContentFilter, queryOf } from './content-terms.ts';
import type { Sql } from './database.ts';

/** Totals are exact up to here; what is more is not counted. */
export const COUNTED = 10_000;
/** Behind every id. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

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
  const isSearch = words.length > 0 || Object.values(others).some((value) => value !== undefined);
  const found = isSearch ? await search(sql, accountId, filter, page) : undefined;
  if (found !== undefined && found.total <= COUNTED) {
    return { rows: await readItems(sql, found.ids), total: found.total };
  }
  const { ids, total } = await walk(sql, accountId, filter, page, isSearch);
  return { rows: await readItems(sql, ids), total };
}

interface Ids {
  readonly ids: readonly string[];
  readonly total: number;
}

/** How many match, at most one more than COUNTED, and the page of them where they are not more. */
async function search(sql: Sql, accountId: string, filter: ContentFilter, page: ContentPage): Promise<Ids> {
  const [row] = await sql.query<{ total: number; ids: readonly string[] | null }>(
    `with matched as materialized (select id from content_matches($1::text::tsquery, ${COUNTED + 1}) as m (id))
     select (select count(*) from matched)::int as total,
       (select json_agg(id) from (
          select id from matched where id < $2 order by id desc limit $3) as page) as ids`,
    [queryOf(accountId, filter), page.before ?? LAST_ID, page.limit + 1],
  );
  return { ids: row?.ids ?? [], total: row?.total ?? 0 };
}

/** The page; `counted` where it is known already that there are COUNTED. */
async function walk(
  sql: Sql,
  accountId: string,
  filter: ContentFilter,
  page: ContentPage,
  counted: boolean,
): Promise<Ids> {
  const { status = null, channelType = null, isTemplate = null, sourceType = null, tag, words = [] } = filter;
  const isWorded = tag !== undefined || words.length > 0;
  const [row] = await sql.query<{ total: number; ids: readonly string[] | null }>(
    `select ${counted ? COUNTED : `content_count($1, $4, ${COUNTED})`} as total,
       (select json_agg(id) from content_walk($1, $2, $3, $4, $5, $6, $7, $8::text::tsquery) as w (id)) as ids`,
    [
      accountId,
      page.before ?? LAST_ID,
      page.limit + 1,
      status,
      channelType,
      isTemplate,
      sourceType,
      isWorded ? queryOf(accountId, { tag, words }) : null,
    ],
  );
  return { ids: row?.ids ?? [], total: row?.total ?? 0 };
}

async function readItems(sql: Sql, ids: readonly string[]): Promise<ItemRow[]> {
  if (ids.length === 0) return [];
  return sql.query<ItemRow>(
    `select ${ITEM} from content_item i join content_version v on v.item_id = i.id and v.version = i.version
     where i.id = any($1::uuid[]) order by i.id desc`,
    [ids],
  );
}
