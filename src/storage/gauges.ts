/** Numbers for metrics. */
import type { Sql } from './database.ts';
import { count, eq } from './drizzle.ts';
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

/** Returns how many events wait in each lane, and how many are parked for each channel. */
export async function gauges(sql: Sql): Promise<{
  waiting: { lane: string; count: number }[];
  parked: { channel: number; count: number }[];
}> {
  const [waits, parked] = await Promise.all([countWaiting(sql, {}), countParked(sql, {})]);
  return { waiting: waits, parked };
}
