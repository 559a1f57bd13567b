/**
 * The task of a source's waiting rows: syncs page by page, and entries that webhooks spoke of. A pause that the CMS asks for
 * is kept; failures are tried again later and later, and the tenth in a row pauses the source.
 */
import { Failure } from '../../errors.ts';
import type { ClaimedRow } from '../../storage/claim.ts';
import {
  blockSource,
  noteFailure,
  noteSuccess,
  readSource,
  type SourceRow,
} from '../../storage/content-sources.ts';
import { writeOperatorEvent } from '../../storage/operator-events.ts';
import { writeEntries } from '../../storage/source-entries.ts';
import { logOperatorEvents } from '../log-operator-events.ts';
import type { Runtime } from '../runtime.ts';
import type { Effects } from '../settlement/effects.ts';
import { requeue } from '../settlement/end-message.ts';
import type { Send } from './ask-source.ts';
import { openSource } from './source-settings.ts';
import { payloadOf, type SourceTask, taskOf } from './sync-row.ts';
import { beginRun, refetch, stepSync } from './sync-source.ts';

/** So many in a row pause a source. */
export const MOST_FAILURES = 10;
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 900_000;
/** Behind what failed last. */
const PAUSED = `This was the ${MOST_FAILURES}th failure in a row, so the source is paused. Mend what failed, try it with "test", and set its status to active.`;
/** What webhooks brought waits while its source is paused. */
const HELD_MS = 60_000;
const MINUTE_MS = 60_000;

/** Performs a waiting row of a source; what fails outside is tried again, what fails inside is thrown. */
export function createPerformSource(runtime: Runtime, send: Send): (row: ClaimedRow) => Promise<Effects> {
  const { database, clock, log, vault } = runtime;

  /** Due again; never at the moment it was due before, which searches have passed. */
  const again = (row: ClaimedRow, task: SourceTask, dueMs: number, tries: number): Effects =>
    requeue({ ...row, payload: payloadOf(task), tries }, Math.max(dueMs, row.due + 1));

  const sync = async (
    row: ClaimedRow,
    task: SourceTask & { kind: 'sync' },
    source: SourceRow,
  ): Promise<Effects> => {
    const run = task.run ?? beginRun(source, task.full, clock.now());
    try {
      const step = await stepSync(runtime, send, openSource(vault, source), row.id, run);
      if ('run' in step) return again(row, { ...task, run: step.run }, clock.now(), 0);
      log.info({ source: source.id, ...step.ended.counts }, 'a content source was synced');
    } catch (thrown) {
      return await failed(row, { ...task, run }, source, thrown);
    }
    const { sync_mode: mode, sync_interval_minutes: minutes } = source;
    if (mode !== 'polling') return { done: [row.id] };
    const next: SourceTask = { sourceId: task.sourceId, kind: 'sync', full: false };
    return again(row, next, Math.max(clock.now(), run.startedMs + (minutes ?? 60) * MINUTE_MS), 0);
  };

  const entry = async (
    row: ClaimedRow,
    task: SourceTask & { kind: 'entry' },
    source: SourceRow,
  ): Promise<Effects> => {
    try {
      await refetch(runtime, send, openSource(vault, source), [task.externalId], clock.now());
    } catch (thrown) {
      return await failed(row, task, source, thrown);
    }
    await noteSuccess(database, source.id);
    return { done: [row.id] };
  };

  const failed = async (
    row: ClaimedRow,
    task: SourceTask,
    source: SourceRow,
    thrown: unknown,
  ): Promise<Effects> => {
    if (!(thrown instanceof Failure) || thrown.blame === 'us' || thrown.blame === 'shutdown') throw thrown;
    const nowMs = clock.now();
    const { kind, retryAfterMs } = thrown.details;
    if (kind === 'rate_limited' && retryAfterMs !== undefined) {
      await blockSource(database, source.id, nowMs + retryAfterMs);
      return again(row, task, nowMs + retryAfterMs, row.tries);
    }
    const tries = row.tries + 1;
    const { message } = thrown;
    // An entry that fails alone, while the rest of the source is well, pauses nothing.
    const noted = await noteFailure(database, source.id, {
      message,
      paused: `${message} ${PAUSED}`,
      tries: task.kind === 'sync' ? tries : 0,
      pauseAt: MOST_FAILURES,
    });
    if (noted?.paused === true) await tellPaused(runtime, source, `${message} ${PAUSED}`);
    if (noted === undefined || (noted.paused && task.kind === 'sync')) return { done: [row.id] };
    if (task.kind === 'entry' && tries >= MOST_FAILURES && !noted.paused) {
      await giveUp(source.id, task.externalId, message);
      return { done: [row.id] };
    }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1));
    return again(row, task, nowMs + pauseMs, tries);
  };

  const giveUp = (sourceId: string, externalId: string, message: string) => {
    const problem = `It could not be fetched in ${MOST_FAILURES} tries: ${message}`;
    const seen = { id: runtime.ids.next(), externalId, changedAtMs: null, problem, kept: false, gone: false };
    return writeEntries(database, sourceId, [seen], clock.now(), clock.now());
  };

  const perform = async (row: ClaimedRow): Promise<Effects> => {
    const task = taskOf(row.payload);
    const source = task === undefined ? undefined : await readSource(database, task.sourceId);
    if (task === undefined || source === undefined) return { done: [row.id] };
    const overtaken = task.kind === 'sync' && source.sync_id !== row.id;
    if (overtaken) return { done: [row.id] };
    const nowMs = clock.now();
    if (source.status === 'paused')
      return task.kind === 'sync' ? { done: [row.id] } : requeue(row, nowMs + HELD_MS);
    const blockedMs = source.blocked_until?.getTime() ?? 0;
    if (blockedMs > nowMs) return again(row, task, blockedMs, row.tries);
    return task.kind === 'sync' ? sync(row, task, source) : entry(row, task, source);
  };

  return perform;
}

/** Says that a source is paused, to those who run the engine. */
async function tellPaused(
  { database, clock, log }: Runtime,
  source: SourceRow,
  reason: string,
): Promise<void> {
  const data = { source: source.name, reason };
  const fact = { accountId: source.account_id, type: 'source.paused', data } as const;
  logOperatorEvents(log, await writeOperatorEvent(database, fact, clock.now()));
}
