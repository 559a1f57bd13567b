/** Content items as their lifecycle leaves them, without the steps that lead there. */
import { randomUUID } from 'node:crypto';
import type { Sql } from '../../src/storage/database.ts';

export interface GivenVersion {
  readonly content: object;
  readonly personalization?: readonly object[];
}

export interface GivenItem extends GivenVersion {
  readonly channelType: string;
  /** False: a draft that nobody gets. */
  readonly published?: boolean;
}

/** Makes an item with its first version, published unless it says otherwise; gives its id. */
export async function addItem(sql: Sql, accountId: string, given: GivenItem): Promise<string> {
  const id = randomUUID();
  await sql.query(
    `insert into content_item (id, account_id, name, channel_type, status, tags, is_template, source_type, version,
       newest_version, revision, search, created_at, updated_at)
     values ($1, $2, $3, $4, 'draft', '[]', false, 'internal', 1, 1, 1, '', now(), now())`,
    [id, accountId, `Item ${id}`, given.channelType],
  );
  await addVersion(sql, id, 1, given);
  if (given.published !== false) await publishVersion(sql, id, 1);
  return id;
}

/** Records a version of an item as its newest. */
export async function addVersion(sql: Sql, id: string, version: number, given: GivenVersion): Promise<void> {
  const { content, personalization = null } = given;
  await sql.query(
    `with item as (
       update content_item set version = $2, newest_version = $2 where id = $1 returning account_id, name)
     insert into content_version (item_id, version, account_id, name, content, personalization, created_at)
     select $1, $2, account_id, name, $3::text::json, $4::text::json, now() from item`,
    [id, version, JSON.stringify(content), JSON.stringify(personalization)],
  );
}

/** Moves the pointer to what customers get. */
export async function publishVersion(sql: Sql, id: string, version: number): Promise<void> {
  await sql.query(
    `update content_item set status = 'published', published_version = $2, published_at = now() where id = $1`,
    [id, version],
  );
}

export async function archiveItem(sql: Sql, id: string): Promise<void> {
  await sql.query(`update content_item set status = 'archived', published_version = null where id = $1`, [
    id,
  ]);
}
