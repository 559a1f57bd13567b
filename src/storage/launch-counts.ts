/**
 * Messages of launches by state. A statement that changes the state of a message also writes what changed, as new
 * rows of `launch_change`: nobody waits for a counter that another holds. Housekeeping adds older rows to the sums
 * in `launch_count`. So a count is exact, and costs the same for ten messages and a million.
 */
import type { Sql } from './database.ts';
import type { launch, mailing } from './schema.ts';
import type { Row } from './statement.ts';
import { STATE_CODES } from './states.ts';

/** Held by the process that adds changes to the sums. */
const FOLD_LOCK = 7_584_202;

/**
 * Returns a part of a `with` that counts what the part `changed` (launch_id, prior, state) did at the time `now`, a parameter.
 * `prior` is null for new messages; messages of no launch are left out.
 */
export function counting(changed: string, now: string): string {
  const moved = `from ${changed} where launch_id is not null and prior is distinct from state`;
  return `counted as (
    insert into launch_change (launch_id, state, change, at)
    select launch_id, state, sum(change)::int, ${now}::timestamptz
    from (select launch_id, state, 1 as change ${moved}
      union all select launch_id, prior, -1 ${moved} and prior is not null) as moved
    group by launch_id, state having sum(change) <> 0)`;
}

/** The counts of launches that fit a condition on `launch_id`, as a sub-select of state and count. */
const countsWhere = (condition: string) => `(
  select state, sum(count)::int as count from (
    select state, count from launch_count where ${condition}
    union all select state, change from launch_change where ${condition}) as both_parts
  group by state having sum(count) <> 0)`;

/** A condition: launch `l` has no message that is still on its way. */
export const NONE_OPEN = `not exists (
  select from ${countsWhere('launch_id = l.id')} as open where open.state < ${STATE_CODES.unknown})`;

/** The counts of a launch by state, as a sub-select for a statement of its own. */
export const countsOf = (launch: string) => countsWhere(`launch_id = ${launch}`);

/** Returns how many messages of launches are in each state. */
export function countByState(
  sql: Sql,
  launchIds: readonly string[],
): Promise<{ readonly state: number; readonly count: number }[]> {
  return sql.query(
    `select state, count from ${countsWhere('launch_id = any($1::uuid[])')} as counts order by state`,
    [launchIds],
  );
}

/** Adds changes from before a moment to the sums. Does nothing while another process does it. */
export async function foldCounts(sql: Sql, beforeMs: number): Promise<void> {
  await sql.query(
    `with turn as materialized (select pg_try_advisory_xact_lock(${FOLD_LOCK}) as mine),
     gone as (
       delete from launch_change where at < $1 and (select mine from turn) returning launch_id, state, change)
     insert into launch_count (launch_id, state, count)
     select launch_id, state, sum(change)::int from gone group by launch_id, state
     on conflict (launch_id, state) do update set count = launch_count.count + excluded.count`,
    [new Date(beforeMs)],
  );
}

type NewestLaunch = Pick<Row<typeof launch>, 'opened' | 'started_at' | 'finished_at'>;

export type ProgressRow = Pick<Row<typeof mailing>, 'state' | 'state_reason' | 'type'> & {
  readonly [Member in keyof NewestLaunch]: NewestLaunch[Member] | null;
} & {
  /** Messages by the code of their state. */
  readonly counts: Readonly<Record<string, number>> | null;
  /** Messages that are still to be opened. */
  readonly unopened: number;
  /** Messages that came to an end since the moment that was asked for, less those that were sent again. */
  readonly settled: number;
  /** Something of a launch is still under way. */
  readonly under_way: boolean;
};

/** Returns how a mailing goes, over all its real launches, in one statement; undefined if there is no such mailing. */
export async function readProgress(
  sql: Sql,
  mailingId: string,
  sinceMs: number,
): Promise<ProgressRow | undefined> {
  const ofMailing = `launch_id in (select id from launch where mailing_id = $1 and kind = 'real')`;
  const rows = await sql.query<ProgressRow>(
    `select m.state, m.state_reason, m.type,
       (select json_object_agg(state, count) from ${countsWhere(ofMailing)} as counts) as counts,
       (select coalesce(sum(greatest(l.expected - l.opened, 0)), 0)::int from launch l
        where l.mailing_id = $1 and l.kind = 'real' and l.opening) as unopened,
       (select coalesce(sum(change), 0)::int from launch_change
        where ${ofMailing} and at > $2 and state >= ${STATE_CODES.unknown}) as settled,
       exists (select from launch l where l.mailing_id = $1 and l.kind = 'real'
         and (l.finished_at is null or l.withdrawing)) as under_way,
       newest.opened, newest.started_at, newest.finished_at
     from mailing m left join lateral (
       select opened, started_at, finished_at from launch
       where mailing_id = m.id and kind = 'real' order by number desc limit 1) as newest on true
     where m.id = $1`,
    [mailingId, new Date(sinceMs)],
  );
  return rows[0];
}
