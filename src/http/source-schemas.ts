/** JSON Schemas of content sources, and how their rows are shown. */
import { SOURCE_ADAPTERS } from '../content/sources/catalog.ts';
import { PROVIDERS } from '../content/sources/contract.ts';
import { showSettings } from '../flows/sources/source-settings.ts';
import { isObject, type JsonObject, own } from '../json.ts';
import type { SourceRow } from '../storage/content-sources.ts';
import type { EntryRow } from '../storage/source-entries.ts';
import { channelType } from './content-schemas.ts';
import { anyObject, objectSchema, text, time, uuid } from './schemas.ts';

const timeOrNull: JsonObject = { ...time, type: ['string', 'null'] };
const textOrNull: JsonObject = { type: ['string', 'null'] };
const count: JsonObject = { type: 'integer' };

export const provider: JsonObject = { enum: [...PROVIDERS] };

/** Members of a request that a change may set. */
export const sourceMembers: JsonObject = {
  name: text('Unique in the account.', { minLength: 1, maxLength: 255, pattern: '\\S' }),
  config: { ...anyObject, description: configDescription() },
  webhookSecret: {
    description: 'What webhooks are signed with. Write-only: left out it stays, null clears it.',
    anyOf: [
      text('At least 16 characters.', { minLength: 16, maxLength: 1_024 }),
      { type: 'null' },
      {
        type: 'object',
        properties: { set: { const: true }, setAt: textOrNull },
        required: ['set'],
        additionalProperties: false,
      },
    ],
  },
  syncMode: { enum: ['webhook', 'polling', 'poll'], description: '`poll` is taken for `polling`.' },
  syncIntervalMinutes: {
    type: ['integer', 'null'],
    minimum: 1,
    maximum: 1_440,
    description: 'Between the beginnings of two polls; 60 where it is left out.',
  },
  autoPublish: { type: 'boolean', description: 'What comes goes straight to customers, without review.' },
  mappings: {
    type: 'object',
    minProperties: 1,
    maxProperties: 100,
    description:
      'Path in the entry → path in the item (`name`, `description`, `tags`, `blocks`, `content.<key>`), or a list of such paths.',
    additionalProperties: {
      anyOf: [
        { type: 'string', minLength: 1, maxLength: 255 },
        { type: 'array', minItems: 1, maxItems: 20, items: { type: 'string', minLength: 1, maxLength: 255 } },
      ],
    },
  },
  channelType,
  status: { enum: ['active', 'paused'] },
};

const counted: JsonObject = {
  startedAt: time,
  endedAt: time,
  full: { type: 'boolean', description: 'Everything was asked for, not only what was changed.' },
  pages: count,
  created: count,
  updated: count,
  unchanged: count,
  conflicts: count,
  withdrawn: count,
  problems: count,
};
const runOrNull = (description: string): JsonObject => ({
  ...objectSchema(counted),
  type: ['object', 'null'],
  description,
});

export const shownSource = objectSchema({
  id: uuid,
  tenantId: uuid,
  ...sourceMembers,
  config: { ...anyObject, description: 'Of secrets only { set, setAt }.' },
  webhookSecret: {
    type: ['object', 'null'],
    description: '{ set, setAt }, or null.',
    additionalProperties: true,
  },
  provider,
  failures: { ...count, description: 'In a row; the tenth pauses the source.' },
  lastError: { ...textOrNull, description: 'What failed last, until a sync succeeds.' },
  lastSyncAt: timeOrNull,
  lastSync: runOrNull('How the last sync went.'),
  sync: runOrNull('How far the sync is that is under way.'),
  blockedUntil: { ...timeOrNull, description: 'The CMS asked for a pause until then.' },
  createdAt: time,
  updatedAt: time,
});

export const shownEntry = objectSchema({
  id: uuid,
  externalId: text('Of the entry; `#2/3` is the third entry of the second page, which has none.'),
  kept: { type: 'boolean', description: 'It is an item, and the problem says what it lacks.' },
  problem: { type: 'string' },
  seenAt: time,
});

export const triedSource = objectSchema({
  ok: { type: 'boolean' },
  message: { type: 'string' },
  code: textOrNull,
  total: { type: ['integer', 'null'] },
  entries: {
    type: 'array',
    items: objectSchema({
      externalId: textOrNull,
      name: { type: 'string' },
      content: anyObject,
      problems: { type: 'array', items: { type: 'string' } },
    }),
  },
});

/** A source as it is shown. */
export function showSource(row: SourceRow) {
  return {
    id: row.id,
    tenantId: row.account_id,
    name: row.name,
    provider: row.provider,
    ...showSettings(row),
    syncMode: row.sync_mode,
    syncIntervalMinutes: row.sync_interval_minutes,
    autoPublish: row.auto_publish,
    mappings: row.mappings,
    channelType: row.channel_type,
    status: row.status,
    failures: row.failures,
    lastError: row.last_error,
    lastSyncAt: row.last_sync_at,
    lastSync: row.last_sync,
    sync: row.sync,
    blockedUntil: row.blocked_until,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** An entry with a problem as it is shown. */
export function showEntry(row: EntryRow) {
  const { id, external_id: externalId, kept, problem, seen_at: seenAt } = row;
  return { id, externalId, kept, problem, seenAt };
}

function configDescription(): string {
  const providers = PROVIDERS.map((name) => {
    const { title, config } = SOURCE_ADAPTERS[name];
    const properties = own(config, 'properties');
    const required = own(config, 'required');
    const members = Object.keys(isObject(properties) ? properties : {}).map((member) =>
      Array.isArray(required) && required.includes(member) ? `\`${member}\` (required)` : `\`${member}\``,
    );
    return `${title}: ${members.join(', ')}.`;
  });
  return `How to reach the CMS; a change replaces it all but secrets that are left out, and null clears one. ${providers.join(' ')}`;
}
