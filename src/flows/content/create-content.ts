/** Creates content: from what was given, or from a template. */
import { CONTENT_TYPES } from '../../content/types/catalog.ts';
import type { ChannelType, Content } from '../../content/types/contract.ts';
import { Failure } from '../../errors.ts';
import { isUuid } from '../../ids.ts';
import { writeAudit } from '../../storage/audit.ts';
import { type ContentRow, type ItemRow, readItem, readVersions } from '../../storage/content.ts';
import { insertItem } from '../../storage/content-writes.ts';
import { refused } from '../directory/find-channel.ts';
import type { Runtime } from '../runtime.ts';
import {
  assertValidContent,
  auditedItem,
  type ContentAuthor,
  nameTaken,
  newVersion,
  termsOfItem,
} from './item.ts';

export interface NewContent {
  readonly name: string;
  readonly description?: string | null;
  /** May be left out with a template, whose type it has. */
  readonly channelType?: ChannelType;
  /** May be left out with a template, as may the next two. */
  readonly content?: Content;
  readonly blocks?: readonly unknown[] | null;
  readonly personalization?: readonly unknown[] | null;
  readonly tags?: readonly string[];
  readonly isTemplate?: boolean;
  readonly parentTemplateId?: string | null;
}

/** Creates a draft. Throws REQUEST_INVALID, CONFLICT if the name is taken. */
export async function createContent(
  runtime: Runtime,
  by: ContentAuthor,
  given: NewContent,
): Promise<ItemRow> {
  const { database, clock } = runtime;
  const [id, historyId, auditId] = [by.ids.next(), by.ids.next(), by.ids.next()];
  const { accountId, tokenId, userId } = by.caller;
  const parent = await templateOf(runtime, accountId, given);
  const channelType = given.channelType ?? (parent?.item.channel_type as ChannelType | undefined);
  const content = given.content ?? parent?.row.content;
  if (channelType === undefined) {
    throw refused('/channelType', `Say what it is: one of ${Object.keys(CONTENT_TYPES).join(', ')}.`);
  }
  if (content === undefined)
    throw refused('/content', `"content" is required: ${CONTENT_TYPES[channelType].summary}`);
  const row: ContentRow = {
    content,
    blocks: given.blocks === undefined ? (parent?.row.blocks ?? null) : given.blocks,
    personalization:
      given.personalization === undefined ? (parent?.row.personalization ?? null) : given.personalization,
  };
  assertValidContent(channelType, row, '/content');
  const item = {
    account_id: accountId,
    name: given.name,
    description: given.description ?? null,
    channel_type: channelType,
    tags: given.tags ?? [],
    is_template: given.isTemplate ?? false,
    source_type: 'internal',
  };
  const nowMs = clock.now();
  await database.transaction(async (tx) => {
    const made = await insertItem(
      tx,
      { id, account_id: accountId },
      {
        transition: { historyId, call: 'create', to: 'draft', userId, note: null, nowMs },
        values: {
          ...item,
          tags: { json: JSON.stringify(item.tags) },
          parent_template_id: given.parentTemplateId ?? null,
          version: 1,
          newest_version: 1,
        },
        version: newVersion(1, row, 'Initial version'),
        terms: termsOfItem(item, content),
      },
    );
    const kept = await readItem(tx, accountId, id);
    // Made before under this very id: a repeat, whose answer was lost.
    if (kept === undefined) throw nameTaken(given.name);
    if (!made) return;
    await writeAudit(tx, {
      id: auditId,
      accountId,
      tokenId,
      userId,
      action: 'content.create',
      subject: `content/${id}`,
      after: auditedItem(kept.item),
      nowMs,
    });
  });
  const kept = await readItem(database, accountId, id);
  if (kept === undefined) throw new Failure('BUG', 'Content was made and is not there.');
  return kept.item;
}

/** The template, with what customers would get of it, or where it was never published, what it holds now. */
async function templateOf(runtime: Runtime, accountId: string, given: NewContent) {
  const id = given.parentTemplateId;
  if (id === undefined || id === null) return undefined;
  const found = isUuid(id) ? await readItem(runtime.database, accountId, id) : undefined;
  if (found === undefined || !found.item.is_template || found.item.status === 'archived') {
    throw refused('/parentTemplateId', 'There is no template with this id that could be copied.');
  }
  const { item } = found;
  if (given.channelType !== undefined && given.channelType !== item.channel_type) {
    throw refused(
      '/channelType',
      `The template "${item.name}" is ${item.channel_type}; leave channelType out, or choose another template.`,
    );
  }
  if (item.published_version === null) return { item, row: item satisfies ContentRow };
  const [row] = await readVersions(runtime.database, [{ itemId: id, version: item.published_version }]);
  return { item, row: row ?? item };
}
