/**
 * What happened, counted: events over time and messages by state, in one statement each. An event of a message counts
 * once, at its first occurrence, however often it repeats; `total` has all occurrences.
 */
import type { Sql, SqlValue } from './database.ts';
import { countByState } from './launch-counts.ts';
import { STATE_CODES } from './states.ts';

/** Event times come from providers; up to a day ahead of ours they are believed (flows/event-time.ts). */
const AHEAD = `interval '1 day'`;

export type Step = 'hour' | 'day';

export interface ReportScope {
  readonly accountId: string;
  /** Exactly one of these two. */
  readonly channelId?: number;
  readonly launchIds?: readonly string[];
  /** From the first moment on, up to and without the second. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Events from here on are taken into the first step, because clocks of providers differ from ours; `fromMs` if left out. */
  readonly sinceMs?: number;
}

export interface EventCount {
  readonly event_id: number | null;
  readonly type: string;
  /** Where the step begins, in milliseconds. */
  readonly at: number;
  readonly count: number;
  readonly total: number;
}

/** Events by step of time, in UTC. Whole months that cannot hold any are not looked at. */
export function countEvents(sql: Sql, scope: ReportScope, step: Step): Promise<EventCount[]> {
  const { accountId, fromMs, toMs, sinceMs = fromMs } = scope;
  const [condition, value] = conditionOf(scope);
  return sql.query<EventCount>(
    `select event_id, type, (extract(epoch from bucket) * 1000)::float8 as at,
       count(*) filter (where nth = 1)::int as count, count(*)::int as total
     from (
       select event_id, type, date_trunc($5, greatest(time, $6::timestamptz), 'UTC') as bucket,
         row_number() over (partition by event_id, type, message_id order by time, id) as nth
       from event
       where account_id = $1 and ${condition} and id >= uuid_floor($3::timestamptz - ${AHEAD})
         and time >= $3 and time < $4) as numbered
     group by event_id, type, bucket order by event_id nulls last, type, bucket`,
    [accountId, value, new Date(sinceMs), new Date(toMs), step, new Date(fromMs)],
  );
}

/** Messages by state: those of a channel that were accepted in the time of the scope, and all of launches. */
export function countMessages(sql: Sql, scope: ReportScope): Promise<{ state: number; count: number }[]> {
  const { accountId, channelId, launchIds, fromMs, toMs } = scope;
  if (launchIds !== undefined) return countByState(sql, launchIds);
  return sql.query(
    `select state, count(*)::int as count from message
     where account_id = $1 and channel_id = $2 and id >= uuid_floor($3::timestamptz) and id < uuid_floor($4::timestamptz)
     group by state order by state`,
    [accountId, channelId ?? 0, new Date(fromMs), new Date(toMs)],
  );
}

/** Messages that were not sent because something spoke against it, by their reasons; of the same messages. */
export function countSkipped(sql: Sql, scope: ReportScope): Promise<{ reason: string; count: number }[]> {
  const { accountId, fromMs, toMs, launchIds } = scope;
  const [condition, value] = conditionOf(scope);
  const accepted =
    launchIds === undefined
      ? 'and id >= uuid_floor($3::timestamptz) and id < uuid_floor($4::timestamptz)'
      : '';
  return sql.query(
    `select coalesce(reason, '') as reason, count(*)::int as count from message
     where account_id = $1 and ${condition} ${accepted} and state = ${STATE_CODES.suppressed}
     group by 1 order by 1`,
    [accountId, value, ...(launchIds === undefined ? [new Date(fromMs), new Date(toMs)] : [])],
  );
}

function conditionOf({ channelId, launchIds }: ReportScope): [text: string, value: SqlValue] {
  return launchIds === undefined
    ? ['channel_id = $2', channelId ?? 0]
    : ['launch_id = any($2::uuid[])', [...launchIds]];
}
