/** Versions of content: list, compare, revert; and the history of its states. */
import { differences } from '../../content/difference.ts';
import { Failure } from '../../errors.ts';
import { changeContent } from '../../flows/content/change-content.ts';
import { revertStep } from '../../flows/content/content-steps.ts';
import type { Runtime } from '../../flows/runtime.ts';
import type { JsonObject } from '../../json.ts';
import {
  type ItemRow,
  listHistory,
  listVersions,
  readVersions,
  type VersionRow,
} from '../../storage/content.ts';
import {
  checkedItem,
  historyEntry,
  note,
  seenVersion,
  showHistoryEntry,
  shownVersion,
  showVersion,
} from '../content-schemas.ts';
import { foreignCursor, pageOf, readPage } from '../page.ts';
import { type Route, route } from '../route.ts';
import { objectSchema, pageQuery, pageSchema, text } from '../schemas.ts';
import { findContent, showWithChecks } from './content.ts';

const MOST_VERSIONS = 100;
const VERSION_NUMBER = /^[1-9]\d{0,8}$/;

const versionsLimit: JsonObject = {
  type: 'integer',
  minimum: 1,
  maximum: MOST_VERSIONS,
  default: MOST_VERSIONS,
  description: 'Rows in a page.',
};

const shownDifference = objectSchema({
  pointer: text('Into the version: /content, /blocks or /personalization, or /name.'),
  change: { enum: ['added', 'removed', 'changed'] },
  before: { description: 'In the version that is named first; left out where it was not there.' },
  after: { description: 'In the version that is named second; left out where it is not there.' },
});

/** Routes of versions. */
export function contentVersionRoutes(runtime: Runtime): Route[] {
  const { database } = runtime;
  return [
    route({
      method: 'GET',
      path: '/content/{id}/versions',
      action: 'read',
      tag: 'content',
      summary: `Versions, newest first, ${MOST_VERSIONS} in a page.`,
      query: { ...pageQuery, limit: versionsLimit },
      answers: {
        200: {
          description: 'Versions.',
          schema: pageSchema(shownVersion),
        },
      },
      run: async (request) => {
        const row = await findContent(runtime, request);
        const { limit = MOST_VERSIONS, cursor } = request.query as { limit?: number; cursor?: string };
        if (cursor !== undefined && !VERSION_NUMBER.test(cursor)) throw foreignCursor();
        const before = cursor === undefined ? undefined : Number(cursor);
        const versions = await listVersions(database, row.account_id, row.id, limit + 1, before);
        const rows = versions.map((version) => ({ ...version, id: String(version.version) }));
        // Versions are numbered without holes.
        return { status: 200, body: pageOf(rows, row.newest_version, limit, showVersion) };
      },
    }),
    route({
      method: 'GET',
      path: '/content/{id}/versions/{a}/diff/{b}',
      action: 'read',
      tag: 'content',
      summary: 'What changed from version a to version b, place by place.',
      answers: {
        200: {
          description: 'The places that differ; none where the versions are alike.',
          schema: objectSchema({
            from: { type: 'integer' },
            to: { type: 'integer' },
            changes: { type: 'array', items: shownDifference },
          }),
        },
      },
      run: async (request) => {
        const row = await findContent(runtime, request);
        const [from, to] = [request.params.a, request.params.b].map(versionNumber) as [number, number];
        const rows = await readVersions(database, [
          { itemId: row.id, version: from },
          { itemId: row.id, version: to },
        ]);
        const [before, after] = [from, to].map((version) => versionOf(row, rows, version));
        return { status: 200, body: { from, to, changes: differences(before, after) } };
      },
    }),
    route<{ readonly version?: number; readonly note?: string }>({
      method: 'POST',
      path: '/content/{id}/revert/{version}',
      action: 'content.write',
      tag: 'content',
      summary:
        'Make a new version with the content of an old one, as a draft; what is published goes on serving.',
      optionalBody: true,
      body: objectSchema({ version: seenVersion, note }),
      answers: { 200: { description: 'The draft, with what its checks say.', schema: checkedItem } },
      run: async (request) => {
        const { version: seen, note: given = null } = request.body;
        const version = versionNumber(request.params.version);
        const row = await changeContent(runtime, request, {
          call: 'revert',
          id: request.params.id ?? '',
          seenVersion: seen,
          step: (item) => revertStep(runtime, item, version, given),
        });
        return { status: 200, body: showWithChecks(row) };
      },
    }),
    route({
      method: 'GET',
      path: '/content/{id}/history',
      action: 'read',
      tag: 'content',
      summary: 'What happened to it and who did it, newest first: submissions, approvals, feedback.',
      query: pageQuery,
      answers: { 200: { description: 'A page of the history.', schema: pageSchema(historyEntry) } },
      run: async (request) => {
        const row = await findContent(runtime, request);
        const page = readPage(request.query);
        const { rows, total } = await listHistory(database, row.account_id, row.id, page);
        return { status: 200, body: pageOf(rows, total, page.limit, showHistoryEntry) };
      },
    }),
  ];
}

/** Throws NOT_FOUND for what numbers no version. */
function versionNumber(given: string | undefined): number {
  if (given !== undefined && VERSION_NUMBER.test(given)) return Number(given);
  throw new Failure('NOT_FOUND', `"${given ?? ''}" is no version; versions are numbered from 1.`);
}

function versionOf(item: ItemRow, rows: readonly VersionRow[], version: number) {
  const row = rows.find((each) => each.version === version);
  if (row === undefined) throw new Failure('NOT_FOUND', `"${item.name}" has no version ${version}.`);
  const { name, content, blocks, personalization } = row;
  return { name, content, blocks, personalization };
}
