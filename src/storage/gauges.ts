/** Numbers for metrics. */
import type { Sql } from './database.ts';
import { count, eq } from './drizzle.ts';
import { countFailedRequests, countRefusals } from './listener-requests.ts';
import { lane, parkedEvent, waiting } from './schema.ts';
import { statement } from './statement.ts';

const countWaiting = statement((db) =>
  db
    .select({ lane: lane.key, count: count() })
    .from(waiting)
    .innerJoin(lane, eq(lane.id, waiting.lane_id))
    .groupBy(lane.key),
);

const countParked = statement((db) =>
  db
    .select({ channel: parkedEvent.channel_id, count: count() })
    .from(parkedEvent)
    .groupBy(parkedEvent.channel_id),
);

/** Returns what waits in each lane, is parked for each channel, and which requests of providers failed or were refused. */
export async function gauges(sql: Sql): Promise<{
  waiting: { lane: string; count: number }[];
  parked: { channel: number; count: number }[];
  failedRequests: { channel: string; reason: string; count: number }[];
  refusedRequests: { channel: string; reason: string; count: number }[];
}> {
  const [waits, parked, failedRequests, refusedRequests] = await Promise.all([
    countWaiting(sql, {}),
    countParked(sql, {}),
    countFailedRequests(sql),
    countRefusals(sql),
  ]);
  return { waiting: waits, parked, failedRequests, refusedRequests };
}
