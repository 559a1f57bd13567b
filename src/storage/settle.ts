/**
 * Settling: everything that a batch of runs changed, in one statement and so in one transaction. Every part names the
 * waiting row it comes from; what this node no longer owns is left alone, so that a node taken for dead changes nothing.
 */
import type { Sql, SqlValue } from './database.ts';

export interface SettledWait {
  /** The waiting row this comes from. */
  readonly source: string;
  readonly id: string;
  readonly accountId: string | null;
  readonly laneId: number;
  readonly dueMs: number;
  readonly pipeline: number;
  readonly pipe: number | null;
  readonly tries: number;
  readonly messageId: string | null;
  readonly channelVersionId: number;
  readonly payload: string | null;
}

export interface SettledMessage {
  readonly source: string;
  readonly id: string;
  readonly attempt: number;
  readonly state: number;
  readonly reason: string | null;
  readonly externalId: string | null;
}

export interface SettledEvent {
  readonly source: string;
  readonly id: string;
  readonly accountId: string;
  readonly messageId: string;
  readonly channelId: number;
  readonly launchId: string | null;
  readonly eventId: number | null;
  readonly type: string;
  readonly attempt: number;
  readonly timeMs: number;
  readonly externalId: string | null;
  readonly code: string | null;
  readonly text: string | null;
  /** JSON text. */
  readonly value: string | null;
  /** Names the event among repeats: a second one with the same key is left out. */
  readonly dedupeKey: string | null;
}

export interface SettledAttempt {
  readonly source: string;
  readonly id: string;
  readonly accountId: string;
  readonly messageId: string;
  readonly number: number;
  readonly outcome: string;
  /** JSON text. */
  readonly trail: string;
}

export interface SettledExternalId {
  readonly source: string;
  readonly channelId: number;
  readonly externalId: string;
  readonly messageId: string;
  readonly attempt: number;
}

export interface ParkedEvent {
  readonly source: string;
  readonly id: string;
  readonly channelId: number;
  readonly accountId: string | null;
  readonly senderId: string | null;
  readonly externalId: string | null;
  readonly messageId: string | null;
  /** JSON text. */
  readonly event: string;
}

export interface SettledSubscription {
  readonly source: string;
  readonly messageId: string;
  readonly status: 'hard_bounced' | 'unsubscribed';
  readonly reason: string;
}

export interface Settlement {
  readonly node: number;
  readonly nowMs: number;
  /** Waiting rows that are finished. */
  readonly done: readonly string[];
  /** Waiting rows that wait again; `id` is the row itself. */
  readonly again: readonly SettledWait[];
  readonly waits: readonly SettledWait[];
  readonly messages: readonly SettledMessage[];
  readonly events: readonly SettledEvent[];
  readonly attempts: readonly SettledAttempt[];
  readonly externalIds: readonly SettledExternalId[];
  readonly parked: readonly ParkedEvent[];
  readonly subscriptions: readonly SettledSubscription[];
}

