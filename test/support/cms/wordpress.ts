/** WordPress, `wp/v2`: a bare array, totals in headers, 400 past the last page, errors with `code` and `message`. */
import { type CmsAnswer, type CmsEntry, type CmsRequest, changedOf } from './entry.ts';

export const WORDPRESS_USER = { username: 'reader', applicationPassword: 'abcd EFGH 1234 ijkl MNOP 6789' };

export function wordpressAnswer(
  { path, query, authorization }: CmsRequest,
  entries: readonly CmsEntry[],
): CmsAnswer {
  const refused = (status: number, code: string, message: string) => ({
    status,
    body: { code, message, data: { status } },
  });
  const { username, applicationPassword } = WORDPRESS_USER;
  const known = `Basic ${Buffer.from(`${username}:${applicationPassword}`).toString('base64')}`;
  if (authorization !== undefined && authorization !== known) {
    return refused(401, 'incorrect_password', 'The provided password is an invalid application password.');
  }
  if (path !== '/wp-json/wp/v2/posts') {
    return refused(404, 'rest_no_route', 'No route was found matching the URL and request method.');
  }
  const perPage = Number(query.get('per_page') ?? 10);
  if (!(perPage >= 1 && perPage <= 100)) {
    return refused(400, 'rest_invalid_param', 'Invalid parameter(s): per_page');
  }
  const include = query.get('include')?.split(',');
  const after = query.get('modified_after');
  const found = entries
    .filter((entry) => entry.draft !== true)
    .filter(({ id }) => include === undefined || include.includes(id))
    .filter((entry) => after === null || changedOf(entry) > after)
    .toSorted((left, right) => Number(left.id) - Number(right.id));
  if (query.get('orderby') !== 'id' || query.get('order') !== 'asc') found.reverse();
  const page = Number(query.get('page') ?? 1);
  const pages = Math.ceil(found.length / perPage);
  if (page > pages && found.length > 0) {
    const message = 'The page number requested is larger than the number of pages available.';
    return refused(400, 'rest_post_invalid_page_number', message);
  }
  return {
    status: 200,
    headers: { 'x-wp-total': String(found.length), 'x-wp-totalpages': String(pages) },
    body: found.slice((page - 1) * perPage, page * perPage).map(postOf),
  };
}

function postOf(entry: CmsEntry): unknown {
  if (entry.raw !== undefined) return entry.raw;
  const modified = changedOf(entry).slice(0, 19);
  return {
    id: Number(entry.id),
    date: modified,
    modified,
    modified_gmt: modified,
    status: 'publish',
    type: 'post',
    title: { rendered: entry.title ?? '' },
    content: { rendered: entry.body ?? '', protected: false },
    excerpt: { rendered: `<p>${String(entry.body)}</p>\n`, protected: false },
  };
}
