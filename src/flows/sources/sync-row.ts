/** The waiting row that syncs a source: there is one at most that counts, and it is where the sync is. */
import { decodeValue, encodeValue, own } from '../../json.ts';
import { insertWaiting } from '../../storage/accept.ts';
import { PIPELINE_CODES } from '../../storage/claim.ts';
import { setSyncRow } from '../../storage/content-sources.ts';
import type { Sql } from '../../storage/database.ts';

/** How many entries came to what. */
export interface Counts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly conflicts: number;
  readonly withdrawn: number;
  readonly problems: number;
}

/** How far a sync is: its next page, or in the sweep the last entry that was looked for. */
export interface SyncRun {
  readonly startedMs: number;
  /** Everything is asked for, not only what was changed since the last sync. */
  readonly full: boolean;
  /** In the walk pages are read; in the sweep, entries that no page had are looked for. */
  readonly phase: 'walk' | 'sweep';
  readonly cursor: string | null;
  readonly pages: number;
  readonly counts: Counts;
}

/** What a waiting row of a source has to do. */
export type SourceTask =
  | { readonly sourceId: string; readonly kind: 'sync'; readonly full: boolean; readonly run?: SyncRun }
  | { readonly sourceId: string; readonly kind: 'entry'; readonly externalId: string };

/** The task of a row. */
export function taskOf(payload: string | null): SourceTask | undefined {
  const task = decodeValue(payload ?? '{}');
  return typeof own(task, 'sourceId') === 'string' ? (task as SourceTask) : undefined;
}

/** The text of a task. */
export function payloadOf(task: SourceTask): string {
  return encodeValue(task);
}

interface Place {
  readonly accountId: string;
  readonly sourceId: string;
  readonly laneId: number;
}

/** Writes a row with a task. */
export function writeTask(
  sql: Sql,
  place: Place,
  id: string,
  task: SourceTask,
  dueMs: number,
): Promise<void> {
  return insertWaiting(sql, {
    id,
    accountId: place.accountId,
    laneId: place.laneId,
    dueMs,
    pipeline: PIPELINE_CODES.sync_source,
    messageId: null,
    channelVersionId: 0,
    payload: payloadOf(task),
  });
}

/** Begins a sync now; what another row was doing is overtaken by it. */
export async function startSync(
  tx: Sql,
  place: Place,
  id: string,
  full: boolean,
  nowMs: number,
): Promise<void> {
  await writeTask(tx, place, id, { sourceId: place.sourceId, kind: 'sync', full }, nowMs);
  await setSyncRow(tx, place.sourceId, id);
}
