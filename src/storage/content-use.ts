/** Content items as messages use them: the version that was fixed for a message, and whether the item still serves. */
import type { ContentRow } from './content.ts';
import type { Sql } from './database.ts';
import { and, isNotNull } from './drizzle.ts';
import { isAnyOf } from './expressions.ts';
import { contentItem, type contentVersion } from './schema.ts';
import { type Given, type Row, statement } from './statement.ts';

export type UsedVersionRow = ContentRow &
  Pick<Row<typeof contentVersion>, 'item_id' | 'name' | 'version'> &
  Pick<Row<typeof contentItem>, 'account_id' | 'channel_type'>;

/** Returns versions of any items, whatever their account: for the corridor, whose rows name them. */
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

const selectServing = statement((db, given: Given<{ ids: readonly string[] }>) =>
  db
    .select({ id: contentItem.id })
    .from(contentItem)
    .where(and(isAnyOf(contentItem.id, given.ids), isNotNull(contentItem.published_version))),
);

/** Returns those of the items that have a published version. */
export async function readServing(sql: Sql, itemIds: readonly string[]): Promise<ReadonlySet<string>> {
  return new Set((await selectServing(sql, { ids: itemIds })).map((row) => row.id));
}
