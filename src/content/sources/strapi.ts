/** Strapi 4 and 5: the REST API of a collection type. Version 4 keeps fields in `attributes`; 5 is flat and names documents. */
import { isObject, own } from '../../json.ts';
import { PAGE_ENTRIES, type SourceAdapter, type SourceConfig, type SourceRequest } from './contract.ts';
import {
  addressBelow,
  addressOf,
  bearer,
  configSchema,
  countOf,
  idOf,
  listOf,
  nameOf,
  objectOf,
  textOf,
  timeOf,
  tokenOf,
} from './parts.ts';

const NUMBER = /^[1-9]\d{0,18}$/;
const DOCUMENT = /^[A-Za-z0-9_-]{1,64}$/;

const isFour = (config: SourceConfig) => own(config, 'version') === 4;
/** The member that names an entry, and its form. */
const nameIn = (config: SourceConfig) => (isFour(config) ? 'id' : 'documentId');
const formIn = (config: SourceConfig) => (isFour(config) ? NUMBER : DOCUMENT);

export const strapi: SourceAdapter = Object.freeze<SourceAdapter>({
  provider: 'strapi',
  title: 'Strapi',
  config: configSchema(
    {
      url: addressOf('Where Strapi is; its API answers below it at /api.'),
      version: { enum: [4, 5], default: 5, description: 'The major version of Strapi.' },
      collection: nameOf('Plural API id of the collection type, for example `articles`.'),
      token: tokenOf('An API token that may `find`; left out where the public may.'),
      locale: nameOf('The locale, where the type has locales.', { examples: ['en'] }),
    },
    ['url', 'collection'],
  ),
  secrets: new Set(['token']),
  page: (config, { cursor, changedSinceMs }) =>
    ask(config, [
      ['pagination[page]', cursor ?? '1'],
      ...(changedSinceMs === undefined
        ? []
        : [['filters[updatedAt][$gte]', new Date(changedSinceMs).toISOString()] as const]),
    ]),
  byIds: (config, ids) =>
    ask(config, [
      ['pagination[page]', '1'],
      ...ids.map((id, index) => [`filters[${nameIn(config)}][$in][${index}]`, id] as const),
    ]),
  readPage: (config, { json }, cursor) => {
    const entries = listOf(own(json, 'data'), 'Strapi', 'in "data"').map((entry) => {
      const fields = isFour(config) ? own(entry, 'attributes') : entry;
      const values = { ...objectOf(entry), ...fieldsOf(fields, config) };
      return {
        externalId: idOf(own(entry, nameIn(config)), formIn(config)),
        changedAtMs: timeOf(own(values, 'updatedAt')),
        values,
      };
    });
    const pagination = own(own(json, 'meta'), 'pagination');
    const page = countOf(cursor) ?? 1;
    const more = page < (countOf(own(pagination, 'pageCount')) ?? 1);
    return {
      entries,
      next: more ? String(page + 1) : null,
      total: countOf(own(pagination, 'total')) ?? null,
    };
  },
  reason: (json) => {
    const message = own(own(json, 'error'), 'message');
    return typeof message === 'string' ? message : undefined;
  },
  externalIdOf: (config, body) => {
    const entry = own(body, 'entry');
    const name = nameIn(config);
    return idOf(own(entry, name) ?? own(body, name) ?? own(body, 'id'), formIn(config));
  },
});

function ask(config: SourceConfig, query: readonly (readonly [string, string])[]): SourceRequest {
  const locale = textOf(config, 'locale');
  return {
    url: addressBelow(textOf(config, 'url'), `/api/${encodeURIComponent(textOf(config, 'collection'))}`, [
      ...query,
      ['pagination[pageSize]', String(PAGE_ENTRIES)],
      ['sort', `${nameIn(config)}:asc`],
      ['populate', '*'],
      // Drafts stay there; each version has its own word for it.
      isFour(config) ? ['publicationState', 'live'] : ['status', 'published'],
      ...(locale === '' ? [] : [['locale', locale] as const]),
    ]),
    headers: bearer(config, 'token'),
  };
}

/** Fields with media and relations as plain objects, and the addresses of uploads complete. */
function fieldsOf(fields: unknown, config: SourceConfig): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(objectOf(fields)).map(([name, value]) => [name, plain(value, config)]),
  );
}

function plain(value: unknown, config: SourceConfig): unknown {
  if (!isObject(value)) return value;
  const attributes = own(own(value, 'data'), 'attributes');
  const media = isObject(attributes) ? { ...objectOf(own(value, 'data')), ...attributes } : value;
  const url = own(media, 'url');
  if (typeof url !== 'string' || !url.startsWith('/') || own(media, 'mime') === undefined) return media;
  return { ...media, url: new URL(url, textOf(config, 'url')).href };
}
