/** Contentful: the Content Delivery API, which knows published entries only. */
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

const ID = /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,64}$/;

export const contentful: SourceAdapter = Object.freeze<SourceAdapter>({
  provider: 'contentful',
  title: 'Contentful',
  config: configSchema(
    {
      spaceId: nameOf('The space.', { examples: ['cfexampleapi'] }),
      environment: nameOf('The environment.', { default: 'master', examples: ['master'] }),
      contentType: nameOf('Id of the content type whose entries are fetched.'),
      accessToken: tokenOf('A token of the Content Delivery API.'),
      locale: nameOf("The locale; the space's default where it is left out.", { examples: ['en-US'] }),
      url: {
        ...addressOf('Another address, such as https://cdn.eu.contentful.com.'),
        default: 'https://cdn.contentful.com',
      },
    },
    ['spaceId', 'contentType', 'accessToken'],
  ),
  secrets: new Set(['accessToken']),
  page: (config, { cursor, changedSinceMs }) =>
    ask(config, [
      ['skip', cursor ?? '0'],
      ...(changedSinceMs === undefined
        ? []
        : [['sys.updatedAt[gte]', new Date(changedSinceMs).toISOString()] as const]),
    ]),
  byIds: (config, ids) => ask(config, [['sys.id[in]', ids.join(',')]]),
  readPage: (_config, { json }) => {
    const items = listOf(own(json, 'items'), 'Contentful', 'in "items"');
    const linked = linkedIn(own(json, 'includes'), items);
    const entries = items.map((entry) => {
      const fields = objectOf(own(entry, 'fields'));
      const resolved = Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [name, withLinks(value, linked)]),
      );
      const sys = own(entry, 'sys');
      return {
        externalId: idOf(own(sys, 'id'), ID),
        changedAtMs: timeOf(own(sys, 'updatedAt')),
        values: { ...objectOf(entry), ...resolved, fields: resolved },
      };
    });
    const end = (countOf(own(json, 'skip')) ?? 0) + items.length;
    const total = countOf(own(json, 'total')) ?? null;
    return { entries, next: items.length > 0 && total !== null && end < total ? String(end) : null, total };
  },
  reason: (json) => {
    const message = own(json, 'message');
    return typeof message === 'string' ? message : undefined;
  },
  externalIdOf: (_config, body) => idOf(own(own(body, 'sys'), 'id') ?? own(body, 'id'), ID),
});

function ask(config: SourceConfig, query: readonly (readonly [string, string])[]): SourceRequest {
  const space = encodeURIComponent(textOf(config, 'spaceId'));
  const environment = encodeURIComponent(textOf(config, 'environment'));
  const locale = textOf(config, 'locale');
  return {
    url: addressBelow(textOf(config, 'url'), `/spaces/${space}/environments/${environment}/entries`, [
      ['content_type', textOf(config, 'contentType')],
      // Without an order the same entry may stand in two pages, and another in none.
      ['order', 'sys.id'],
      ['limit', String(PAGE_ENTRIES)],
      // One step of links, so that pictures come with their addresses.
      ['include', '1'],
      ...(locale === '' ? [] : [['locale', locale] as const]),
      ...query,
    ]),
    headers: bearer(config, 'accessToken'),
  };
}

type Linked = ReadonlyMap<string, unknown>;

/** What links of entries point to; entries of the same page stand beside the others. */
function linkedIn(includes: unknown, items: readonly unknown[]): Linked {
  const linked = new Map<string, unknown>();
  const members = Object.values(objectOf(includes)).flatMap((list) => (Array.isArray(list) ? list : []));
  for (const each of [...items, ...members]) {
    const sys = own(each, 'sys');
    linked.set(`${String(own(sys, 'type'))}/${String(own(sys, 'id'))}`, withAddress(each));
  }
  return linked;
}

/** The value with a link, or a list of links, replaced by what they point to. */
function withLinks(value: unknown, linked: Linked): unknown {
  if (Array.isArray(value)) return value.map((each) => withLinks(each, linked));
  const sys = own(value, 'sys');
  if (own(sys, 'type') !== 'Link') return value;
  return linked.get(`${String(own(sys, 'linkType'))}/${String(own(sys, 'id'))}`) ?? value;
}

/** Addresses of assets come without a scheme. */
function withAddress(linked: unknown): unknown {
  const fields = own(linked, 'fields');
  const file = own(fields, 'file');
  const url = own(file, 'url');
  if (!isObject(linked) || typeof url !== 'string' || !url.startsWith('//')) return linked;
  return { ...linked, fields: { ...objectOf(fields), file: { ...objectOf(file), url: `https:${url}` } } };
}
