/** What each call does to an item: the steps of `changeContent`. */
import type { ChannelType, Content } from '../../content/types/contract.ts';
import { Failure } from '../../errors.ts';
import { type ContentRow, type ItemRow, readVersions } from '../../storage/content.ts';
import type { ItemValues } from '../../storage/content-writes.ts';
import type { UnresolvedVariables } from '../directory/content-items.ts';
import type { Runtime } from '../runtime.ts';
import type { ContentStep } from './change-content.ts';
import { assertValidContent, invalidContent, newVersion, termsOfItem, UNREVIEWED } from './item.ts';

/** What an edit may change; what is left out stays. */
export interface ContentEdit {
  readonly name?: string;
  readonly description?: string | null;
  readonly content?: Content;
  readonly blocks?: readonly unknown[] | null;
  readonly personalization?: readonly unknown[] | null;
  readonly tags?: readonly string[];
  readonly isTemplate?: boolean;
  readonly changeNote?: string | null;
}

/** A new version with what was given; a review or an approval of the old one is void. */
export function editStep(item: ItemRow, edit: ContentEdit): ContentStep {
  const row = {
    content: edit.content ?? item.content,
    blocks: edit.blocks === undefined ? item.blocks : edit.blocks,
    personalization: edit.personalization === undefined ? item.personalization : edit.personalization,
  };
  assertValidContent(item.channel_type as ChannelType, row, '/content');
  const after = {
    ...item,
    name: edit.name ?? item.name,
    description: edit.description === undefined ? item.description : edit.description,
    tags: edit.tags ?? item.tags,
    is_template: edit.isTemplate ?? item.is_template,
  };
  return {
    ...nextVersion(item, row, edit.changeNote ?? null, {
      name: after.name,
      description: after.description,
      tags: { json: JSON.stringify(after.tags) },
      is_template: after.is_template,
      conflict: null,
    }),
    terms: termsOfItem(after, row.content),
  };
}

/** A new version with the content of an old one. Throws NOT_FOUND. */
export async function revertStep(
  runtime: Runtime,
  item: ItemRow,
  version: number,
  note: string | null,
): Promise<ContentStep> {
  const [row] = await readVersions(runtime.database, [{ itemId: item.id, version }]);
  if (row === undefined) throw new Failure('NOT_FOUND', `"${item.name}" has no version ${version}.`);
  const change = note ?? `Reverted to version ${version}`;
  return {
    ...nextVersion(item, row, change, { conflict: null }),
    terms: termsOfItem(item, row.content),
    note: change,
  };
}

/** Locks the version for review. */
export function submitStep(item: ItemRow, userId: string, nowMs: number, note: string | null): ContentStep {
  return {
    values: {
      ...UNREVIEWED,
      submitted_by: userId,
      submitted_version: item.version,
      submitted_at: new Date(nowMs),
    },
    note,
  };
}

/** SmppBinds the approval to the version that was reviewed. */
export function approveStep(item: ItemRow, userId: string, nowMs: number, note: string | null): ContentStep {
  return {
    values: { approved_by: userId, approved_version: item.version, approved_at: new Date(nowMs) },
    note,
  };
}

/** Gives it back to its author. */
export function rejectStep(feedback: string): ContentStep {
  return { values: UNREVIEWED, note: feedback };
}

/** Records what is published as a version, checked once more. Throws REQUEST_INVALID. */
export function publishStep(
  item: ItemRow,
  nowMs: number,
  note: string | null,
  unresolvedVariables: UnresolvedVariables,
): ContentStep {
  const channelType = item.channel_type as ChannelType;
  assertValidContent(channelType, item, '/content');
  const { content, personalization } = item;
  const unresolved = unresolvedVariables({ channelType, content, personalization });
  if (unresolved.length > 0) {
    throw invalidContent(
      unresolved.map((variable) => ({
        pointer: '/personalization',
        message: `{{ ${variable} }} has neither a value nor a fallback; add it to "personalization" with a fallback, or take it out of the text.`,
      })),
    );
  }
  const version = item.newest_version + 1;
  return {
    values: {
      version,
      newest_version: version,
      published_version: version,
      published_at: new Date(nowMs),
    },
    version: newVersion(version, item, note ?? `Published; approved as version ${item.approved_version}`),
    note,
  };
}

/** Takes it from customers; versions and history stay. */
export function archiveStep(): ContentStep {
  return { values: { ...UNREVIEWED, published_version: null } };
}

function nextVersion(item: ItemRow, row: ContentRow, note: string | null, values: ItemValues): ContentStep {
  const version = item.newest_version + 1;
  return {
    values: { ...UNREVIEWED, version, newest_version: version, ...values },
    version: newVersion(version, row, note),
    note,
  };
}
