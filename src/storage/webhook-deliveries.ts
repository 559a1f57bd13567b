/** What waits for a webhook, and what came of sending it. */
import { PIPELINE_CODES } from './claim.ts';
import type { Sql } from './database.ts';
import type { OperatorEvent } from './operator-events.ts';
import type { WebhookRow } from './webhooks.ts';

/** A webhook with an event for it. */
export interface DueDelivery extends WebhookRow {
  readonly event_id: string;
  readonly event_type: string;
  readonly event_data: Readonly<Record<string, unknown>>;
  readonly event_at: Date;
}

/** Undefined where the webhook or the event is gone. */
export async function readDelivery(
  sql: Sql,
  webhookId: string,
  eventId: string,
): Promise<DueDelivery | undefined> {
  const rows = await sql.query<DueDelivery>(
    `select w.*, e.id as event_id, e.type as event_type, e.data as event_data, e.at as event_at
     from webhook w join operator_event e on e.id = $2 where w.id = $1`,
    [webhookId, eventId],
  );
  return rows[0];
}

export interface Attempt {
  /** The id of the waiting row. */
  readonly id: string;
  readonly webhookId: string;
  readonly eventId: string;
  readonly state: 'delivered' | 'waiting' | 'failed';
  readonly attempts: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly excerpt: string | null;
  readonly nextAtMs: number | null;
  readonly nowMs: number;
}

/** Keeps the result of an attempt, and since when the webhook fails. */
export async function noteAttempt(sql: Sql, attempt: Attempt): Promise<void> {
  await sql.query(
    `with failing as (
       update webhook set failing_since = case when $4 = 'delivered' then null else $9::timestamptz end
       where id = $2 and (failing_since is null) <> ($4 = 'delivered'))
     insert into webhook_delivery (id, webhook_id, event_id, state, attempts, status, error, excerpt, at, next_at)
     select $1, id, $3, $4::text, $5, $6, $7, $8, $9, $10 from webhook where id = $2
     on conflict (id) do update set state = excluded.state, attempts = excluded.attempts, status = excluded.status,
       error = excluded.error, excerpt = excluded.excerpt, at = excluded.at, next_at = excluded.next_at`,
    [
      attempt.id,
      attempt.webhookId,
      attempt.eventId,
      attempt.state,
      attempt.attempts,
      attempt.status,
      attempt.error,
      attempt.excerpt,
      new Date(attempt.nowMs),
      attempt.nextAtMs === null ? null : new Date(attempt.nextAtMs),
    ],
  );
}

/** Writes a test event for one webhook only. */
export async function insertTest(
  sql: Sql,
  webhook: WebhookRow,
  ids: { readonly event: string; readonly delivery: string },
  nowMs: number,
): Promise<OperatorEvent[]> {
  const data = { webhook: webhook.id };
  const rows = await sql.query<{ id: string }>(
    `with event as (
       insert into operator_event (id, account_id, type, data, at)
       values ($1, $3, 'webhook.test', $4::text::json, $6) on conflict (id) do nothing returning id, account_id)
     insert into waiting (id, account_id, lane_id, due_at, pipeline, channel_version_id, payload)
     select $2::uuid, account_id, $5::int, $6::timestamptz, ${PIPELINE_CODES.operator_event}, 0,
       json_build_object('webhookId', $7::uuid, 'eventId', id)::text from event
     returning id`,
    [
      ids.event,
      ids.delivery,
      webhook.account_id,
      JSON.stringify(data),
      webhook.lane_id,
      new Date(nowMs),
      webhook.id,
    ],
  );
  return rows.map(() => ({ id: ids.event, account: webhook.account_id, type: 'webhook.test', data }));
}

export interface DeliveryRow {
  readonly id: string;
  readonly event_id: string;
  readonly type: string | null;
  readonly state: 'delivered' | 'waiting' | 'failed';
  readonly attempts: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly excerpt: string | null;
  readonly at: Date;
  readonly next_at: Date | null;
}

/** One page of a webhook's deliveries that were tried at least once, newest first. */
export async function listDeliveries(
  sql: Sql,
  webhookId: string,
  page: { limit: number; before: string | undefined },
): Promise<{ rows: DeliveryRow[]; total: number }> {
  const rows = await sql.query<DeliveryRow>(
    `select d.id, d.event_id, e.type, d.state, d.attempts, d.status, d.error, d.excerpt, d.at, d.next_at
     from webhook_delivery d left join operator_event e on e.id = d.event_id
     where d.webhook_id = $1 and ($2::uuid is null or d.id < $2) order by d.id desc limit $3`,
    [webhookId, page.before ?? null, page.limit + 1],
  );
  const [count] = await sql.query<{ total: number }>(
    'select count(*)::int as total from webhook_delivery where webhook_id = $1',
    [webhookId],
  );
  return { rows, total: count?.total ?? 0 };
}
