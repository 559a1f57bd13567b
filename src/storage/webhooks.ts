/** Webhooks that operators are told by. What waits for one stands in a lane of its own. */
import type { Sql } from './database.ts';
import { ensureLane } from './lanes.ts';
import { WEBHOOK_LANE } from './operator-events.ts';

export interface WebhookRow {
  readonly id: string;
  readonly account_id: string;
  readonly url: string;
  readonly events: readonly string[];
  /** `current` and perhaps `previous`, sealed. */
  readonly secrets: Readonly<Record<string, unknown>>;
  readonly previous_until: Date | null;
  readonly status: 'active' | 'disabled';
  readonly status_reason: string | null;
  readonly lane_id: number;
  readonly failing_since: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface NewWebhook {
  readonly id: string;
  readonly accountId: string;
  readonly url: string;
  readonly events: readonly string[];
  /** JSON text. */
  readonly secrets: string;
  readonly nowMs: number;
}

/**
 * Writes a webhook and its lane. The same write again gives it the new secret: what the first one made was never
 * shown, or its answer would have been kept.
 */
export async function insertWebhook(tx: Sql, webhook: NewWebhook): Promise<WebhookRow> {
  const { id, accountId, nowMs } = webhook;
  const lane = await ensureLane(tx, {
    key: `${WEBHOOK_LANE}${id}`,
    accountId,
    channelId: 0,
    senderId: null,
    nowMs,
  });
  const [row] = await tx.query<WebhookRow>(
    `insert into webhook (id, account_id, url, events, secrets, lane_id, created_at, updated_at)
     values ($1, $2, $3, $4::text[], $5::text::jsonb, $6, $7, $7)
     on conflict (id) do update set secrets = excluded.secrets returning *`,
    [id, accountId, webhook.url, webhook.events, webhook.secrets, lane.id, new Date(nowMs)],
  );
  return row as WebhookRow;
}

export async function readWebhook(sql: Sql, accountId: string, id: string): Promise<WebhookRow | undefined> {
  const rows = await sql.query<WebhookRow>('select * from webhook where account_id = $1 and id = $2', [
    accountId,
    id,
  ]);
  return rows[0];
}

/** Holds the row until the transaction ends. */
export async function lockWebhook(tx: Sql, accountId: string, id: string): Promise<WebhookRow | undefined> {
  const rows = await tx.query<WebhookRow>(
    'select * from webhook where account_id = $1 and id = $2 for update',
    [accountId, id],
  );
  return rows[0];
}

/** One page, newest first. */
export async function listWebhooks(
  sql: Sql,
  accountId: string,
  page: { limit: number; before: string | undefined },
): Promise<{ rows: WebhookRow[]; total: number }> {
  const rows = await sql.query<WebhookRow>(
    'select * from webhook where account_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3',
    [accountId, page.before ?? null, page.limit + 1],
  );
  const [count] = await sql.query<{ total: number }>(
    'select count(*)::int as total from webhook where account_id = $1',
    [accountId],
  );
  return { rows, total: count?.total ?? 0 };
}

export interface WebhookChange {
  readonly url: string;
  readonly events: readonly string[];
  /** JSON text. */
  readonly secrets: string;
  readonly previousUntilMs: number | null;
  readonly status: 'active' | 'disabled';
  readonly reason: string | null;
}

/** Sets a webhook that the transaction holds; one that is set active has no failures behind it. */
export async function updateWebhook(
  tx: Sql,
  id: string,
  change: WebhookChange,
  nowMs: number,
): Promise<WebhookRow> {
  const [row] = await tx.query<WebhookRow>(
    `update webhook set url = $2, events = $3::text[], secrets = $4::text::jsonb, previous_until = $5,
       failing_since = case when status <> $6 or url <> $2 then null else failing_since end,
       status = $6, status_reason = $7, updated_at = $8
     where id = $1 returning *`,
    [
      id,
      change.url,
      change.events,
      change.secrets,
      change.previousUntilMs === null ? null : new Date(change.previousUntilMs),
      change.status,
      change.reason,
      new Date(nowMs),
    ],
  );
  return row as WebhookRow;
}

/** Disables an active webhook; false if it is not. */
export async function disableWebhook(tx: Sql, id: string, reason: string, nowMs: number): Promise<boolean> {
  const rows = await tx.query<{ lane_id: number }>(
    `update webhook set status = 'disabled', status_reason = $2, updated_at = $3
     where id = $1 and status = 'active' returning lane_id`,
    [id, reason, new Date(nowMs)],
  );
  for (const { lane_id: laneId } of rows) await dropDeliveries(tx, laneId);
  return rows.length === 1;
}

/** What waits in the lane of a webhook goes. */
export async function dropDeliveries(tx: Sql, laneId: number): Promise<void> {
  await tx.query('delete from waiting where lane_id = $1 and owner is null', [laneId]);
}

/** The lane stays until nothing can wait in it any more; then retention takes it. */
export async function deleteWebhook(tx: Sql, { id, lane_id: laneId }: WebhookRow): Promise<void> {
  await dropDeliveries(tx, laneId);
  await tx.query('delete from webhook where id = $1', [id]);
}
