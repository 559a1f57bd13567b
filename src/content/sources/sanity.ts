/** Sanity: the query API. Entries are walked by their `_id`, so that nothing shifts while pages are read. */
import { isObject, own } from '../../json.ts';
import { PAGE_ENTRIES, type SourceAdapter, type SourceConfig, type SourceRequest } from './contract.ts';
import {
  addressBelow,
  addressOf,
  bearer,
  configSchema,
  idOf,
  listOf,
  nameOf,
  objectOf,
  textOf,
  timeOf,
  tokenOf,
} from './parts.ts';

const ID = /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,128}$/;
/** Drafts and versions of releases are the same document, unpublished. */
const UNPUBLISHED = /^(?:drafts|versions\.[^.]+)\./;
const PUBLISHED = '_type == $type && !(_id in path("drafts.**")) && !(_id in path("versions.**"))';
const IMAGE = /^image-([A-Za-z0-9]+)-(\d+x\d+)-([a-z0-9]+)$/;

export const sanity: SourceAdapter = Object.freeze<SourceAdapter>({
  provider: 'sanity',
  title: 'Sanity',
  config: configSchema(
    {
      projectId: {
        type: 'string',
        pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
        examples: ['zp7mbokg'],
        description: 'The project.',
      },
      dataset: {
        type: 'string',
        pattern: '^~?[a-z0-9][a-z0-9_-]{0,63}$',
        examples: ['production'],
        default: 'production',
        description: 'The dataset.',
      },
      type: nameOf('The `_type` of the documents that are fetched.'),
      token: tokenOf('A token that may read; left out where the dataset is public.'),
      apiVersion: {
        type: 'string',
        pattern: '^\\d{4}-\\d\\d-\\d\\d$',
        examples: ['2024-01-01'],
        default: '2024-01-01',
        description: 'The version of the API.',
      },
      url: addressOf('Another address than https://<projectId>.api.sanity.io.'),
    },
    ['projectId', 'type'],
  ),
  secrets: new Set(['token']),
  page: (config, { cursor, changedSinceMs }) => {
    const since = changedSinceMs === undefined ? '' : ' && dateTime(_updatedAt) >= dateTime($since)';
    return ask(config, `*[${PUBLISHED} && _id > $after${since}] | order(_id) [0...${PAGE_ENTRIES}]`, {
      after: cursor ?? '',
      ...(changedSinceMs !== undefined && { since: new Date(changedSinceMs).toISOString() }),
    });
  },
  byIds: (config, ids) => ask(config, `*[${PUBLISHED} && _id in $ids]`, { ids }),
  readPage: (config, { json }) => {
    const documents = listOf(own(json, 'result'), 'Sanity', 'in "result"');
    const entries = documents.map((document) => ({
      externalId: idOf(own(document, '_id'), ID),
      changedAtMs: timeOf(own(document, '_updatedAt')),
      values: withImages(objectOf(document), config),
    }));
    const last = own(documents.at(-1), '_id');
    const more = documents.length >= PAGE_ENTRIES && typeof last === 'string';
    return { entries, next: more ? last : null, total: null };
  },
  reason: (json) => {
    const words = [own(own(json, 'error'), 'description'), own(json, 'message'), own(json, 'error')];
    return words.find((each) => typeof each === 'string');
  },
  externalIdOf: (_config, body) => {
    const id = own(body, '_id') ?? own(body, 'id');
    return idOf(typeof id === 'string' ? id.replace(UNPUBLISHED, '') : id, ID);
  },
});

/** Values travel as parameters, which are JSON; nothing is pasted into the query. */
function ask(config: SourceConfig, query: string, values: Readonly<Record<string, unknown>>): SourceRequest {
  const base = textOf(config, 'url') || `https://${textOf(config, 'projectId')}.api.sanity.io`;
  const parameters = Object.entries({ type: textOf(config, 'type'), ...values });
  return {
    url: addressBelow(
      base,
      `/v${textOf(config, 'apiVersion')}/data/query/${encodeURIComponent(textOf(config, 'dataset'))}`,
      [
        ['query', query],
        ...parameters.map(([name, value]) => [`$${name}`, JSON.stringify(value)] as const),
        ['perspective', 'published'],
      ],
    ),
    headers: bearer(config, 'token'),
  };
}

/** Pictures name their asset; its address follows from the name. */
function withImages(
  document: Readonly<Record<string, unknown>>,
  config: SourceConfig,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(document).map(([name, value]) => {
      const asset = own(value, 'asset');
      const [, id, size, format] = IMAGE.exec(String(own(asset, '_ref'))) ?? [];
      if (!isObject(value) || id === undefined) return [name, value];
      const url = `https://cdn.sanity.io/images/${textOf(config, 'projectId')}/${textOf(config, 'dataset')}/${id}-${size}.${format}`;
      return [name, { ...value, asset: { ...objectOf(asset), url } }];
    }),
  );
}
