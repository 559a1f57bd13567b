/**
 * Fallback: a message whose tries with its sender are spent goes on with the next sender of its rule, as a new attempt.
 * That is written together with the failure, in one statement, so that no crash comes between the two.
 */
import { PIPELINE_CODES } from '../../storage/claim.ts';
import { anyRoutes, readFallbacks } from '../../storage/fallback.ts';
import { STATE_CODES } from '../../storage/states.ts';
import type { Directory } from '../directory/directory.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { Runtime } from '../runtime.ts';
import type { FallBack } from '../settlement/failing.ts';
import { fallsBackOn } from './fallback-class.ts';
import { nextSenders } from './next-sender.ts';

/** How old the answer may be whether there are rules at all, in milliseconds. */
const FRESH_MS = 1_000;

export function createFallBack(runtime: Runtime, directory: Directory, lanes: Lanes): FallBack {
  const { database, clock } = runtime;
  let any = { at: Number.NEGATIVE_INFINITY, value: false };

  const hasRules = async () => {
    const now = clock.now();
    if (now - any.at >= FRESH_MS) any = { at: now, value: await anyRoutes(database) };
    return any.value;
  };

  return async (failing, into) => {
    if (!(await hasRules())) return [];
    // What was reported in the same moment as sent is not sent again.
    const reported = new Set(
      into.messages
        .filter(({ state }) => state >= STATE_CODES.sent && state < STATE_CODES.expired)
        .map(({ id }) => id),
    );
    const failures = new Map(failing.map((each) => [each.source, each]));
    const found = await readFallbacks(database, [...failures.keys()]);
    const rows = found.filter((row) => {
      const failure = failures.get(row.id)?.failure;
      return failure !== undefined && !reported.has(row.id) && fallsBackOn(row.fallback_on, failure);
    });
    const next = await nextSenders(runtime, directory, lanes, rows);
    const moved = new Map(
      rows.flatMap((row, index) => {
        const sender = next[index];
        return sender === undefined ? [] : [[row.id, { row, sender }] as const];
      }),
    );
    if (moved.size === 0) return [];
    const nowMs = clock.now();
    into.done = into.done.filter((id) => !moved.has(id));
    // It goes on: nobody is told that it was given up.
    into.exhausted = into.exhausted.filter(({ source }) => !moved.has(source));
    for (const { row, sender } of moved.values()) {
      into.again.push({
        source: row.id,
        id: row.id,
        accountId: row.account_id,
        laneId: sender.laneId,
        // Never when it was due before, by which settling tells its own work.
        dueMs: failures.get(row.id)?.dueMs === nowMs ? nowMs + 1 : nowMs,
        pipeline: PIPELINE_CODES.message,
        pipe: null,
        tries: 0,
        messageId: row.id,
        channelVersionId: row.channel_version_id,
        payload: null,
      });
    }
    into.messages = into.messages.map((message) => {
      const fallen = message.source === message.id ? moved.get(message.id) : undefined;
      if (fallen === undefined) return message;
      const { senderId, laneId } = fallen.sender;
      return {
        ...message,
        attempt: message.attempt + 1,
        state: STATE_CODES.queued,
        reason: null,
        next: { senderId, laneId },
      };
    });
    return [...new Set([...moved.values()].map(({ sender }) => sender.laneId))];
  };
}
