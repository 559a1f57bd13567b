/** Sanity's query API: GROQ with parameters as JSON, `result`, errors with a description. It knows two queries. */
import { type CmsAnswer, type CmsEntry, type CmsRequest, changedOf } from './entry.ts';

export const SANITY_TOKEN = 'sanity-token-of-the-tests';

const PUBLISHED = '_type == $type && !(_id in path("drafts.**")) && !(_id in path("versions.**"))';
const PAGE = `*[${PUBLISHED} && _id > $after] | order(_id) [0...100]`;
const CHANGED = `*[${PUBLISHED} && _id > $after && dateTime(_updatedAt) >= dateTime($since)] | order(_id) [0...100]`;
const BY_IDS = `*[${PUBLISHED} && _id in $ids]`;

export function sanityAnswer(
  { path, query, authorization }: CmsRequest,
  entries: readonly CmsEntry[],
): CmsAnswer {
  if (authorization !== undefined && authorization !== `Bearer ${SANITY_TOKEN}`) {
    return { status: 401, body: { statusCode: 401, error: 'Unauthorized', message: 'Session not found' } };
  }
  if (path !== '/v2024-01-01/data/query/production') {
    return { status: 404, body: { statusCode: 404, error: 'Not Found', message: 'Dataset not found' } };
  }
  const text = query.get('query') ?? '';
  if (![PAGE, CHANGED, BY_IDS].includes(text)) {
    return {
      status: 400,
      body: { error: { description: `expected another query than ${text}`, type: 'queryParseError' } },
    };
  }
  const value = (name: string) => JSON.parse(query.get(`$${name}`) ?? 'null');
  const found = entries
    .filter((entry) => entry.draft !== true && value('type') === 'article')
    .filter(({ id }) => (text === BY_IDS ? value('ids').includes(id) : id > value('after')))
    .filter((entry) => text !== CHANGED || changedOf(entry) >= value('since'))
    .toSorted((left, right) => (left.id < right.id ? -1 : 1));
  const result = (text === BY_IDS ? found : found.slice(0, 100)).map(documentOf);
  return { status: 200, body: { query: text, result, syncTags: ['s1:a'], ms: 3 } };
}

function documentOf(entry: CmsEntry): unknown {
  if (entry.raw !== undefined) return entry.raw;
  return {
    _id: entry.id,
    _type: 'article',
    _rev: 'r',
    _createdAt: '2020-01-01T00:00:00Z',
    _updatedAt: changedOf(entry),
    ...(entry.title !== undefined && { title: entry.title }),
    body: entry.body,
    picture: { _type: 'image', asset: { _type: 'reference', _ref: 'image-abc123-200x100-png' } },
  };
}
