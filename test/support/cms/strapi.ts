/** Strapi 4 (`attributes`, numbers) and 5 (flat, `documentId`): `data` and `meta.pagination`, errors in `error`. */
import { type CmsAnswer, type CmsEntry, type CmsRequest, changedOf } from './entry.ts';

export const STRAPI_TOKEN = 'strapi-token-of-the-tests';

export function strapiAnswer(
  version: 4 | 5,
  { path, query, authorization }: CmsRequest,
  entries: readonly CmsEntry[],
): CmsAnswer {
  const refused = (status: number, name: string, message: string) => ({
    status,
    body: { data: null, error: { status, name, message, details: {} } },
  });
  if (authorization === undefined) return refused(403, 'ForbiddenError', 'Forbidden');
  if (authorization !== `Bearer ${STRAPI_TOKEN}`) {
    return refused(401, 'UnauthorizedError', 'Missing or invalid credentials');
  }
  if (path !== '/api/articles') return refused(404, 'NotFoundError', 'Not Found');
  const name = version === 4 ? 'id' : 'documentId';
  const filtered = [...query].some(([key]) => key.startsWith('filters['));
  const ids = [...query].filter(([key]) => key.startsWith(`filters[${name}][$in]`)).map(([, value]) => value);
  const since = query.get('filters[updatedAt][$gte]');
  const drafts =
    version === 4 ? query.get('publicationState') === 'preview' : query.get('status') === 'draft';
  const found = entries
    .filter((entry) => drafts || entry.draft !== true)
    .filter(({ id }) => !filtered || since !== null || ids.includes(id))
    .filter((entry) => since === null || changedOf(entry) >= since)
    .toSorted((left, right) =>
      version === 4 ? Number(left.id) - Number(right.id) : left.id < right.id ? -1 : 1,
    );
  // Its own limit, whatever is asked for.
  const pageSize = Math.min(100, Number(query.get('pagination[pageSize]') ?? 25));
  const page = Number(query.get('pagination[page]') ?? 1);
  const data = found.slice((page - 1) * pageSize, page * pageSize);
  return {
    status: 200,
    body: {
      data: data.map((entry) => entryOf(version, entry)),
      meta: {
        pagination: { page, pageSize, pageCount: Math.ceil(found.length / pageSize), total: found.length },
      },
    },
  };
}

function entryOf(version: 4 | 5, entry: CmsEntry): unknown {
  if (entry.raw !== undefined) return entry.raw;
  const picture = { id: 9, url: '/uploads/a.png', mime: 'image/png' };
  const fields = {
    title: entry.title ?? null,
    body: entry.body ?? null,
    updatedAt: changedOf(entry),
    publishedAt: changedOf(entry),
  };
  if (version === 5) return { id: 1_000 + entry.id.length, documentId: entry.id, ...fields, picture };
  return {
    id: Number(entry.id),
    attributes: {
      ...fields,
      picture: { data: { id: 9, attributes: { url: picture.url, mime: picture.mime } } },
    },
  };
}
