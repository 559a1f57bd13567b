/** Content sources: their settings, and how their syncs go. */
import type { Sql, SqlValue } from './database.ts';

export interface SourceRow {
  readonly id: string;
  readonly account_id: string;
  readonly name: string;
  readonly provider: string;
  /** With its secrets sealed. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly sync_mode: 'webhook' | 'polling';
  readonly sync_interval_minutes: number | null;
  readonly auto_publish: boolean;
  readonly mappings: Readonly<Record<string, string | readonly string[]>>;
  readonly channel_type: string;
  readonly status: 'active' | 'paused';
  readonly failures: number;
  readonly last_error: string | null;
  readonly last_sync_at: Date | null;
  readonly last_full_at: Date | null;
  readonly last_sync: unknown;
  readonly sync_id: string | null;
  readonly sync: unknown;
  readonly blocked_until: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** Columns that people set; JSON as its text. */
export interface SourceValues {
  readonly name: string;
  readonly config: string;
  readonly syncMode: string;
  readonly syncIntervalMinutes: number | null;
  readonly autoPublish: boolean;
  readonly mappings: string;
  readonly channelType: string;
  readonly status: string;
}

const SETTINGS = `name, config, sync_mode, sync_interval_minutes, auto_publish, mappings, channel_type, status`;

function valuesOf(values: SourceValues): SqlValue[] {
  return [
    values.name,
    values.config,
    values.syncMode,
    values.syncIntervalMinutes,
    values.autoPublish,
    values.mappings,
    values.channelType,
    values.status,
  ];
}

/** Makes a source; undefined if its name is taken, or its id. */
export async function insertSource(
  sql: Sql,
  source: { readonly id: string; readonly accountId: string; readonly provider: string },
  values: SourceValues,
  nowMs: number,
): Promise<SourceRow | undefined> {
  const rows = await sql.query<SourceRow>(
    `insert into content_source (id, account_id, provider, failures, created_at, updated_at, ${SETTINGS})
     values ($1, $2, $3, 0, $4, $4, $5, $6::text::jsonb, $7, $8, $9, $10::text::json, $11, $12)
     on conflict do nothing returning *`,
    [source.id, source.accountId, source.provider, new Date(nowMs), ...valuesOf(values)],
  );
  return rows[0];
}

/** Sets what people set. What failed before is forgotten with it, and the next sync sees everything. */
export async function updateSource(
  sql: Sql,
  accountId: string,
  id: string,
  values: SourceValues,
  nowMs: number,
): Promise<SourceRow | undefined> {
  const rows = await sql.query<SourceRow>(
    `update content_source set (${SETTINGS}) = row ($4, $5::text::jsonb, $6, $7, $8, $9::text::json, $10, $11),
       failures = 0, blocked_until = null, last_full_at = null, updated_at = $3
     where account_id = $1 and id = $2 returning *`,
    [accountId, id, new Date(nowMs), ...valuesOf(values)],
  );
  return rows[0];
}

/** A source of an account, held until the transaction ends. */
export async function lockSource(sql: Sql, accountId: string, id: string): Promise<SourceRow | undefined> {
  const rows = await sql.query<SourceRow>(
    'select * from content_source where account_id = $1 and id = $2 for update',
    [accountId, id],
  );
  return rows[0];
}

/** A source by its id, whatever its account: for rows and webhooks that name it. */
export async function readSource(sql: Sql, id: string): Promise<SourceRow | undefined> {
  const rows = await sql.query<SourceRow>('select * from content_source where id = $1', [id]);
  return rows[0];
}

/** The source of a name. */
export async function findSource(sql: Sql, accountId: string, name: string): Promise<SourceRow | undefined> {
  const rows = await sql.query<SourceRow>(
    'select * from content_source where account_id = $1 and name = $2',
    [accountId, name],
  );
  return rows[0];
}

/** Sources, newest first, by keyset; `total` counts all. */
export async function listSources(
  sql: Sql,
  accountId: string,
  page: { limit: number; before: string | undefined },
): Promise<{ rows: SourceRow[]; total: number }> {
  const rows = await sql.query<SourceRow>(
    `select * from content_source where account_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [accountId, page.before ?? null, page.limit + 1],
  );
  const [count] = await sql.query<{ total: number }>(
    'select count(*)::int as total from content_source where account_id = $1',
    [accountId],
  );
  return { rows, total: count?.total ?? 0 };
}

/** Removes a source and what it knew of its entries; the content stays. */
export async function deleteSource(sql: Sql, accountId: string, id: string): Promise<void> {
  await sql.query('delete from content_source where account_id = $1 and id = $2', [accountId, id]);
}

/** Names the waiting row that syncs from now on, or that none does. What another row was at is over. */
export async function setSyncRow(sql: Sql, id: string, rowId: string | null): Promise<void> {
  await sql.query('update content_source set sync_id = $2, sync = null where id = $1', [id, rowId]);
}

/** Writes how far a sync is; `progress` is JSON text. Something came, so nothing fails any more. */
export async function noteProgress(sql: Sql, id: string, rowId: string, progress: string): Promise<void> {
  await sql.query(
    'update content_source set sync = $3::text::json, failures = 0, blocked_until = null where id = $1 and sync_id = $2',
    [id, rowId, progress],
  );
}

/** Ends a sync; `summary` is JSON text. A source that does not poll has no waiting row then. */
export async function finishSync(
  sql: Sql,
  id: string,
  rowId: string,
  end: {
    readonly summary: string;
    readonly startedMs: number;
    readonly full: boolean;
    readonly nowMs: number;
  },
): Promise<void> {
  await sql.query(
    `update content_source set sync = null, last_sync = $3::text::json, last_sync_at = $4, last_error = null,
       failures = 0, blocked_until = null,
       last_full_at = case when $5 then $6 else last_full_at end,
       sync_id = case when sync_mode = 'polling' then sync_id end
     where id = $1 and sync_id = $2`,
    [id, rowId, end.summary, new Date(end.nowMs), end.full, new Date(end.startedMs)],
  );
}

/** Nothing fails any more. */
export async function noteSuccess(sql: Sql, id: string): Promise<void> {
  await sql.query(
    'update content_source set failures = 0, last_error = null where id = $1 and failures > 0',
    [id],
  );
}

/** Counts a failure, and pauses the source with the `pauseAt`th in a row. Returns whether it was this one that paused it. */
export async function noteFailure(
  sql: Sql,
  id: string,
  failure: {
    readonly message: string;
    /** Instead of the message, where it pauses. */
    readonly paused: string;
    readonly tries: number;
    readonly pauseAt: number;
  },
): Promise<{ readonly failures: number; readonly paused: boolean } | undefined> {
  const rows = await sql.query<{ failures: number; paused: boolean }>(
    `with seen as (select id, status from content_source where id = $1 for update)
     update content_source s set failures = failures + 1,
       last_error = case when greatest(failures + 1, $3) >= $4 then $5 else $2 end,
       status = case when greatest(failures + 1, $3) >= $4 then 'paused' else s.status end,
       sync_id = case when greatest(failures + 1, $3) >= $4 then null else sync_id end,
       sync = case when greatest(failures + 1, $3) >= $4 then null else sync end
     from seen where s.id = seen.id
     returning s.failures, s.status = 'paused' and seen.status = 'active' as paused`,
    [id, failure.message, failure.tries, failure.pauseAt, failure.paused],
  );
  return rows[0];
}

/** The CMS asked to be left alone. */
export async function blockSource(sql: Sql, id: string, untilMs: number): Promise<void> {
  await sql.query('update content_source set blocked_until = $2 where id = $1', [id, new Date(untilMs)]);
}
