/** How a mailing goes: its state, its messages by state, its pace, and what is left. */

import { type ProgressRow, readProgress } from '../../storage/launch-counts.ts';
import { STATE_CODES, stateName } from '../../storage/states.ts';
import type { Runtime } from '../runtime.ts';

/** The pace is that of so long; for so long the changes are kept one by one. */
export const PACE_MS = 30_000;

export interface MailingProgress {
  readonly state: string;
  readonly reason: string | null;
  /** Opened so far, over all launches. */
  readonly messages: number;
  /** With those of the audience that are still to be opened. */
  readonly expected: number;
  /** Messages by state. */
  readonly counts: Readonly<Record<string, number>>;
  readonly pace: {
    /** Messages that come to an end, over the last seconds; of a launch that has ended over all of its time. */
    readonly perSecond: number;
    /** Messages on their way, and those of the audience that are still to be opened. */
    readonly remaining: number;
    readonly remainingSeconds: number | null;
  };
  /** Nothing of it goes on by itself any more. */
  readonly ended: boolean;
}

/** Reads the progress of a mailing; undefined if there is no such mailing. */
export async function progressOf(runtime: Runtime, mailingId: string): Promise<MailingProgress | undefined> {
  const nowMs = runtime.clock.now();
  const row = await readProgress(runtime.database, mailingId, nowMs - PACE_MS);
  return row === undefined ? undefined : shaped(row, nowMs);
}

function shaped(row: ProgressRow, nowMs: number): MailingProgress {
  const counts = Object.entries(row.counts ?? {})
    .map(([code, count]) => ({ code: Number(code), count }))
    .sort((a, b) => a.code - b.code);
  const sum = (list: readonly { readonly count: number }[]) =>
    list.reduce((all, each) => all + each.count, 0);
  const remaining = sum(counts.filter(({ code }) => code < STATE_CODES.unknown)) + row.unopened;
  const perSecond = paceOf(row, nowMs);
  return {
    state: row.state,
    reason: row.state_reason,
    messages: sum(counts),
    expected: sum(counts) + row.unopened,
    counts: Object.fromEntries(counts.map(({ code, count }) => [stateName(code), count])),
    pace: {
      perSecond: Math.round(perSecond * 10) / 10,
      remaining,
      remainingSeconds: remaining === 0 || perSecond <= 0 ? null : Math.ceil(remaining / perSecond),
    },
    ended: RESTING.has(row.state) && !row.under_way,
  };
}

const RESTING: ReadonlySet<string> = new Set(['draft', 'finished', 'stopped']);

function paceOf(row: ProgressRow, nowMs: number): number {
  const { started_at: started, finished_at: finished } = row;
  if (started === null) return 0;
  if (finished !== null) {
    return ((row.opened ?? 0) * 1_000) / Math.max(1, finished.getTime() - started.getTime());
  }
  // A launch that has just begun has no seconds behind it, and the first one says little.
  const overMs = Math.min(PACE_MS, Math.max(1_000, nowMs - started.getTime()));
  return (Math.max(0, row.settled) * 1_000) / overMs;
}
