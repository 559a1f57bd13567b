/** Channels: list, read, create, change, delete, and set whether they send. */

import type { ChannelDocument } from '../../channel/document.ts';
import { parseSource } from '../../channel/source-text.ts';
import { writtenForm } from '../../channel/written-form.ts';
import { Failure } from '../../errors.ts';
import type { Directory } from '../../flows/directory/directory.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { findingProblems } from '../../flows/setup/examine-channel.ts';
import { createChannelWriter, type SavedChannel } from '../../flows/setup/save-channel.ts';
import { type ChannelRow, listChannels } from '../../storage/channels.ts';
import { type Route, route } from '../route.ts';
import { anyObject, objectSchema, pageQuery, pageSchema, sid, text, time } from '../schemas.ts';
import { visibleChannel } from '../visible-channel.ts';

/** How findings name the document that a request brings. */
export const REQUEST_FILE = '(request)';

const STATUSES = ['draft', 'active', 'paused', 'archived'] as const;
/** Characters of a document, and a little more for what stands around it. */
const MAX_BYTES = 9 * 1024 * 1024;

/** The body of calls that take a channel document. */
export const channelBody = {
  ...anyObject,
  description:
    'A channel document (docs/schemas/channel.schema.json), its pipelines inline, or named "<channel sid>/<pipeline>" as those of another channel.',
};

/** A finding of the check. */
export const shownFinding = objectSchema({
  severity: { enum: ['error', 'warning'] },
  code: text('Stable; docs/reference/findings.md lists them all.'),
  pointer: text('Into the document, RFC 6901.'),
  message: text('What is wrong and what would be right.'),
  line: { type: 'integer' },
  column: { type: 'integer' },
  file: text('Set where it is in a named pipeline.'),
  suggestion: text('The name that was probably meant.'),
});

const summary = {
  sid,
  id: { type: 'integer' },
  name: { type: 'string' },
  description: { type: ['string', 'null'] },
  type: { type: 'string' },
  kind: { enum: ['built_in', 'system', 'custom'] },
  communication: { enum: ['direct', 'indirect'] },
  status: { enum: [...STATUSES] },
  version: { type: 'integer' },
  shared: { type: 'boolean', description: 'All accounts have it.' },
  createdAt: time,
  updatedAt: time,
} as const;

const kept = objectSchema({
  sid,
  id: { type: 'integer' },
  version: { type: 'integer' },
  name: { type: 'string' },
  status: { enum: [...STATUSES] },
  changed: { type: 'boolean', description: 'False where this version was there already.' },
  findings: { type: 'array', items: shownFinding, description: 'Warnings.' },
});

