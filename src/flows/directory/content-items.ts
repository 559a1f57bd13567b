/**
 * Content items as messages and mailings use them. A version never changes, so that what was compiled of it stays; that
 * the item still serves is asked again each second, because what was archived goes out no more.
 */
import { type ItemContent, unresolvedVariables } from '../../content/compile-item.ts';
import type { PersonalizationEntry } from '../../content/entries.ts';
import type { ChannelType } from '../../content/types/contract.ts';
import { asFailure, Failure } from '../../errors.ts';
import { type ContentRow, type PublishedRow, readPublished } from '../../storage/content.ts';
import { readServing, readUsedVersions } from '../../storage/content-use.ts';
import type { Sql } from '../../storage/database.ts';
import type { KnownChannel } from './known-channel.ts';
import { compileItemFor, type ItemRendering } from './render-item.ts';

const COMPILED_KEPT = 2_000;

/** A version of an item as a message names it. */
export interface ContentUse {
  readonly itemId: string;
  readonly version: number;
}

export interface ContentItems {
  /** A version compiled for a channel; the failure of one that cannot be. */
  readonly version: (channel: KnownChannel, use: ContentUse) => Promise<ItemRendering | Failure>;
  /** Whether customers may still get an item. */
  readonly serves: (itemId: string) => Promise<boolean>;
}

/** The variables of an item that have neither a value nor a fallback, as the author wrote them. */
export type UnresolvedVariables = (
  item: { readonly channelType: ChannelType } & Pick<ContentRow, 'content' | 'personalization'>,
) => readonly string[];

type Cached = <T>(key: string, read: () => Promise<T>) => Promise<T>;

/** `cached` remembers what is read for a second. */
export function createContentItems(database: Sql, cached: Cached): ContentItems {
  const compiled = new Map<string, Promise<ItemRendering | Failure>>();

  const compile = async (channel: KnownChannel, use: ContentUse): Promise<ItemRendering | Failure> => {
    const [row] = await readUsedVersions(database, [use]);
    if (row === undefined) {
      return new Failure(
        'NOT_FOUND',
        `There is no version ${use.version} of the content item ${use.itemId} any more.`,
      );
    }
    try {
      return compileItemFor(channel.document, itemContentOf(row));
    } catch (thrown) {
      return asFailure(thrown);
    }
  };

  return Object.freeze<ContentItems>({
    version: (channel, use) => {
      const key = `${use.itemId}/${use.version}/${channel.versionId}`;
      const known = compiled.get(key);
      if (known !== undefined) return known;
      const made = compile(channel, use);
      if (compiled.size >= COMPILED_KEPT) compiled.delete(compiled.keys().next().value as string);
      compiled.set(key, made);
      made.catch(() => compiled.delete(key));
      return made;
    },
    serves: (itemId) =>
      cached(`content/${itemId}`, async () => (await readServing(database, [itemId])).has(itemId)),
  });
}

/** What of a row is rendered. */
export function itemContentOf(
  row: Pick<PublishedRow, 'channel_type' | 'content' | 'personalization'>,
): ItemContent {
  return {
    channelType: row.channel_type as ChannelType,
    content: row.content,
    personalization: row.personalization as readonly PersonalizationEntry[] | null,
  };
}

/** The variables that keep an item from being published, as the author wrote them. */
export const unresolvedNames: UnresolvedVariables = ({ channelType, content, personalization }) =>
  unresolvedVariables(itemContentOf({ channel_type: channelType, content, personalization })).map(
    ({ variable }) => variable,
  );

/** What messages of an account find published just now, by item. */
export async function findPublished(
  database: Sql,
  asked: readonly { readonly accountId: string; readonly itemId: string }[],
): Promise<ReadonlyMap<string, PublishedRow>> {
  if (asked.length === 0) return NONE;
  const rows = await readPublished(database, asked);
  return new Map(rows.map((row) => [publishedKey(row.account_id, row.item_id), row]));
}

const NONE: ReadonlyMap<string, PublishedRow> = new Map();

/** The name of an item among those of `findPublished`. */
export function publishedKey(accountId: string, itemId: string): string {
  return `${accountId}/${itemId.toLowerCase()}`;
}

/** The failure of content that nobody may get. */
export function notPublished(itemId: string): Failure {
  const message = `The content item ${itemId} has no published version: there is no such item, it is archived, or it was never published. Only a published version is delivered; publish it first.`;
  return new Failure('CONTENT_NOT_PUBLISHED', message, {
    problems: [{ pointer: '/contentItemId', message }],
  });
}

/** Gives a failure of content its place in the request that names the item. */
export function inContentItem(thrown: unknown): unknown {
  if (!(thrown instanceof Failure)) return thrown;
  const { code, message } = thrown;
  return new Failure(code, message, { problems: [{ pointer: '/contentItemId', message }], cause: thrown });
}
