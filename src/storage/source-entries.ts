/** What is known of the entries of content sources: when they were seen, and what is wrong with them. */
import type { Sql } from './database.ts';

export interface EntryRow {
  readonly id: string;
  readonly external_id: string;
  readonly problem: string | null;
  readonly kept: boolean;
  readonly seen_at: Date;
}

/** What a sync learned of an entry. */
export interface SeenEntry {
  readonly id: string;
  readonly externalId: string;
  readonly changedAtMs: number | null;
  /** Null: it is as it should be. */
  readonly problem: string | null;
  /** Whether it is an item now. */
  readonly kept: boolean;
  readonly gone: boolean;
}

/** Writes what was learned of many entries, in one statement; the last word on each counts. */
export async function writeEntries(
  sql: Sql,
  sourceId: string,
  entries: readonly SeenEntry[],
  seenMs: number,
  nowMs: number,
): Promise<void> {
  if (entries.length === 0) return;
  const last = [...new Map(entries.map((entry) => [entry.externalId, entry])).values()];
  await sql.query(
    `insert into content_source_entry (source_id, external_id, id, seen_at, changed_at, kept_at, problem, kept, gone)
     select $1, external, id, $8, to_timestamp(changed / 1000), $9, problem, kept = 1, gone = 1
     from unnest($2::text[], $3::uuid[], $4::float8[], $5::text[], $6::int[], $7::int[])
       as g (external, id, changed, problem, kept, gone)
     on conflict (source_id, external_id) do update set id = excluded.id, problem = excluded.problem,
       kept = excluded.kept, gone = excluded.gone, changed_at = excluded.changed_at, kept_at = excluded.kept_at,
       seen_at = greatest(content_source_entry.seen_at, excluded.seen_at)`,
    [
      sourceId,
      last.map((entry) => entry.externalId),
      last.map((entry) => entry.id),
      last.map((entry) => entry.changedAtMs),
      last.map((entry) => entry.problem),
      last.map((entry) => Number(entry.kept)),
      last.map((entry) => Number(entry.gone)),
      new Date(seenMs),
      new Date(nowMs),
    ],
  );
}

/** Those of the entries of which something newer was kept since a moment, with when that was changed there. */
export async function readNewer(
  sql: Sql,
  sourceId: string,
  externalIds: readonly string[],
  sinceMs: number,
): Promise<ReadonlyMap<string, number>> {
  const rows = await sql.query<{ external_id: string; changed: number }>(
    `select external_id, (extract(epoch from changed_at) * 1000)::float8 as changed from content_source_entry
     where source_id = $1 and external_id = any($2::text[]) and kept_at >= $3 and changed_at is not null`,
    [sourceId, externalIds, new Date(sinceMs)],
  );
  return new Map(rows.map((row) => [row.external_id, row.changed]));
}

/** The next entries that a sync since `seenMs` has not seen, in their order. */
export async function listUnseen(
  sql: Sql,
  sourceId: string,
  seenMs: number,
  after: string,
  limit: number,
): Promise<string[]> {
  const rows = await sql.query<{ external_id: string }>(
    `select external_id from content_source_entry
     where source_id = $1 and external_id > $2 and seen_at < $3 and not gone and external_id not like '#%'
     order by external_id limit $4`,
    [sourceId, after, new Date(seenMs), limit],
  );
  return rows.map((row) => row.external_id);
}

/** Entries that people should look at, newest first, by keyset; `total` counts all. */
export async function listProblems(
  sql: Sql,
  sourceId: string,
  page: { limit: number; before: string | undefined },
): Promise<{ rows: EntryRow[]; total: number }> {
  const rows = await sql.query<EntryRow>(
    `select id, external_id, problem, kept, seen_at from content_source_entry
     where source_id = $1 and problem is not null and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [sourceId, page.before ?? null, page.limit + 1],
  );
  const [count] = await sql.query<{ total: number }>(
    'select count(*)::int as total from content_source_entry where source_id = $1 and problem is not null',
    [sourceId],
  );
  return { rows, total: count?.total ?? 0 };
}

/** Forgets what a sync that saw everything found wrong with entries that have no id: they stand in its own list now. */
export async function dropNameless(sql: Sql, sourceId: string, seenMs: number): Promise<void> {
  await sql.query(
    `delete from content_source_entry where source_id = $1 and external_id like '#%' and seen_at < $2`,
    [sourceId, new Date(seenMs)],
  );
}
