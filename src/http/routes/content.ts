/** Content: create, find, read, edit, archive. */
import { checkContent } from '../../content/check.ts';
import { CONTENT_TYPES } from '../../content/types/catalog.ts';
import { CHANNEL_TYPES, type ChannelType } from '../../content/types/contract.ts';
import { askedWords } from '../../content/words.ts';
import { Failure } from '../../errors.ts';
import { changeContent } from '../../flows/content/change-content.ts';
import { archiveStep, type ContentEdit, editStep } from '../../flows/content/content-steps.ts';
import { createContent, type NewContent } from '../../flows/content/create-content.ts';
import type { Runtime } from '../../flows/runtime.ts';
import { isUuid } from '../../ids.ts';
import { type ItemRow, listVersions, readItem } from '../../storage/content.ts';
import { COUNTED, listContent } from '../../storage/content-list.ts';
import type { ContentFilter } from '../../storage/content-terms.ts';
import { refuseChange } from '../check-request.ts';
import {
  channelType,
  checkedItem,
  contentStatus,
  editableMembers,
  itemWithVersions,
  note,
  SOURCE_TYPES,
  seenVersion,
  showChecked,
  showItem,
  shownItem,
  showVersion,
  tag,
} from '../content-schemas.ts';
import { pageOf, readPage } from '../page.ts';
import { type ApiRequest, type Route, route } from '../route.ts';
import { objectSchema, pageQuery, pageSchema, text, uuid } from '../schemas.ts';

const VERSIONS_SHOWN = 20;

interface EditRequest extends ContentEdit {
  readonly channelType?: ChannelType;
  readonly version?: number;
}

const query = {
  q: text(
    'Words; each must begin a word of the name, the description or the content. Words of one or two letters are found whole, or at the beginning of words of the name.',
    { minLength: 1, maxLength: 255 },
  ),
  tag,
  status: contentStatus,
  channelType,
  isTemplate: { type: 'boolean' },
  sourceType: { enum: [...SOURCE_TYPES] },
  ...pageQuery,
};

/** The item of a request, of its account. Throws NOT_FOUND. */
export async function findContent(
  runtime: Runtime,
  { caller, params }: Pick<ApiRequest, 'caller' | 'params'>,
): Promise<ItemRow> {
  const id = params.id ?? '';
  const found = isUuid(id) ? await readItem(runtime.database, caller.accountId, id) : undefined;
  if (found === undefined) throw new Failure('NOT_FOUND', 'There is no content with this id.');
  return found.item;
}

/** An item by itself, with what its checks say. */
export function showWithChecks(row: ItemRow) {
  return showChecked(row, checkContent(row.channel_type as ChannelType, row.content, 'saved'));
}

/** Routes of content. */
export function contentRoutes(runtime: Runtime): Route[] {
  const { database } = runtime;
  return [
    route<NewContent>({
      method: 'POST',
      path: '/content',
      action: 'content.write',
      tag: 'content',
      summary: 'Create content, as a draft; from a template what is left out is copied.',
      body: objectSchema(
        {
          ...editableMembers,
          channelType: { ...channelType, description: typesDescription() },
          parentTemplateId: { ...uuid, type: ['string', 'null'], description: 'The template to copy.' },
        },
        ['name'],
      ),
      answers: { 201: { description: 'The draft, with what its checks say.', schema: checkedItem } },
      run: async (request) => {
        return { status: 201, body: showWithChecks(await createContent(runtime, request, request.body)) };
      },
    }),
    route({
      method: 'GET',
      path: '/content',
      action: 'read',
      tag: 'content',
      summary: `Content, newest first. The total counts at most ${COUNTED}.`,
      query,
      answers: { 200: { description: 'A page of content.', schema: pageSchema(shownItem) } },
      run: async (request) => {
        const page = readPage(request.query);
        const filter = filterOf(request.query);
        const { rows, total } =
          filter === undefined
            ? { rows: [], total: 0 }
            : await listContent(database, request.caller.accountId, filter, page);
        return { status: 200, body: pageOf(rows, total, page.limit, showItem) };
      },
    }),
    route({
      method: 'GET',
      path: '/content/{id}',
      action: 'read',
      tag: 'content',
      summary: 'One item with its newest versions.',
      answers: { 200: { description: 'The item.', schema: itemWithVersions } },
      run: async (request) => {
        const row = await findContent(runtime, request);
        const versions = await listVersions(database, row.account_id, row.id, VERSIONS_SHOWN);
        return { status: 200, body: { ...showWithChecks(row), versions: versions.map(showVersion) } };
      },
    }),
    route<EditRequest>({
      method: 'PUT',
      path: '/content/{id}',
      action: 'content.write',
      tag: 'content',
      summary:
        'Edit content: a new version, as a draft. An approval is void; what is published goes on serving. Members that are left out stay as they are.',
      body: {
        ...objectSchema({
          ...editableMembers,
          channelType: { ...channelType, description: 'Never changes.' },
          version: seenVersion,
          changeNote: note,
        }),
        minProperties: 1,
      },
      answers: { 200: { description: 'The draft, with what its checks say.', schema: checkedItem } },
      run: async (request) => {
        const { version, channelType: type, ...edit } = request.body;
        const row = await changeContent(runtime, request, {
          call: 'edit',
          id: request.params.id ?? '',
          seenVersion: version,
          step: (item) => {
            refuseChange('channelType', type, item.channel_type);
            return editStep(item, edit);
          },
        });
        return { status: 200, body: showWithChecks(row) };
      },
    }),
    route({
      method: 'DELETE',
      path: '/content/{id}',
      action: 'content.write',
      tag: 'content',
      summary: 'Archive content: it is not delivered any more, and stays with its history.',
      answers: { 204: { description: 'It is archived.' } },
      run: async (request) => {
        const id = request.params.id ?? '';
        await changeContent(runtime, request, { call: 'archive', id, step: archiveStep });
        return { status: 204 };
      },
    }),
  ];
}

/** Undefined where nothing can match: a question without letters and digits. */
function filterOf(given: Readonly<Record<string, unknown>>): ContentFilter | undefined {
  const { q, tag, status, channelType, isTemplate, sourceType } = given as {
    readonly [Name in keyof typeof query]?: string;
  } & { readonly isTemplate?: never };
  const words = q === undefined ? undefined : askedWords(q);
  if (words?.length === 0) return undefined;
  return { words, tag, status, channelType, isTemplate, sourceType };
}

function typesDescription(): string {
  return CHANNEL_TYPES.map((name) => `\`${name}\`: ${CONTENT_TYPES[name].summary}`).join(' ');
}
