/** Times as documents write them. */
import { Failure } from '../errors.ts';

const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;
/** An ISO 8601 time in UTC; without a zone it is read as UTC. Throws PIPE_PARAMS naming the param. */
export function dueTime(text: string, param: string): string {
  const zoned = /(?:Z|[+-]\d{2}:?\d{2})$/.test(text.slice(10)) || !/[T ]/.test(text) ? text : `${text}Z`;
  const time = ISO.test(text)
    ? Date.parse(zoned.replace(' ', 'T').replace(/([+-]\d{2})(\d{2})$/, '$1:$2'))
    : Number.NaN;
  if (Number.isNaN(time)) throw badTime(text, param, 'an ISO 8601 time such as 2026-03-01T12:00:00Z');
  return new Date(time).toISOString();
}

function badTime(text: string, param: string, wanted: string): Failure {
  return new Failure(
    'PIPE_PARAMS',
    `"${param}" must be ${wanted}, but it is ${JSON.stringify(text.slice(0, 40))}.`,
  );
}
