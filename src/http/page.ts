/** Pages of lists: keyset cursors, stable while rows are added. */
import { Failure } from '../errors.ts';
import { isUuid } from '../ids.ts';

/** Makes a page of rows that were read with one row more than `limit`. */
export function pageOf<Row extends { readonly id: string }, Shown>(
  rows: readonly Row[],
  total: number,
  limit: number,
  show: (row: Row) => Shown,
) {
  const kept = rows.slice(0, limit);
  const hasMore = rows.length > limit;
  const last = kept.at(-1);
  return {
    data: kept.map(show),
    pagination: { total, limit, hasMore, nextCursor: hasMore && last !== undefined ? last.id : null },
  };
}

/** The limit and the id before which the page begins. Throws REQUEST_INVALID for a cursor that is not ours. */
export function readPage(query: Readonly<Record<string, unknown>>): {
  limit: number;
  before: string | undefined;
} {
  const cursor = query.cursor;
  if (cursor !== undefined && !isUuid(cursor)) throw foreignCursor();
  return { limit: typeof query.limit === 'number' ? query.limit : 20, before: cursor };
}

/** The failure of a cursor that is not ours. */
export function foreignCursor(): Failure {
  return new Failure('REQUEST_INVALID', 'The cursor is not one that this list gave out.', {
    problems: [{ pointer: '/query/cursor', message: 'Use nextCursor of the page before, unchanged.' }],
  });
}
