/** Ranges of time in queries: `from` is part of it, `to` is not. */
import { refused } from '../flows/directory/find-channel.ts';
import type { JsonObject } from '../json.ts';
import { own } from '../json.ts';
import { time } from './schemas.ts';

/** Query members of everything that looks at a range of time. */
export const rangeQuery: JsonObject = {
  from: { ...time, description: 'From this moment on.' },
  to: { ...time, description: 'Before this moment.' },
};

/** A moment of the query in milliseconds. Throws REQUEST_INVALID for times that no clock shows, as second 60. */
export function readMoment(
  query: Readonly<Record<string, unknown>>,
  name: 'from' | 'to',
): number | undefined {
  const given = own(query, name);
  if (given === undefined) return undefined;
  const ms = Date.parse(String(given));
  if (!Number.isNaN(ms)) return ms;
  throw refused(`/query/${name}`, `"${name}" is no time; write it as 2026-01-31T12:00:00Z.`);
}
