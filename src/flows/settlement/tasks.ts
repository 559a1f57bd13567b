/** Tasks: what waits and belongs to the engine itself, each kind by the code under which it stands in the database. */
import { asFailure } from '../../errors.ts';
import type { ClaimedRow } from '../../storage/claim.ts';
import type { Runtime } from '../runtime.ts';
import type { Effects } from './effects.ts';
import { requeue } from './end-message.ts';

/** Performs one row. Never throws. */
export type PerformTask = (row: ClaimedRow) => Promise<Effects>;

/** The tasks that a worker knows, by `PIPELINE_CODES`. */
export type Tasks = ReadonlyMap<number, PerformTask>;

/** A task that failed is tried again after so long. */
const TASK_PAUSE_MS = 5_000;

/** Makes a task of what may throw: then it is logged and tried again. */
export function steady(runtime: Runtime, perform: PerformTask): PerformTask {
  return async (row) => {
    try {
      return await perform(row);
    } catch (thrown) {
      const failure = asFailure(thrown);
      runtime.log.error({ waiting: row.id, code: failure.code, cause: thrown }, failure.message);
      return requeue(row, runtime.clock.now() + TASK_PAUSE_MS);
    }
  };
}
