/** Reading the content library: items with the content of their version, versions, history, and what is published. */
import type { Sql } from './database.ts';

/** What a version holds. */
export interface ContentRow {
  readonly content: Readonly<Record<string, unknown>>;
  readonly blocks: readonly unknown[] | null;
  readonly personalization: readonly unknown[] | null;
}

/** An item, with the content of the version that people work on. */
export interface ItemRow extends ContentRow {
  readonly id: string;
  readonly account_id: string;
  readonly name: string;
  readonly description: string | null;
  readonly channel_type: string;
  readonly status: string;
  readonly tags: readonly string[];
  readonly is_template: boolean;
  readonly parent_template_id: string | null;
  readonly source_type: string;
  readonly source_id: string | null;
  readonly external_id: string | null;
  readonly version: number;
  readonly newest_version: number;
  readonly published_version: number | null;
  readonly published_at: Date | null;
  readonly submitted_by: string | null;
  readonly submitted_version: number | null;
  readonly submitted_at: Date | null;
  readonly approved_by: string | null;
  readonly approved_version: number | null;
  readonly approved_at: Date | null;
  readonly synced_version: number | null;
  readonly conflict: string | null;
  readonly revision: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** The columns of an item `i` whose version `v` stands beside it. */
export const ITEM = `i.id, i.account_id, i.name, i.description, i.channel_type, i.status, i.tags, i.is_template,
  i.parent_template_id, i.source_type, i.source_id, i.external_id, i.version, i.newest_version, i.published_version,
  i.published_at, i.submitted_by, i.submitted_version, i.submitted_at, i.approved_by, i.approved_version, i.approved_at,
  i.synced_version, i.conflict, i.revision, i.created_at, i.updated_at,
  v.content, v.blocks, v.personalization`;

/** An item, and whether the transition with this id in its history is done already. */
export async function readItem(
  sql: Sql,
  accountId: string,
  id: string,
  historyId?: string,
): Promise<{ item: ItemRow; done: boolean } | undefined> {
  const [row] = await sql.query<ItemRow & { done: boolean }>(
    `select ${ITEM}, exists (select from content_history h where h.id = $3) as done
     from content_item i join content_version v on v.item_id = i.id and v.version = i.version
     where i.account_id = $1 and i.id = $2`,
    [accountId, id, historyId ?? null],
  );
  if (row === undefined) return undefined;
  const { done, ...item } = row;
  return { item, done };
}

/** An item with what its source sent last. */
export interface SourcedRow extends ItemRow {
  readonly synced: unknown;
}

/** The item that a content source keeps under an id of its own. */
export async function findSourced(
  sql: Sql,
  accountId: string,
  sourceId: string,
  externalId: string,
): Promise<SourcedRow | undefined> {
  const rows = await sql.query<SourcedRow>(
    `select ${ITEM}, i.synced from content_item i join content_version v on v.item_id = i.id and v.version = i.version
     where i.account_id = $1 and i.source_id = $2 and i.external_id = $3`,
    [accountId, sourceId, externalId],
  );
  return rows[0];
}

/** What a source sent last, of many of its entries. */
export interface SyncedRow {
  readonly external_id: string;
  readonly status: string;
  readonly synced: unknown;
  readonly synced_version: number | null;
  readonly conflict: string | null;
}

/** What a source sent last of each of these entries, where it is an item. */
export function readSynced(
  sql: Sql,
  accountId: string,
  sourceId: string,
  externalIds: readonly string[],
): Promise<SyncedRow[]> {
  return sql.query<SyncedRow>(
    `select external_id, status, synced, synced_version, conflict from content_item
     where account_id = $1 and source_id = $2 and external_id = any($3::text[])`,
    [accountId, sourceId, externalIds],
  );
}

export interface VersionRow extends ContentRow {
  readonly item_id: string;
  readonly version: number;
  readonly name: string;
  readonly changed_by: string | null;
  readonly change_note: string | null;
  readonly created_at: Date;
}

const VERSION =
  'item_id, version, name, content, blocks, personalization, changed_by, change_note, created_at';

/** The versions of an item, newest first, of those before one where it is named. */
export function listVersions(
  sql: Sql,
  accountId: string,
  itemId: string,
  limit: number,
  before?: number,
): Promise<VersionRow[]> {
  return sql.query<VersionRow>(
    `select ${VERSION} from content_version
     where account_id = $1 and item_id = $2 and ($4::int is null or version < $4) order by version desc limit $3`,
    [accountId, itemId, limit, before ?? null],
  );
}

/** Versions of any items, whatever their account: for callers whose rows name them. What is not there is left out. */
export function readVersions(
  sql: Sql,
  keys: readonly { readonly itemId: string; readonly version: number }[],
): Promise<VersionRow[]> {
  return sql.query<VersionRow>(
    `select ${VERSION} from content_version
     join unnest($1::uuid[], $2::int[]) as asked (item, number) on item_id = asked.item and version = asked.number`,
    [keys.map((key) => key.itemId), keys.map((key) => key.version)],
  );
}

/** What customers get of an item. */
export interface PublishedRow extends ContentRow {
  readonly item_id: string;
  readonly account_id: string;
  readonly name: string;
  readonly channel_type: string;
  readonly version: number;
  readonly published_at: Date;
}

/** The published versions of many items, each of the account that asks for it. What is not published is left out. */
export function readPublished(
  sql: Sql,
  keys: readonly { readonly accountId: string; readonly itemId: string }[],
): Promise<PublishedRow[]> {
  return sql.query<PublishedRow>(
    `select i.id as item_id, i.account_id, i.name, i.channel_type, v.version, i.published_at,
       v.content, v.blocks, v.personalization
     from (select distinct account, item from unnest($1::uuid[], $2::uuid[]) as a (account, item)) as asked
     join content_item i on i.id = asked.item and i.account_id = asked.account
     join content_version v on v.item_id = i.id and v.version = i.published_version`,
    [keys.map((key) => key.accountId), keys.map((key) => key.itemId)],
  );
}

export interface HistoryRow {
  readonly id: string;
  readonly call: string;
  readonly from_status: string | null;
  readonly to_status: string;
  readonly version: number;
  readonly by_user: string | null;
  readonly note: string | null;
  readonly at: Date;
}

/** What happened to an item, newest first, by keyset; `total` counts all. */
export async function listHistory(
  sql: Sql,
  accountId: string,
  itemId: string,
  page: { limit: number; before: string | undefined },
): Promise<{ rows: HistoryRow[]; total: number }> {
  const rows = await sql.query<HistoryRow>(
    `select id, call, from_status, to_status, version, by_user, note, at from content_history
     where account_id = $1 and item_id = $2 and ($3::uuid is null or id < $3) order by id desc limit $4`,
    [accountId, itemId, page.before ?? null, page.limit + 1],
  );
  const [count] = await sql.query<{ total: number }>(
    'select count(*)::int as total from content_history where account_id = $1 and item_id = $2',
    [accountId, itemId],
  );
  return { rows, total: count?.total ?? 0 };
}
