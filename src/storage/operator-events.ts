/**
 * Operator events: written in the statement or transaction of the fact they tell, and in the same breath put before
 * every webhook that asked for them.
 */
import { PIPELINE_CODES } from './claim.ts';
import type { Sql } from './database.ts';
import { and, count, desc, eq, gt, isNull, lt, or } from './drizzle.ts';
import { type PageRequest, type PageRows, totalOf } from './page.ts';
import { operatorEvent } from './schema.ts';
import { builder, type Row, rowsOf } from './statement.ts';

/** An operator event that was just written. */
export interface OperatorEvent {
  readonly id: string;
  /** Null: of the whole platform. */
  readonly account: string | null;
  readonly type: string;
  readonly data: OperatorEventRow['data'];
}

/** Lanes of webhooks begin so; about them no event is emitted, or emitting would never end. */
export const WEBHOOK_LANE = 'webhook/';

/** A condition on a lane `l`: events about it are emitted. */
export const EMITTING_LANE = `l.key not like '${WEBHOOK_LANE}%'`;

/**
 * Whose event it is that lane `l` of channel `c` changed: of the lane's account, of the channel's, or of the only one
 * there is; else of the whole platform.
 */
export const LANE_ACCOUNT = `coalesce(l.account_id, c.account_id,
  (select (array_agg(id))[1] from account having count(*) = 1))`;

/**
 * Parts of a `with` that write the operator events of the part `facts` (account_id, type, data) at the time `now`, a
 * parameter. What was written is the value of `EMITTED_EVENTS`.
 */
export function emitOperatorEvents(now: string): string {
  return `emitted as (
    insert into operator_event (id, account_id, type, data, at)
    select new_id(${now}::timestamptz), account_id, type, data, ${now}::timestamptz from facts
    returning id, account_id, type, data),
  handed as (
    insert into waiting (id, account_id, lane_id, due_at, pipeline, channel_version_id, payload)
    select new_id(${now}::timestamptz), w.account_id, w.lane_id, ${now}::timestamptz, ${PIPELINE_CODES.operator_event}, 0,
      json_build_object('webhookId', w.id, 'eventId', t.id)::text
    from emitted t join webhook w on (t.account_id is null or w.account_id = t.account_id)
      and w.status = 'active' and (t.type = any(w.events) or '*' = any(w.events)))`;
}

/** What `emitOperatorEvents` wrote, as a JSON value for a select; null if there was nothing to tell. */
export const EMITTED_EVENTS = `(select json_agg(json_build_object('id', id, 'account', account_id, 'type', type, 'data', data))
  from emitted)`;

export interface OperatorFact {
  readonly accountId: string | null;
  readonly type: string;
  /** Without secrets. */
  readonly data: OperatorEventRow['data'];
}

/** Writes an operator event whose fact is written by another statement of the same transaction. */
export async function writeOperatorEvent(
  tx: Sql,
  fact: OperatorFact,
  nowMs: number,
): Promise<OperatorEvent[]> {
  const [row] = await tx.query<{ emitted: OperatorEvent[] }>(
    `with facts as (select $1::uuid as account_id, $2::text as type, $3::text::json as data), ${emitOperatorEvents('$4')}
     select ${EMITTED_EVENTS} as emitted`,
    [fact.accountId, fact.type, JSON.stringify(fact.data), new Date(nowMs)],
  );
  return row?.emitted ?? [];
}

export type OperatorEventRow = Row<typeof operatorEvent>;

/** Returns one page of an account's events and those of the whole platform, newest first. */
export async function listOperatorEvents(
  to: Sql,
  accountId: string,
  page: PageRequest,
  only: { readonly type: string | undefined; readonly after: string | undefined },
): Promise<PageRows<OperatorEventRow>> {
  const { id, account_id: owner, type } = operatorEvent;
  const db = builder();
  const matches = and(
    or(eq(owner, accountId), isNull(owner)),
    only.type === undefined ? undefined : eq(type, only.type),
    only.after === undefined ? undefined : gt(id, only.after),
  );
  const selected = db
    .select()
    .from(operatorEvent)
    .where(and(matches, page.before === undefined ? undefined : lt(id, page.before)))
    .orderBy(desc(id))
    .limit(page.limit + 1);
  const rows = await rowsOf(to, selected);
  const counted = db.select({ total: count() }).from(operatorEvent).where(matches);
  return { rows, total: totalOf(await rowsOf(to, counted)) };
}
