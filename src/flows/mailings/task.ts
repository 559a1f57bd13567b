/** What the engine has still to do for mailings: waiting rows like all others, in a lane of their own. */
import { encodeValue } from '../../json.ts';
import { insertWaiting } from '../../storage/accept.ts';
import type { ClaimedRow } from '../../storage/claim.ts';
import type { Sql } from '../../storage/database.ts';
import type { Effects } from '../settlement/effects.ts';
import { requeue } from '../settlement/end-message.ts';

/** The payload of a task; which members there are follows from its pipeline. */
export interface MailingTask {
  readonly mailingId?: string;
  readonly launchId?: string;
  readonly messageId?: string;
  readonly passed?: boolean;
  readonly text?: string | null;
  /** Where a walk through what waits stands: the lane, and the row after which it goes on. */
  readonly laneId?: number;
  readonly dueMs?: number;
  readonly afterId?: string;
  /** When the walk began that goes on. */
  readonly begunMs?: number;
  /** What was waiting is stopped. Only what has run since is left, and that is due after this. */
  readonly sweptMs?: number;
}

export interface NewMailingTask {
  readonly id: string;
  readonly accountId: string;
  readonly laneId: number;
  readonly dueMs: number;
  readonly pipeline: number;
  readonly channelVersionId?: number;
  readonly task: MailingTask;
}

/** Pages are done for so long before the task lets others have their turn, its place kept in the database. */
export const SLICE_MS = 1_000;

/** Writes a task. */
export function insertTask(sql: Sql, { task, channelVersionId = 0, ...row }: NewMailingTask): Promise<void> {
  return insertWaiting(sql, { ...row, messageId: null, channelVersionId, payload: encodeValue(task) });
}

/** Lets a task wait again, with another payload. It is always due later than it was: that is how a repeat is known. */
export function continueLater(row: ClaimedRow, dueMs: number, task: MailingTask): Effects {
  const again = requeue(row, Math.max(dueMs, row.due + 1)).again ?? [];
  return { again: again.map((wait) => ({ ...wait, payload: encodeValue(task) })) };
}
