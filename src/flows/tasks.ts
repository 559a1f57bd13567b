/** Tasks: what waits and belongs to the engine itself, each kind by the code under which it stands in the books. */
import { asFailure } from '../errors.ts';
import type { ClaimedRow } from '../storage/claim.ts';
import { putBack } from './end-message.ts';
import type { Ground } from './ground.ts';
import type { Parts } from './parts.ts';

/** Performs one row. Never throws. */
export type PerformTask = (row: ClaimedRow) => Promise<Parts>;

/** The tasks that a worker knows, by `PIPELINE_CODES`. */
export type Tasks = ReadonlyMap<number, PerformTask>;

/** A task that failed is tried again after so long. */
const TASK_PAUSE_MS = 5_000;

/** Makes a task of what may throw: then it is logged and tried again. */
export function steady(ground: Ground, perform: PerformTask): PerformTask {
  return async (row) => {
    try {
      return await perform(row);
    } catch (thrown) {
      const failure = asFailure(thrown);
      ground.log.error({ waiting: row.id, code: failure.code, cause: thrown }, failure.message);
      return putBack(row, ground.clock.now() + TASK_PAUSE_MS);
    }
  };
}
