/** Creates and updates profiles, many at once; one that is wrong costs no other. */
import { unstorable } from '../../channel/unstorable.ts';
import { Failure } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import type { Sql } from '../../storage/database.ts';
import { type NewProfile, upsertProfiles } from '../../storage/profiles.ts';
import type { Written } from './import/import-rows.ts';

/** A profile as a caller gives it. */
export interface ProfileRequest {
  readonly externalId: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** What becomes of each, in the same order. A profile that stands twice is written once, later fields on top. */
export async function writeProfiles(
  sql: Sql,
  accountId: string,
  requests: readonly ProfileRequest[],
  ids: Ids,
  nowMs: number,
): Promise<Written[]> {
  const merged = new Map<string, { place: number; fields: Record<string, unknown> }>();
  const results = requests.map((request, place): Failure | undefined => {
    const { externalId, fields = {} } = request;
    const wrong = unstorable(request);
    if (wrong !== undefined) {
      const message = `The value at ${wrong.pointer || '/'} ${wrong.message}.`;
      return new Failure('REQUEST_INVALID', message, {
        problems: [{ pointer: wrong.pointer ?? '', message }],
      });
    }
    const known = merged.get(externalId);
    if (known === undefined) merged.set(externalId, { place, fields: { ...fields } });
    else known.fields = { ...known.fields, ...fields };
    return undefined;
  });
  if (merged.size === 0) return results.flatMap((result) => result ?? []);
  const profiles = [...merged].map(
    ([externalId, { fields }]): NewProfile => ({
      id: ids.next(),
      accountId,
      externalId,
      fields: JSON.stringify(fields),
    }),
  );
  const given = new Map(profiles.map((profile) => [profile.externalId, profile.id]));
  const created = new Set<string>();
  for (const row of await upsertProfiles(sql, profiles, nowMs)) {
    // It has our id: it was not there before, or this very write is repeated.
    if (row.id === given.get(row.external_id)) created.add(row.external_id);
  }
  return requests.map(({ externalId }, place) => {
    const result = results[place];
    if (result !== undefined) return result;
    return created.has(externalId) && merged.get(externalId)?.place === place ? 'created' : 'updated';
  });
}
