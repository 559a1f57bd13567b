/** Numbers for metrics. */
import type { Sql } from './database.ts';

export async function gauges(sql: Sql): Promise<{
  waiting: { lane: string; count: number }[];
  parked: { channel: number; count: number }[];
}> {
  const [waiting, parked] = await Promise.all([
    sql.query<{ lane: string; count: number }>(
      'select l.key as lane, count(*)::int as count from waiting w join lane l on l.id = w.lane_id group by l.key',
    ),
    sql.query<{ channel: number; count: number }>(
      'select channel_id as channel, count(*)::int as count from parked_event group by channel_id',
    ),
  ]);
  return { waiting, parked };
}
