/** Content sources: the CMS that content comes from, its syncs, and the webhooks that it sends. */
import { SOURCE_ADAPTERS } from '../../content/sources/catalog.ts';
import { PROVIDERS } from '../../content/sources/contract.ts';
import { Failure } from '../../errors.ts';
import type { Lanes } from '../../flows/lanes/lanes.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { acceptWebhook } from '../../flows/sources/accept-webhook.ts';
import type { Send } from '../../flows/sources/ask-source.ts';
import { createSourceWriter, type NewSource, type SourceEdit } from '../../flows/sources/save-source.ts';
import { testSource } from '../../flows/sources/test-source.ts';
import { isUuid } from '../../ids.ts';
import { listSources, readSource, type SourceRow } from '../../storage/content-sources.ts';
import { listProblems } from '../../storage/source-entries.ts';
import { refuseChange } from '../check-request.ts';
import { pageOf, readPage } from '../page.ts';
import { readCapped } from '../read-capped.ts';
import { type ApiRequest, openRoute, type Route, route } from '../route.ts';
import { objectSchema, pageQuery, pageSchema } from '../schemas.ts';
import {
  provider,
  showEntry,
  shownEntry,
  shownSource,
  showSource,
  sourceMembers,
  triedSource,
} from '../source-schemas.ts';

/** Of a webhook: only an id is read of it. */
const WEBHOOK_BYTES = 4 * 1024 * 1024;
const tag = 'content sources';
const base = '/content-sources';

/** Routes of content sources; `send` asks a CMS, `wakeLanes` gets the lanes that have work. */
export function contentSourceRoutes(
  runtime: Runtime,
  lanes: Lanes,
  send: Send,
  wakeLanes: (laneIds: readonly number[]) => void,
): Route[] {
  const { database } = runtime;
  const writer = createSourceWriter(runtime, lanes, wakeLanes);
  const find = async ({ caller, params }: Pick<ApiRequest, 'caller' | 'params'>): Promise<SourceRow> => {
    const id = params.id ?? '';
    const row = isUuid(id) ? await readSource(database, id) : undefined;
    if (row?.account_id !== caller.accountId) {
      throw new Failure('NOT_FOUND', 'There is no content source with this id.');
    }
    return row;
  };
  const answer = (status: number, description = 'The source; of secrets only that they are set.') => ({
    [status]: { description, schema: shownSource },
  });
  const action = 'sources.write';

  return [
    route<NewSource>({
      method: 'POST',
      path: base,
      action,
      tag,
      summary: 'Create a content source. One that polls begins at once.',
      body: objectSchema({ ...sourceMembers, provider }, [
        'name',
        'provider',
        'config',
        'mappings',
        'channelType',
      ]),
      answers: answer(201),
      run: async (request) => {
        return { status: 201, body: showSource(await writer.create(request, request.body)) };
      },
    }),
    route({
      method: 'GET',
      path: base,
      action: 'read',
      tag,
      summary: 'Content sources, newest first.',
      query: pageQuery,
      answers: { 200: { description: 'A page of sources.', schema: pageSchema(shownSource) } },
      run: async ({ caller, query }) => {
        const page = readPage(query);
        const { rows, total } = await listSources(database, caller.accountId, page);
        return { status: 200, body: pageOf(rows, total, page.limit, showSource) };
      },
    }),
    route({
      method: 'GET',
      path: `${base}/{id}`,
      action: 'read',
      tag,
      summary: 'One content source, with how its last sync went.',
      answers: answer(200),
      run: async (request) => ({ status: 200, body: showSource(await find(request)) }),
    }),
    route<SourceEdit & { readonly provider?: string }>({
      method: 'PUT',
      path: `${base}/{id}`,
      action,
      tag,
      summary:
        'Change a content source; members that are left out stay as they are. Failures are forgotten, and the next sync asks for everything.',
      body: {
        ...objectSchema({ ...sourceMembers, provider: { ...provider, description: 'Never changes.' } }),
        minProperties: 1,
      },
      answers: answer(200),
      run: async (request) => {
        const { provider: given, ...edit } = request.body;
        const row = await find(request);
        refuseChange('provider', given, row.provider);
        return { status: 200, body: showSource(await writer.change(request, row.id, edit)) };
      },
    }),
    route({
      method: 'DELETE',
      path: `${base}/{id}`,
      action,
      tag,
      summary: 'Delete a content source. The content that came from it stays as it is.',
      answers: { 204: { description: 'It is gone.' } },
      run: async (request) => {
        await writer.remove(request, (await find(request)).id);
        return { status: 204 };
      },
    }),
    route({
      method: 'POST',
      path: `${base}/{id}/sync`,
      action,
      tag,
      summary:
        'Sync now, everything; a sync that is under way goes on instead, unless it waits after a failure.',
      answers: answer(202, 'The source; `sync` shows how far it is, and `lastSync` how it went.'),
      run: async (request) => {
        const row = await writer.sync(request, (await find(request)).id);
        return { status: 202, body: showSource(row) };
      },
    }),
    route({
      method: 'POST',
      path: `${base}/{id}/test`,
      action,
      tag,
      summary: 'Try the connection: ask for the first page and say what it would become. Nothing is changed.',
      answers: { 200: { description: 'What was found, or what went wrong.', schema: triedSource } },
      run: async (request) => ({ status: 200, body: await testSource(runtime, send, await find(request)) }),
    }),
    route({
      method: 'GET',
      path: `${base}/{id}/problems`,
      action: 'read',
      tag,
      summary: 'Entries that were not kept, not published, or that lack something, newest first.',
      query: pageQuery,
      answers: { 200: { description: 'A page of entries.', schema: pageSchema(shownEntry) } },
      run: async (request) => {
        const row = await find(request);
        const page = readPage(request.query);
        const { rows, total } = await listProblems(database, row.id, page);
        return { status: 200, body: pageOf(rows, total, page.limit, showEntry) };
      },
    }),
    openRoute({
      method: 'POST',
      path: '/cms/webhook/{sourceId}',
      tag,
      summary: `Where a CMS says what has changed (${PROVIDERS.map((each) => SOURCE_ADAPTERS[each].title).join(', ')}). Signed with the header X-Webhook-Signature: sha256=<hex HMAC-SHA256 of the body>. The entry itself is fetched from the CMS.`,
      stream: ['application/json', 'application/vnd.contentful.management.v1+json'],
      anyQuery: true,
      answers: { 202: { description: 'The entry will be fetched.' } },
      run: async ({ params, raw }) => {
        await acceptWebhook(runtime, lanes, wakeLanes, {
          sourceId: params.sourceId ?? '',
          signature: raw.headers.get('x-webhook-signature'),
          body: await readCapped(raw, WEBHOOK_BYTES),
        });
        return { status: 202 };
      },
    }),
  ];
}
