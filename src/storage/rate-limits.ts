/** Tokens of rate limits, taken and brought back by all processes; the migration says why they are exact. */
import type { Sql } from './database.ts';

/** One process's turn at one limit. */
export interface RateTurn {
  readonly key: string;
  readonly requests: number;
  readonly windowMs: number;
  /** The most that may leave at one instant; null for a tenth of the requests. */
  readonly burst: number | null;
  /** Tokens that this process holds now. Said each time in full, so that a lost answer loses nothing. */
  readonly held: number;
  /** Requests that were answered, or given up, since the last turn. */
  readonly used: number;
  readonly wanted: number;
}

/** What a turn gives. */
export interface RateGrant {
  readonly granted: number;
  /** Until there may be more; 0 where all that was wanted was given. */
  readonly waitMs: number;
  /** Tokens that come free within the horizon, for all processes. */
  readonly soon: number;
}

export interface RateHolder {
  readonly name: string;
  /** A process that has no turn for so long loses what it holds. */
  readonly leaseMs: number;
  readonly horizonMs: number;
  /** Instead of the database's clock, where tests play time. */
  readonly nowMs: number | undefined;
}

/** Takes turns at several limits in one statement; gives the grants in the order of the turns. */
export async function turnRateLimits(
  sql: Sql,
  holder: RateHolder,
  turns: readonly RateTurn[],
): Promise<RateGrant[]> {
  const rows = await sql.query<{ granted: number; wait_ms: number; soon: number }>(
    `select granted, wait_ms, soon from turn_rate_limits(
       $1::float8, $2::text, $3::float8, $4::float8, $5::text[], $6::int[], $7::float8[], $8::int[], $9::int[], $10::int[],
       $11::int[])
     order by place`,
    [
      holder.nowMs ?? null,
      holder.name,
      holder.leaseMs,
      holder.horizonMs,
      turns.map((turn) => turn.key),
      turns.map((turn) => turn.requests),
      turns.map((turn) => turn.windowMs),
      turns.map((turn) => turn.burst),
      turns.map((turn) => turn.held),
      turns.map((turn) => turn.used),
      turns.map((turn) => turn.wanted),
    ],
  );
  return rows.map((row) => ({ granted: row.granted, waitMs: row.wait_ms, soon: row.soon }));
}

/** Holds limits for so long: no process takes a token of them before. */
export async function holdRateLimits(
  sql: Sql,
  keys: readonly string[],
  forMs: number,
  nowMs: number | undefined,
): Promise<void> {
  await sql.query(
    `update rate_limit set held_ms = greatest(held_ms,
       coalesce($3::float8, extract(epoch from clock_timestamp()) * 1000) + $2::float8)
     where key = any($1::text[])`,
    [keys, forMs, nowMs ?? null],
  );
}
