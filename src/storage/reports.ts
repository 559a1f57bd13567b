/**
 * What happened, counted: events over time and messages by state, in one statement each. An event of a message counts
 * once, at its first occurrence, however often it repeats; `total` has all occurrences.
 */
import type { SQL } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Sql } from './database.ts';
import { and, asc, count, eq, gte, lt, sql } from './drizzle.ts';
import { isAnyOf } from './expressions.ts';
import { countByState } from './launch-counts.ts';
import { event, message } from './schema.ts';
import { builder, type Row, rowsOf } from './statement.ts';
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

export type EventCount = Pick<Row<typeof event>, 'event_id' | 'type'> & {
  /** When the step begins, in milliseconds. */
  readonly at: number;
  readonly count: number;
  readonly total: number;
};

/** Returns events by step of time, in UTC. Whole months that cannot hold any are not looked at. */
export function countEvents(to: Sql, scope: ReportScope, step: Step): Promise<EventCount[]> {
  const { accountId, fromMs, toMs, sinceMs = fromMs } = scope;
  const since = new Date(sinceMs);
  const db = builder();
  const numbered = db
    .select({
      event_id: event.event_id,
      type: event.type,
      bucket: sql`date_trunc(${step}, greatest(${event.time}, ${new Date(fromMs)}::timestamptz), 'UTC')`.as(
        'bucket',
      ),
      nth: sql`row_number() over (partition by ${event.event_id}, ${event.type}, ${event.message_id}
        order by ${event.time}, ${event.id})`.as('nth'),
    })
    .from(event)
    .where(
      and(
        eq(event.account_id, accountId),
        isOf(scope, event),
        sql`${event.id} >= uuid_floor(${since}::timestamptz - ${sql.raw(AHEAD)})`,
        gte(event.time, since),
        lt(event.time, new Date(toMs)),
      ),
    )
    .as('numbered');
  const counted = db
    .select({
      event_id: numbered.event_id,
      type: numbered.type,
      at: sql<number>`(extract(epoch from ${numbered.bucket}) * 1000)::float8`,
      count: sql<number>`(count(*) filter (where ${numbered.nth} = 1))::int`,
      total: count(),
    })
    .from(numbered)
    .groupBy(numbered.event_id, numbered.type, numbered.bucket)
    .orderBy(sql`${numbered.event_id} nulls last`, asc(numbered.type), asc(numbered.bucket));
  return rowsOf(to, counted);
}

/** Returns messages by state: those of a channel that were accepted in the time of the scope, and all of launches. */
export function countMessages(
  to: Sql,
  scope: ReportScope,
): Promise<{ readonly state: number; readonly count: number }[]> {
  if (scope.launchIds !== undefined) return countByState(to, scope.launchIds);
  const counted = builder()
    .select({ state: message.state, count: count() })
    .from(message)
    .where(and(eq(message.account_id, scope.accountId), isOf(scope, message), isAccepted(scope)))
    .groupBy(message.state)
    .orderBy(asc(message.state));
  return rowsOf(to, counted);
}

/** Returns the same messages that were not sent because something blocked it, by their reasons. */
export function countSkipped(
  to: Sql,
  scope: ReportScope,
): Promise<{ readonly reason: string; readonly count: number }[]> {
  const counted = builder()
    .select({ reason: sql<string>`coalesce(${message.reason}, '')`, count: count() })
    .from(message)
    .where(
      and(
        eq(message.account_id, scope.accountId),
        isOf(scope, message),
        scope.launchIds === undefined ? isAccepted(scope) : undefined,
        eq(message.state, STATE_CODES.suppressed),
      ),
    )
    .groupBy(sql`1`)
    .orderBy(sql`1`);
  return rowsOf(to, counted);
}

/** Whether a row is of the channel, or of one of the launches. */
function isOf(
  scope: ReportScope,
  table: { readonly channel_id: PgColumn; readonly launch_id: PgColumn },
): SQL {
  const { channelId, launchIds } = scope;
  return launchIds === undefined
    ? eq(table.channel_id, channelId ?? 0)
    : isAnyOf(table.launch_id, sql`${sql.param(launchIds)}`);
}

/** Whether a message was accepted in the time of the scope: its id tells when. */
function isAccepted({ fromMs, toMs }: ReportScope): SQL {
  return sql`${message.id} >= uuid_floor(${new Date(fromMs)}::timestamptz)
    and ${message.id} < uuid_floor(${new Date(toMs)}::timestamptz)`;
}
