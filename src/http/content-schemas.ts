/** JSON Schemas of the content library, and how its rows are shown. */

import { STATUSES } from '../content/lifecycle.ts';
import { PROVIDERS } from '../content/sources/contract.ts';
import { CHANNEL_TYPES, type ContentFinding } from '../content/types/contract.ts';
import type { JsonObject } from '../json.ts';
import type { HistoryRow, ItemRow, VersionRow } from '../storage/content.ts';
import { anyObject, objectSchema, text, time, uuid } from './schemas.ts';

/** What an item may come from. */
export const SOURCE_TYPES = ['internal', ...PROVIDERS] as const;

const orNull = (schema: JsonObject): JsonObject => ({ ...schema, type: [schema.type as string, 'null'] });
const count = { type: 'integer', minimum: 1 };

export const contentName = text('Unique in the account.', { minLength: 1, maxLength: 255, pattern: '\\S' });
export const contentStatus: JsonObject = { enum: [...STATUSES] };
export const channelType: JsonObject = { enum: [...CHANNEL_TYPES] };
export const tag = text('For finding it again.', { minLength: 1, maxLength: 50, pattern: '\\S' });

const personalization: JsonObject = {
  type: ['array', 'null'],
  maxItems: 500,
  description: 'Where variables come from and what stands in for them where they are missing.',
  items: objectSchema(
    {
      variable: text('As it stands in the text, for example `customer.first_name`.', {
        minLength: 1,
        maxLength: 255,
      }),
      source: { enum: ['customer', 'offer', 'computed', 'attributes'] },
      formula: text('JSONata over customer, offer and attributes; with the source `computed`.'),
      fallback: { type: ['string', 'number', 'boolean', 'null'], description: 'Instead of a missing value.' },
      required: { type: 'boolean', description: 'Without a value and a fallback the message is refused.' },
      allowEmpty: { type: 'boolean', description: 'Null and empty are values too.' },
    },
    ['variable', 'source'],
  ),
};

/** Members of a request that an edit may change. */
export const editableMembers: JsonObject = {
  name: contentName,
  description: orNull(text('For people.', { maxLength: 1_000 })),
  content: { ...anyObject, description: 'By the type; a change replaces it all.' },
  blocks: { type: ['array', 'null'], description: 'The structure of a visual editor, kept as given.' },
  personalization,
  tags: { type: 'array', items: tag, uniqueItems: true, maxItems: 50 },
  isTemplate: { type: 'boolean', description: 'Others can be made from it.' },
};

export const note = text('For the history.', { maxLength: 2_000 });
export const seenVersion = {
  ...count,
  description: 'The version that you saw; the call is refused (409) where another is current.',
};

const finding = objectSchema({
  severity: { enum: ['error', 'warning', 'info'] },
  code: { type: 'string' },
  pointer: { type: 'string', description: 'Into `content`.' },
  message: { type: 'string' },
  facts: anyObject,
});

export const shownVersion = objectSchema({
  version: count,
  name: { type: 'string' },
  content: anyObject,
  blocks: { type: ['array', 'null'] },
  personalization: { type: ['array', 'null'] },
  changedBy: { ...orNull(uuid), description: 'The user; null: the content source.' },
  changeNote: { type: ['string', 'null'] },
  createdAt: time,
});

export const historyEntry = objectSchema({
  id: uuid,
  call: { type: 'string' },
  from: { type: ['string', 'null'] },
  to: contentStatus,
  version: count,
  by: { ...orNull(uuid), description: 'The user; null: the content source.' },
  note: { type: ['string', 'null'], description: 'Feedback, or whatever was given with the call.' },
  at: time,
});

const itemMembers: JsonObject = {
  id: uuid,
  tenantId: uuid,
  ...editableMembers,
  channelType,
  status: contentStatus,
  parentTemplateId: orNull(uuid),
  sourceType: { enum: [...SOURCE_TYPES] },
  sourceId: orNull(uuid),
  externalId: { type: ['string', 'null'] },
  version: { ...count, description: 'The version that people work on.' },
  publishedVersion: { type: ['integer', 'null'], description: 'The version that customers get.' },
  publishedAt: orNull(time),
  submittedBy: orNull(uuid),
  submittedAt: orNull(time),
  approvedBy: orNull(uuid),
  approvedVersion: { type: ['integer', 'null'] },
  approvedAt: orNull(time),
  conflict: { type: ['string', 'null'], description: 'What has to be settled with the content source.' },
  createdAt: time,
  updatedAt: time,
};

/** An item in lists. */
export const shownItem = objectSchema(itemMembers);
/** An item by itself. */
export const checkedItem = objectSchema({
  ...itemMembers,
  checks: { type: 'array', items: finding, description: 'What there is to say about the content.' },
});
export const itemWithVersions = objectSchema({
  ...itemMembers,
  checks: { type: 'array', items: finding },
  versions: { type: 'array', items: shownVersion, description: 'The 20 newest.' },
});

/** An item as it is shown in lists. */
export function showItem(row: ItemRow) {
  return {
    id: row.id,
    tenantId: row.account_id,
    name: row.name,
    description: row.description,
    channelType: row.channel_type,
    status: row.status,
    content: row.content,
    blocks: row.blocks,
    personalization: row.personalization,
    tags: row.tags,
    isTemplate: row.is_template,
    parentTemplateId: row.parent_template_id,
    sourceType: row.source_type,
    sourceId: row.source_id,
    externalId: row.external_id,
    version: row.version,
    publishedVersion: row.published_version,
    publishedAt: row.published_at,
    submittedBy: row.submitted_by,
    submittedAt: row.submitted_at,
    approvedBy: row.approved_by,
    approvedVersion: row.approved_version,
    approvedAt: row.approved_at,
    conflict: row.conflict,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** An item by itself, with what its checks say. */
export function showChecked(row: ItemRow, checks: readonly ContentFinding[]) {
  return { ...showItem(row), checks };
}

/** A version as it is shown. */
export function showVersion(row: VersionRow) {
  return {
    version: row.version,
    name: row.name,
    content: row.content,
    blocks: row.blocks,
    personalization: row.personalization,
    changedBy: row.changed_by,
    changeNote: row.change_note,
    createdAt: row.created_at,
  };
}

/** A line of the history as it is shown. */
export function showHistoryEntry(row: HistoryRow) {
  return {
    id: row.id,
    call: row.call,
    from: row.from_status,
    to: row.to_status,
    version: row.version,
    by: row.by_user,
    note: row.note,
    at: row.at,
  };
}
