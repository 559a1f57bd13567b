/** WordPress: the REST API `wp/v2`, posts, pages and every type of post that shows itself there. */
import { own } from '../../json.ts';
import { PAGE_ENTRIES, type SourceAdapter, type SourceConfig, type SourceRequest } from './contract.ts';
import {
  addressBelow,
  addressOf,
  configSchema,
  countOf,
  idOf,
  listOf,
  objectOf,
  textOf,
  timeOf,
} from './parts.ts';

const NUMBER = /^[1-9]\d{0,18}$/;

export const wordpress: SourceAdapter = Object.freeze<SourceAdapter>({
  provider: 'wordpress',
  title: 'WordPress',
  config: configSchema(
    {
      url: addressOf('Where the site is; its API answers below it at /wp-json.'),
      collection: {
        type: 'string',
        pattern: '^[a-z0-9][a-z0-9_-]{0,99}$',
        examples: ['posts'],
        default: 'posts',
        description: 'What is fetched: `posts`, `pages`, or the REST base of an own post type.',
      },
      username: {
        type: 'string',
        minLength: 1,
        maxLength: 255,
        pattern: '^[^:\\s]+$',
        description: 'For sites that show their API to users only.',
      },
      applicationPassword: {
        type: 'string',
        minLength: 1,
        maxLength: 255,
        description: 'An application password of that user.',
      },
    },
    ['url'],
  ),
  secrets: new Set(['applicationPassword']),
  page: (config, { cursor, changedSinceMs }) =>
    ask(config, [
      ['per_page', String(PAGE_ENTRIES)],
      ['page', cursor ?? '1'],
      ...(changedSinceMs === undefined
        ? []
        : [['modified_after', new Date(changedSinceMs).toISOString()] as const]),
    ]),
  byIds: (config, ids) =>
    ask(config, [
      ['per_page', String(PAGE_ENTRIES)],
      ['include', ids.join(',')],
    ]),
  readPage: (_config, { headers, json }, cursor) => {
    const entries = listOf(json, 'WordPress', 'at its top').map((entry) => ({
      externalId: idOf(own(entry, 'id'), NUMBER),
      changedAtMs: timeOf(own(entry, 'modified_gmt')),
      values: objectOf(entry),
    }));
    const page = countOf(cursor) ?? 1;
    const pages = countOf(headers['x-wp-totalpages']);
    // Some sites' proxies drop the header; a full page may then have a next one.
    const more = pages === undefined ? entries.length >= PAGE_ENTRIES : page < pages;
    return { entries, next: more ? String(page + 1) : null, total: countOf(headers['x-wp-total']) ?? null };
  },
  isPastEnd: (status, json) => status === 400 && own(json, 'code') === 'rest_post_invalid_page_number',
  reason: (json) => {
    const message = own(json, 'message');
    return typeof message === 'string' ? message : undefined;
  },
  externalIdOf: (_config, body) => {
    const named = [own(body, 'post_id'), own(body, 'id'), own(own(body, 'post'), 'ID'), own(body, 'ID')];
    return idOf(
      named.find((each) => each !== undefined),
      NUMBER,
    );
  },
});

function ask(config: SourceConfig, query: readonly (readonly [string, string])[]): SourceRequest {
  const user = textOf(config, 'username');
  const basic = Buffer.from(`${user}:${textOf(config, 'applicationPassword')}`).toString('base64');
  return {
    // By id, because the order must not change while the pages are read.
    url: addressBelow(textOf(config, 'url'), `/wp-json/wp/v2/${textOf(config, 'collection')}`, [
      ...query,
      ['orderby', 'id'],
      ['order', 'asc'],
    ]),
    headers: { accept: 'application/json', ...(user !== '' && { authorization: `Basic ${basic}` }) },
  };
}
