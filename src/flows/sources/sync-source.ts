/**
 * One step of a sync: a page of entries, or some entries that no page had. Where it goes on stands in the waiting row,
 * so that a crash costs one page, and a page that is read twice changes nothing.
 */
import { MOST_IDS, type SourcePage } from '../../content/sources/contract.ts';
import { Failure } from '../../errors.ts';
import { own } from '../../json.ts';
import { finishSync, noteProgress, type SourceRow } from '../../storage/content-sources.ts';
import { dropNameless, listUnseen, type SeenEntry, writeEntries } from '../../storage/source-entries.ts';
import { isoTime } from '../../time.ts';
import { withdrawFromSource } from '../content/withdraw-from-source.ts';
import type { Runtime } from '../runtime.ts';
import { askSource, type Send } from './ask-source.ts';
import { NO_COUNTS, saveEntries, sumCounts } from './save-entries.ts';
import type { OpenSource } from './source-settings.ts';
import type { Counts, SyncRun } from './sync-row.ts';

const FULL_EVERY_MS = 3_600_000;
/** Clocks differ, and what was changed while a page was read is asked for again. */
const OVERLAP_MS = 600_000;

/** What a step leaves: where the sync goes on, or that it has ended. */
export type SyncStep = { readonly run: SyncRun } | { readonly ended: SyncRun };

/** A sync that begins now: of everything where it is asked for, where the settings changed, and once an hour. */
export function beginRun(row: SourceRow, asked: boolean, nowMs: number): SyncRun {
  const fullMs = row.last_full_at?.getTime();
  const full = asked || fullMs === undefined || nowMs - fullMs >= FULL_EVERY_MS;
  return { startedMs: nowMs, full, phase: 'walk', cursor: null, pages: 0, counts: NO_COUNTS };
}

/** How a sync is, or was, as answers show it. */
export function showRun(run: SyncRun, endedMs?: number): object {
  return {
    startedAt: isoTime(run.startedMs),
    ...(endedMs !== undefined && { endedAt: isoTime(endedMs) }),
    full: run.full,
    pages: run.pages,
    ...run.counts,
  };
}

/** Takes the next step. Throws what asking the CMS throws; then nothing of the step has happened that a repeat undoes. */
export async function stepSync(
  runtime: Runtime,
  send: Send,
  source: OpenSource,
  rowId: string,
  run: SyncRun,
): Promise<SyncStep> {
  const { database, clock } = runtime;
  const next =
    run.phase === 'walk' ? await walk(runtime, send, source, run) : await sweep(runtime, send, source, run);
  const { id } = source.row;
  if (next.phase !== 'ended') {
    const going: SyncRun = { ...next, phase: next.phase };
    await noteProgress(database, id, rowId, JSON.stringify(showRun(going)));
    return { run: going };
  }
  const ended: SyncRun = { ...next, phase: 'sweep' };
  const nowMs = clock.now();
  const summary = JSON.stringify(showRun(ended, nowMs));
  await finishSync(database, id, rowId, { summary, startedMs: run.startedMs, full: run.full, nowMs });
  return { ended };
}

type Next = Omit<SyncRun, 'phase'> & { readonly phase: SyncRun['phase'] | 'ended' };

async function walk(runtime: Runtime, send: Send, source: OpenSource, run: SyncRun): Promise<Next> {
  const { adapter, config, row } = source;
  const askedMs = runtime.clock.now();
  const changedSinceMs = run.full ? undefined : sinceOf(row.last_sync, row.last_full_at);
  const request = adapter.page(config, { cursor: run.cursor, changedSinceMs });
  const page = await askSource(send, source, request, run.cursor, askedMs);
  const pages = run.pages + 1;
  const at = { askedMs, seenMs: run.startedMs, page: pages };
  const counts = sumCounts(run.counts, await saveEntries(runtime, source, page.entries, at));
  if (page.next !== null) return { ...run, pages, counts, cursor: page.next };
  if (!run.full) return { ...run, pages, counts, phase: 'ended' };
  await dropNameless(runtime.database, row.id, run.startedMs);
  return { ...run, pages, counts, phase: 'sweep', cursor: '' };
}

/** When the last sync began, a little before. */
function sinceOf(lastSync: unknown, lastFullAt: Date | null): number {
  const started = Date.parse(String(own(lastSync, 'startedAt')));
  return (Number.isFinite(started) ? started : (lastFullAt?.getTime() ?? 0)) - OVERLAP_MS;
}

/** Entries that no page had are asked for by their ids before they are withdrawn: pages shift while they are read. */
async function sweep(runtime: Runtime, send: Send, source: OpenSource, run: SyncRun): Promise<Next> {
  const { id } = source.row;
  const unseen = await listUnseen(runtime.database, id, run.startedMs, run.cursor ?? '', MOST_IDS);
  if (unseen.length === 0) return { ...run, phase: 'ended' };
  const counts = await refetch(runtime, send, source, unseen, run.startedMs);
  return { ...run, counts: sumCounts(run.counts, counts), cursor: unseen.at(-1) ?? '' };
}

/** Asks for some entries by their ids: those that are there are kept, those that are not are withdrawn. */
export async function refetch(
  runtime: Runtime,
  send: Send,
  source: OpenSource,
  externalIds: readonly string[],
  seenMs: number,
): Promise<Counts> {
  const { adapter, config } = source;
  const askedMs = runtime.clock.now();
  const request = adapter.byIds(config, externalIds);
  const page: SourcePage = await askSource(send, source, request, null, askedMs);
  const asked = new Set(externalIds);
  const found = page.entries.filter(({ externalId }) => externalId !== undefined && asked.has(externalId));
  const there = new Set(found.map(({ externalId }) => externalId));
  const kept = await saveEntries(runtime, source, found, { askedMs, seenMs, page: 0 });
  const gone = externalIds.filter((each) => !there.has(each));
  return sumCounts(kept, await withdraw(runtime, source, gone, seenMs));
}

async function withdraw(
  runtime: Runtime,
  { row }: OpenSource,
  externalIds: readonly string[],
  seenMs: number,
): Promise<Counts> {
  const { database, ids, clock } = runtime;
  const seen: SeenEntry[] = [];
  let withdrawn = 0;
  for (const externalId of externalIds) {
    const problem = await withdrawOne(runtime, row.account_id, row.id, externalId);
    if (problem === 'withdrawn') withdrawn += 1;
    const told = problem === 'withdrawn' || problem === 'none' ? null : problem;
    seen.push({
      id: ids.next(),
      externalId,
      changedAtMs: null,
      problem: told,
      kept: told !== null,
      gone: told === null,
    });
  }
  await writeEntries(database, row.id, seen, seenMs, clock.now());
  const problems = seen.filter((each) => each.problem !== null).length;
  return { ...NO_COUNTS, withdrawn, problems };
}

/** What became of it, or why it could not be withdrawn, as a sentence. */
async function withdrawOne(
  runtime: Runtime,
  accountId: string,
  sourceId: string,
  externalId: string,
): Promise<string> {
  try {
    return await withdrawFromSource(runtime, { accountId, sourceId, externalId });
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.blame === 'us') throw thrown;
    return `It is no longer there, and could not be withdrawn: ${thrown.message}`;
  }
}
