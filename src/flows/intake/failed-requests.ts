/** Runs requests of providers again whose run failed. */
import { isObject } from '../../json.ts';
import type { Sql } from '../../storage/database.ts';
import {
  insertRuns,
  type ListenerRequestFilter,
  takeFailedRequests,
} from '../../storage/listener-requests.ts';
import { changePayload } from '../payload.ts';
import type { ResumedRun } from '../run/resumed-run.ts';
import type { Runtime } from '../runtime.ts';

/** So many are run again by one call. */
export const MOST_RUN_AGAIN = 1_000;

/**
 * Puts failed requests that fit on their way again, within a transaction, the oldest first, and returns their ids and
 * the lanes that have work then. A request that runs already is left alone. What a run has registered is not registered
 * again.
 */
export async function runAgain(
  { vault, ids, clock }: Runtime,
  tx: Sql,
  accountId: string,
  filter: ListenerRequestFilter,
): Promise<{ readonly ids: readonly string[]; readonly lanes: readonly number[] }> {
  const nowMs = clock.now();
  const taken = await takeFailedRequests(tx, accountId, filter, MOST_RUN_AGAIN);
  if (taken.length === 0) return { ids: [], lanes: [] };
  const rows = taken.map(({ payload, registered, ...row }) => {
    const run = { request: { id: row.id, registered } } satisfies ResumedRun;
    const text = changePayload(vault, payload, (kept) => ({ ...(isObject(kept) && kept), ...run }), nowMs);
    return { ...row, id: ids.next(), payload: text };
  });
  await insertRuns(tx, rows, nowMs);
  return { ids: taken.map((row) => row.id), lanes: [...new Set(taken.map((row) => row.lane_id))] };
}
