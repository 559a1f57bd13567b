/** Content items as messages use them: the version that was fixed for a message, and whether the item still serves. */
import type { ContentRow } from './content.ts';
import type { Sql } from './database.ts';

export interface UsedVersionRow extends ContentRow {
  readonly item_id: string;
  readonly account_id: string;
  readonly name: string;
  readonly channel_type: string;
  readonly version: number;
}

/** Versions of any items, whatever their account: for the corridor, whose rows name them. */
export function readUsedVersions(
  sql: Sql,
  keys: readonly { readonly itemId: string; readonly version: number }[],
): Promise<UsedVersionRow[]> {
  return sql.query<UsedVersionRow>(
    `select v.item_id, i.account_id, v.name, i.channel_type, v.version, v.content, v.blocks, v.personalization
     from unnest($1::uuid[], $2::int[]) as asked (item, number)
     join content_version v on v.item_id = asked.item and v.version = asked.number
     join content_item i on i.id = v.item_id`,
    [keys.map((key) => key.itemId), keys.map((key) => key.version)],
  );
}

/** Those of the items that have a published version. */
export async function readServing(sql: Sql, itemIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await sql.query<{ id: string }>(
    'select id from content_item where id = any($1::uuid[]) and published_version is not null',
    [itemIds],
  );
  return new Set(rows.map((row) => row.id));
}
