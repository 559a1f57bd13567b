/** Free slots of rate limits, handed out in blocks to every process that asks. */
import type { Sql } from './database.ts';

/**
 * Reserves the next `count` slots of a key, `intervalMs` apart, unless they begin later than `horizonMs` from now.
 * Gives the time of the first slot, or how long to wait before asking again.
 */
export async function reserveSlots(
  sql: Sql,
  key: string,
  nowMs: number,
  intervalMs: number,
  count: number,
  burst: number,
  horizonMs: number,
): Promise<{ firstMs: number } | { waitMs: number }> {
  // After a pause, `burst` slots may be used at once: the line of slots may begin that far in the past.
  const [row] = await sql.query<{ first: number }>(
    `insert into rate_slot (key, next_at) values ($1, to_timestamp(($2::float8 + $3::float8 * $4::int) / 1000))
     on conflict (key) do update
       set next_at = greatest(rate_slot.next_at, to_timestamp(($2 - $3 * $5::int) / 1000)) + make_interval(secs => $3 * $4 / 1000)
       where rate_slot.next_at <= to_timestamp(($2 + $6::float8) / 1000)
     returning (extract(epoch from next_at) * 1000)::float8 - $3 * $4 as first`,
    [key, nowMs, intervalMs, count, Math.max(0, burst - 1), horizonMs],
  );
  if (row !== undefined) return { firstMs: row.first };
  const [held] = await sql.query<{ next: number }>(
    'select (extract(epoch from next_at) * 1000)::float8 as next from rate_slot where key = $1',
    [key],
  );
  return { waitMs: Math.max(1, (held?.next ?? nowMs) - horizonMs - nowMs) };
}
