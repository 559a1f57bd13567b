/** Content items between the rules and the database: what is checked, recorded, found and audited of one. */
import { checkContent } from '../../content/check.ts';
import { type PersonalizationEntry, readEntries } from '../../content/entries.ts';
import type { ContentStatus, LivingItem } from '../../content/lifecycle.ts';
import type { ChannelType, Content, ContentFinding } from '../../content/types/contract.ts';
import { searchableTexts, wordsOf } from '../../content/words.ts';
import { Failure, type Problem } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import type { ContentRow, ItemRow } from '../../storage/content.ts';
import type { ContentTerms } from '../../storage/content-terms.ts';
import type { NewVersion } from '../../storage/content-writes.ts';

/** Who writes, and the ids of what the write makes. */
export interface ContentAuthor {
  readonly caller: { readonly accountId: string; readonly tokenId: string; readonly userId: string };
  readonly ids: Ids;
}

/** Content, blocks and personalization together, in characters of JSON. */
const MOST_CHARACTERS = 1_000_000;

/** What the checks say of content that may be kept. Throws REQUEST_INVALID with every error, below `pointer`. */
export function assertValidContent(
  channelType: ChannelType,
  row: ContentRow,
  pointer: string,
): readonly ContentFinding[] {
  const size = JSON.stringify([row.content, row.blocks, row.personalization]).length;
  if (size > MOST_CHARACTERS) {
    throw invalidContent([
      {
        pointer,
        message: `The content has ${size} characters of JSON; at most ${MOST_CHARACTERS} are kept.`,
      },
    ]);
  }
  const findings = checkContent(channelType, row.content, 'saved');
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    throw invalidContent(
      errors.map((error) => ({ pointer: `${pointer}${error.pointer}`, message: error.message })),
    );
  }
  // Entries are read as they would be to render, so that a formula that cannot work is found when it is written.
  readEntries(row.personalization as readonly PersonalizationEntry[] | null);
  return findings;
}

/** Content that cannot be kept or published, with every reason. */
export function invalidContent(problems: readonly Problem[]): Failure {
  const [first] = problems;
  return new Failure('REQUEST_INVALID', `The content breaks a rule at ${first?.pointer}: ${first?.message}`, {
    problems,
  });
}

/** The name that somebody else's item has already. */
export function nameTaken(name: string): Failure {
  const message = `There is already content with the name "${name}". Choose another name, or change that item.`;
  return new Failure('CONFLICT', message, { problems: [{ pointer: '/name', message }] });
}

/** An item as the rules see it. */
export function livingItem(row: ItemRow): LivingItem {
  return { name: row.name, status: row.status as ContentStatus, submittedBy: row.submitted_by };
}

/** A version as it is recorded. */
export function newVersion(version: number, row: ContentRow, note: string | null): NewVersion {
  return {
    version,
    content: JSON.stringify(row.content),
    blocks: row.blocks === null ? null : JSON.stringify(row.blocks),
    personalization: row.personalization === null ? null : JSON.stringify(row.personalization),
    note,
  };
}

type Found = Pick<
  ItemRow,
  'account_id' | 'channel_type' | 'is_template' | 'source_type' | 'tags' | 'name' | 'description'
>;

/** What an item is found by: its name, its description and all texts of its content. */
export function termsOfItem(item: Found, content: Content): ContentTerms {
  return {
    accountId: item.account_id,
    channelType: item.channel_type,
    isTemplate: item.is_template,
    sourceType: item.source_type,
    tags: item.tags,
    nameWords: wordsOf([item.name]),
    words: wordsOf([item.description ?? '', ...searchableTexts(content)]),
  };
}

/** What an edit makes void: a review or an approval of what is no longer there. */
export const UNREVIEWED = Object.freeze({
  submitted_by: null,
  submitted_version: null,
  submitted_at: null,
  approved_by: null,
  approved_version: null,
  approved_at: null,
});

/** An item as the audit keeps it; its content stands in its versions. */
export function auditedItem(row: ItemRow): object {
  return {
    name: row.name,
    description: row.description,
    channelType: row.channel_type,
    status: row.status,
    tags: row.tags,
    isTemplate: row.is_template,
    sourceType: row.source_type,
    version: row.version,
    publishedVersion: row.published_version,
  };
}
