/** Contentful's Delivery API: `sys` and `fields`, skip and limit, errors as `sys.type: Error`. */
import { type CmsAnswer, type CmsEntry, type CmsRequest, changedOf } from './entry.ts';

export const CONTENTFUL_TOKEN = 'cda-token-of-the-tests';

/** How it answers when it is asked too much. */
export const CONTENTFUL_LIMITED: CmsAnswer = {
  status: 429,
  headers: { 'x-contentful-ratelimit-reset': '7' },
  body: {
    sys: { type: 'Error', id: 'RateLimitExceeded' },
    message:
      'You have exceeded the rate limit of the Organization this Space belongs to by making too many API requests.',
    requestId: 'r-1',
  },
};

export function contentfulAnswer(
  { path, query, authorization }: CmsRequest,
  entries: readonly CmsEntry[],
): CmsAnswer {
  const refused = (status: number, id: string, message: string) => ({
    status,
    body: { sys: { type: 'Error', id }, message, requestId: 'r-1' },
  });
  if (authorization !== `Bearer ${CONTENTFUL_TOKEN}`) {
    return refused(401, 'AccessTokenInvalid', 'The access token you sent could not be found or is invalid.');
  }
  if (path !== '/spaces/space1/environments/master/entries') {
    return refused(404, 'NotFound', 'The resource could not be found.');
  }
  const limit = Number(query.get('limit') ?? 100);
  if (limit > 1_000) return refused(400, 'BadRequest', 'Limit must be at most 1000.');
  const ids = query.get('sys.id[in]')?.split(',');
  const since = query.get('sys.updatedAt[gte]');
  const found = entries
    .filter((entry) => entry.draft !== true && query.get('content_type') === 'article')
    .filter(({ id }) => ids === undefined || ids.includes(id))
    .filter((entry) => since === null || changedOf(entry) >= since)
    .toSorted((left, right) => (left.id < right.id ? -1 : 1));
  const skip = Number(query.get('skip') ?? 0);
  return {
    status: 200,
    body: {
      sys: { type: 'Array' },
      total: found.length,
      skip,
      limit,
      items: found.slice(skip, skip + limit).map(entryOf),
      includes: {
        Asset: [
          {
            sys: { type: 'Asset', id: 'asset1' },
            fields: {
              title: 'A picture',
              file: { url: '//images.ctfassets.net/space1/a.png', contentType: 'image/png' },
            },
          },
        ],
      },
    },
  };
}

function entryOf(entry: CmsEntry): unknown {
  if (entry.raw !== undefined) return entry.raw;
  return {
    metadata: { tags: [] },
    sys: {
      type: 'Entry',
      id: entry.id,
      updatedAt: changedOf(entry),
      revision: 1,
      contentType: { sys: { type: 'Link', linkType: 'ContentType', id: 'article' } },
    },
    fields: {
      ...(entry.title !== undefined && { title: entry.title }),
      body: entry.body,
      picture: { sys: { type: 'Link', linkType: 'Asset', id: 'asset1' } },
    },
  };
}