/** Writes a settlement in one statement. Gives the ids of the waiting rows that were still ours. */
export async function settle(sql: Sql, settlement: Settlement): Promise<string[]> {
  const values: SqlValue[] = [settlement.node, new Date(settlement.nowMs)];
  const parts: string[] = [];
  /** `unnest` of one array per column, with the casts given. */
  const rows = <T>(list: readonly T[], columns: readonly [string, (row: T) => string | number | null][]) => {
    const casts = columns.map(([type, read]) => {
      values.push(list.map(read));
      return `$${values.length}::${type}[]`;
    });
    return `unnest(${casts.join(', ')})`;
  };
  const { done, again, waits, messages, events, attempts, externalIds, parked, subscriptions } = settlement;

  // Named even where no part needs it: a parameter that nothing mentions has no type.
  parts.push('at as (select $2::timestamptz)');
  values.push([...done]);
  parts.push(`gone as (delete from waiting where id = any($3::uuid[]) and owner = $1 returning id)`);
  if (again.length > 0) {
    const from = rows(again, [
      ['uuid', (row) => row.id],
      ['float8', (row) => row.dueMs],
      ['int', (row) => row.pipe],
      ['int', (row) => row.tries],
      ['text', (row) => row.payload],
    ]);
    parts.push(`back as (update waiting w set owner = null, due_at = to_timestamp(a.due / 1000), pipe = a.pipe, tries = a.tries,
      payload = a.payload from ${from} as a (id, due, pipe, tries, payload) where w.id = a.id and w.owner = $1 returning w.id)`);
    parts.push('mine as (select id from gone union all select id from back)');
  } else parts.push('mine as (select id from gone)');
  const mine = 'where r.source in (select id from mine)';

  if (waits.length > 0) {
    const from = rows(waits, [
      ['uuid', (row) => row.source],
      ['uuid', (row) => row.id],
      ['uuid', (row) => row.accountId],
      ['int', (row) => row.laneId],
      ['float8', (row) => row.dueMs],
      ['int', (row) => row.pipeline],
      ['int', (row) => row.pipe],
      ['int', (row) => row.tries],
      ['uuid', (row) => row.messageId],
      ['int', (row) => row.channelVersionId],
      ['text', (row) => row.payload],
    ]);
    parts.push(`new_waits as (insert into waiting (id, account_id, lane_id, due_at, pipeline, pipe, tries, message_id, channel_version_id, payload)
      select r.id, r.account, r.lane, to_timestamp(r.due / 1000), r.pipeline, r.pipe, r.tries, r.message, r.version, r.payload
      from ${from} as r (source, id, account, lane, due, pipeline, pipe, tries, message, version, payload) ${mine})`);
  }
  if (messages.length > 0) {
    const from = rows(messages, [
      ['uuid', (row) => row.source],
      ['uuid', (row) => row.id],
      ['int', (row) => row.attempt],
      ['int', (row) => row.state],
      ['text', (row) => row.reason],
      ['text', (row) => row.externalId],
    ]);
    parts.push(`new_states as (update message m set state = r.state, attempt = r.attempt, reason = r.reason,
      external_id = coalesce(r.external_id, m.external_id), updated_at = $2
      from ${from} as r (source, id, attempt, state, reason, external_id)
      ${mine} and m.id = r.id and (r.attempt, r.state) > (m.attempt, m.state))`);
  }
  if (events.length > 0) {
    const from = rows(events, [
      ['uuid', (row) => row.source],
      ['uuid', (row) => row.id],
      ['uuid', (row) => row.accountId],
      ['uuid', (row) => row.messageId],
      ['int', (row) => row.channelId],
      ['uuid', (row) => row.launchId],
      ['int', (row) => row.eventId],
      ['text', (row) => row.type],
      ['int', (row) => row.attempt],
      ['float8', (row) => row.timeMs],
      ['text', (row) => row.externalId],
      ['text', (row) => row.code],
      ['text', (row) => row.text],
      ['text', (row) => row.value],
      ['text', (row) => row.dedupeKey],
    ]);
    parts.push(`given_events as materialized (select * from ${from} as r (source, id, account, message, channel, launch, event,
      type, attempt, time, external_id, code, text, value, dedupe) ${mine})`);
    const deduped = events.some((row) => row.dedupeKey !== null);
    if (deduped) {
      parts.push(`fresh_events as (insert into seen (scope, key, seen_at)
        select distinct 'event/' || channel, dedupe, $2::timestamptz from given_events where dedupe is not null
        on conflict do nothing returning scope, key)`);
    }
    parts.push(`new_events as (insert into event (id, account_id, message_id, channel_id, launch_id, event_id, type, attempt, time, external_id, code, text, value)
      select id, account, message, channel, launch, event, type, attempt, to_timestamp(time / 1000), external_id, code, text, value::json
      from given_events g
      ${deduped ? "where dedupe is null or exists (select from fresh_events f where f.scope = 'event/' || g.channel and f.key = g.dedupe)" : ''})`);
  }
  if (attempts.length > 0) {
    const from = rows(attempts, [
      ['uuid', (row) => row.source],
      ['uuid', (row) => row.id],
      ['uuid', (row) => row.accountId],
      ['uuid', (row) => row.messageId],
      ['int', (row) => row.number],
      ['text', (row) => row.outcome],
      ['text', (row) => row.trail],
    ]);
    parts.push(`new_attempts as (insert into attempt (id, account_id, message_id, number, outcome, trail)
      select r.id, r.account, r.message, r.number, r.outcome, r.trail::json
      from ${from} as r (source, id, account, message, number, outcome, trail) ${mine})`);
  }
  if (externalIds.length > 0) {
    const from = rows(externalIds, [
      ['uuid', (row) => row.source],
      ['int', (row) => row.channelId],
      ['text', (row) => row.externalId],
      ['uuid', (row) => row.messageId],
      ['int', (row) => row.attempt],
    ]);
    parts.push(`new_external_ids as (insert into external_id (channel_id, external_id, message_id, attempt)
      select r.channel, r.external_id, r.message, r.attempt
      from ${from} as r (source, channel, external_id, message, attempt) ${mine} on conflict do nothing)`);
  }
  if (parked.length > 0) {
    const from = rows(parked, [
      ['uuid', (row) => row.source],
      ['uuid', (row) => row.id],
      ['int', (row) => row.channelId],
      ['uuid', (row) => row.accountId],
      ['uuid', (row) => row.senderId],
      ['text', (row) => row.externalId],
      ['uuid', (row) => row.messageId],
      ['text', (row) => row.event],
    ]);
    parts.push(`new_parked as (insert into parked_event (id, channel_id, account_id, sender_id, external_id, message_id, event, parked_at)
      select r.id, r.channel, r.account, r.sender, r.external_id, r.message, r.event::json, $2
      from ${from} as r (source, id, channel, account, sender, external_id, message, event) ${mine})`);
  }
  if (subscriptions.length > 0) {
    const from = rows(subscriptions, [
      ['uuid', (row) => row.source],
      ['uuid', (row) => row.messageId],
      ['text', (row) => row.status],
      ['text', (row) => row.reason],
    ]);
    parts.push(`new_statuses as (update subscription s set status = r.status, status_reason = r.reason, updated_at = $2
      from ${from} as r (source, message, status, reason) join message m on m.id = r.message
      ${mine} and s.id = m.subscription_id and s.status = 'subscribed')`);
  }
  const settled = await sql.query<{ id: string }>(`with ${parts.join(',\n')} select id from mine`, values);
  return settled.map((row) => row.id);
}
