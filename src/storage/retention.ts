/** What is past its time goes: small tables by delete, big ones by dropping whole months. */
import type { Sql } from './database.ts';
import { WEBHOOK_LANE } from './operator-events.ts';

const DAY_MS = 86_400_000;
/** Repeats and keys are recognised for so long. */
const SEEN_DAYS = 7;
const IDEMPOTENCY_DAYS = 2;
const PARKED_DAYS = 30;
const DELIVERY_DAYS = 30;
/** A limit that nobody asked for so long after its window is forgotten. */
const LIMIT_DAYS = 1;

/** Deletes what nobody asks for any more, in small bites, and drops partitions older than `retentionDays`. */
export async function dropOld(sql: Sql, nowMs: number, retentionDays: number): Promise<void> {
  const before = (days: number) => new Date(nowMs - days * DAY_MS);
  const bite = 'limit 10000';
  await sql.query(
    `delete from store_record where ctid = any(array(select ctid from store_record where expires_at < $1 ${bite}))`,
    [new Date(nowMs)],
  );
  await sql.query(
    `delete from seen where ctid = any(array(select ctid from seen where seen_at < $1 ${bite}))`,
    [before(SEEN_DAYS)],
  );
  await sql.query(
    `delete from token where ctid = any(array(select ctid from token where kind = 'session' and expires_at < $1 ${bite}))`,
    [before(SEEN_DAYS)],
  );
  await sql.query(
    `delete from idempotency where ctid = any(array(select ctid from idempotency where created_at < $1 ${bite}))`,
    [before(IDEMPOTENCY_DAYS)],
  );
  await sql.query(
    `delete from parked_event where ctid = any(array(select ctid from parked_event where parked_at < $1 ${bite}))`,
    [before(PARKED_DAYS)],
  );
  await sql.query(
    `delete from trigger_key where ctid = any(array(select ctid from trigger_key where message_id < uuid_floor($1) ${bite}))`,
    [before(retentionDays)],
  );
  await sql.query(
    `with gone as (delete from rate_limit where greatest(seen_ms, held_ms) + window_ms < $1::float8 returning key)
     delete from rate_holder where key in (select key from gone)`,
    [before(LIMIT_DAYS).getTime()],
  );
  // The ids of providers go with the messages they belong to, whose ids are ordered by time.
  await sql.query(
    `delete from external_id where ctid = any(array(select ctid from external_id where message_id < uuid_floor($1) ${bite}))`,
    [before(retentionDays)],
  );
  await sql.query(
    `delete from operator_event where ctid = any(array(select ctid from operator_event where id < uuid_floor($1) ${bite}))`,
    [before(retentionDays)],
  );
  await sql.query(
    `delete from listener_request where ctid = any(array(select ctid from listener_request where failed_at < $1 ${bite}))`,
    [before(retentionDays)],
  );
  await sql.query('delete from refused_request where last_at < $1', [before(retentionDays)]);
  await sql.query(
    `delete from webhook_delivery where ctid = any(array(select ctid from webhook_delivery where id < uuid_floor($1) ${bite}))`,
    [before(DELIVERY_DAYS)],
  );
  await sql.query(
    `delete from lane where key like '${WEBHOOK_LANE}%' and not exists (select from webhook where lane_id = lane.id)
       and not exists (select from waiting where lane_id = lane.id)`,
  );
  const oldest = before(retentionDays).toISOString().slice(0, 7).replace('-', '');
  const old = await sql.query<{ name: string }>(
    `select child.relname as name from pg_inherits
     join pg_class parent on parent.oid = inhparent join pg_class child on child.oid = inhrelid
     where parent.relname in ('message', 'event', 'attempt') and right(child.relname, 6) < $1
       and child.relname ~ '^(message|event|attempt)_[0-9]{6}$'`,
    [oldest],
  );
  for (const { name } of old) await sql.query(`drop table if exists "${name}"`);
}