/** Routes of channels. `wakeLanes` gets the lanes that have work. */
export function channelRoutes(
  runtime: Runtime,
  directory: Directory,
  wakeLanes: (laneIds: readonly number[]) => void,
): Route[] {
  const writer = createChannelWriter(runtime, directory);
  const show = async (row: ChannelRow) => showRow(row, (await directory.version(row.version_id)).document);

  return [
    route({
      method: 'GET',
      path: '/channels',
      action: 'read',
      tag: 'channels',
      summary: 'All channels: built-in, system and custom ones.',
      query: pageQuery,
      answers: {
        200: { description: 'A page of channels, by id.', schema: pageSchema(objectSchema(summary)) },
      },
      run: async ({ caller, query }) => {
        const limit = typeof query.limit === 'number' ? query.limit : 20;
        const rows = await listChannels(runtime.database, caller.accountId);
        const left = rows.filter((row) => row.id > afterOf(query.cursor));
        const page = left.slice(0, limit);
        const hasMore = left.length > limit;
        const nextCursor = hasMore ? String(page.at(-1)?.id) : null;
        return {
          status: 200,
          body: {
            data: await Promise.all(page.map(show)),
            pagination: { total: rows.length, limit, hasMore, nextCursor },
          },
        };
      },
    }),
    route({
      method: 'POST',
      path: '/channels',
      action: 'channels.write',
      tag: 'channels',
      summary: 'Create a channel. Everything that is wrong with it is answered at once.',
      body: channelBody,
      maxBytes: MAX_BYTES,
      answers: { 201: { description: 'The channel is active.', schema: kept } },
      run: async ({ caller, ids, text: written }) => {
        const made = await writer.create({ caller, ids }, parseSource(REQUEST_FILE, written));
        return { status: 201, body: showKept(made, 'active') };
      },
    }),
    route({
      method: 'GET',
      path: '/channels/{sid}',
      action: 'read',
      tag: 'channels',
      summary: 'One channel with its document, as it could be put back.',
      answers: {
        200: { description: 'The channel.', schema: objectSchema({ ...summary, document: anyObject }) },
      },
      run: async ({ caller, params }) => {
        const { row, channel } = await visibleChannel(directory, caller.accountId, params.sid ?? '');
        return {
          status: 200,
          body: { ...showRow(row, channel.document), document: writtenForm(channel.document) },
        };
      },
    }),
    route({
      method: 'PUT',
      path: '/channels/{sid}',
      action: 'channels.write',
      tag: 'channels',
      summary: 'Change a channel: a new version, for what is sent from now on.',
      body: channelBody,
      maxBytes: MAX_BYTES,
      answers: { 200: { description: 'The newest version.', schema: kept } },
      run: async ({ caller, ids, params, text: written }) => {
        const source = parseSource(REQUEST_FILE, written);
        const made = await writer.change({ caller, ids }, params.sid ?? '', source);
        const { row } = await visibleChannel(directory, caller.accountId, made.document.sid);
        return { status: 200, body: showKept(made, row.status) };
      },
    }),
    route({
      method: 'DELETE',
      path: '/channels/{sid}',
      action: 'channels.write',
      tag: 'channels',
      summary:
        'Delete a channel in which nothing waits. What was sent keeps its history; the sid is never free again.',
      answers: { 204: { description: 'Deleted.' } },
      run: async ({ caller, ids, params }) => {
        await writer.remove({ caller, ids }, params.sid ?? '');
        return { status: 204 };
      },
    }),
    route<{ status: ChannelRow['status'] }>({
      method: 'PUT',
      path: '/channels/{sid}/status',
      action: 'channels.write',
      tag: 'channels',
      summary: 'active sends; paused accepts and holds what it accepted; draft and archived accept nothing.',
      body: objectSchema({ status: { enum: [...STATUSES] } }, ['status']),
      answers: { 200: { description: 'The channel.', schema: objectSchema(summary) } },
      run: async ({ caller, ids, params, body }) => {
        await writer.setStatus({ caller, ids }, params.sid ?? '', body.status);
        wakeLanes([]);
        const { row, channel } = await visibleChannel(directory, caller.accountId, params.sid ?? '');
        return { status: 200, body: showRow(row, channel.document) };
      },
    }),
  ];
}

function afterOf(cursor: unknown): number {
  if (cursor === undefined) return 0;
  if (typeof cursor === 'string' && /^\d{1,10}$/.test(cursor)) return Number(cursor);
  throw new Failure('REQUEST_INVALID', 'The cursor is not one that this list gave out.', {
    problems: [{ pointer: '/query/cursor', message: 'Use nextCursor of the page before, unchanged.' }],
  });
}

function showRow(row: ChannelRow, document: ChannelDocument) {
  return {
    sid: row.sid,
    id: row.id,
    name: document.name,
    description: document.description ?? null,
    type: document.type,
    kind: row.kind,
    communication: document.communication,
    status: row.status,
    version: row.version,
    shared: row.account_id === null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function showKept({ document, version, changed, findings }: SavedChannel, status: ChannelRow['status']) {
  const { sid, id, name } = document;
  return { sid, id, version, name, status, changed, findings: findingProblems(findings, REQUEST_FILE) };
}
