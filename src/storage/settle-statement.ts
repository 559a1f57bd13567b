/**
 * The statement of a settlement. What travels is kept small: rows name their waiting row by its place in the list of
 * settled rows, accounts and launches by their place in a dictionary, and a message that has the id of its waiting row
 * is not named at all. Only parts that have rows are in the statement; the rare ones are in it all together, so that
 * few texts are prepared.
 */
import { arrayText, type ColumnType } from './array-text.ts';
import type { SqlValue } from './database.ts';
import { counting } from './launch-counts.ts';
import { PARKED_DUE_MS } from './launches.ts';
import { EMITTED_EVENTS, emitOperatorEvents } from './operator-events.ts';
import { doneRequestsPart, failedRequestsPart } from './settle-requests.ts';
import type { SettledMessage, SettledWait, Settlement } from './settlement.ts';
import { STATE_CODES } from './states.ts';

type Column<T> = readonly [name: string, type: ColumnType, read: (row: T) => string | number | null];

/** $1 the node, $2 the time, $3 the settled waiting rows, $4 the dictionary, $5 how many of $3 are finished. */
const FIRST_FREE = 5;
/** An event about many messages names so many of them. */
const MOST_NAMED = 10;

/** Builds the statement and its values. */
export function settleStatement(settlement: Settlement): { text: string; values: readonly SqlValue[] } {
  const { done, again, waits, messages, events, attempts, externalIds, parked } = settlement;
  const { subscriptions, suppressions, exhausted, failedRequests, doneRequests } = settlement;
  const settled = [...done, ...again.map((row) => row.id)];
  const places = new Map(settled.map((id, index) => [id, index + 1]));
  const dictionary = new Map<string, number>();
  const values: SqlValue[] = [];
  const parts: string[] = [];

  const entryOf = (id: string | null): number | null => {
    if (id === null) return null;
    let entry = dictionary.get(id);
    if (entry === undefined) {
      entry = dictionary.size + 1;
      dictionary.set(id, entry);
    }
    return entry;
  };
  const entry = (name: string) => `($4::uuid[])[r.${name}]`;
  const unnest = <T>(list: readonly T[], columns: readonly Column<T>[]) => {
    const casts = columns.map(([, type, read]) => {
      values.push(arrayText(list, type, read));
      return `$${FIRST_FREE + values.length}::${type}[]`;
    });
    return `unnest(${casts.join(', ')}) as r (${columns.map(([name]) => name).join(', ')})`;
  };
  /** Rows of a part as `r`, joined with the waiting rows that are still ours as `s`. */
  const ours = <T extends { readonly source: string }>(list: readonly T[], columns: readonly Column<T>[]) =>
    `${unnest<T>(list, [['source', 'int', (row) => places.get(row.source) ?? 0], ...columns])} join mine s on s.place = r.source`;
  const messageOf = <T extends { readonly source: string }>(read: (row: T) => string): Column<T> => [
    'message',
    'uuid',
    (row) => (read(row) === row.source ? null : read(row)),
  ];
  const message = 'coalesce(r.message, s.id)';
  const parks = again.filter((row) => row.dueMs === PARKED_DUE_MS && row.messageId !== null);
  const rare =
    messages.some((row) => row.next !== undefined || row.fills === true) ||
    [parks, parked, subscriptions, suppressions, exhausted].some((list) => list.length > 0);

  parts.push('gone as (delete from waiting where id = any($3::uuid[]) and owner = $1 returning id)');
  if (again.length > 0) {
    const from = unnest(again, [
      ['id', 'uuid', (row) => row.id],
      ['due', 'float8', (row) => row.dueMs],
      ['pipe', 'int', (row) => row.pipe],
      ['tries', 'int', (row) => row.tries],
      ['payload', 'text', (row) => row.payload],
      ...(rare ? [['lane', 'int', (row: SettledWait) => row.laneId] as const] : []),
    ]);
    let due = 'to_timestamp(r.due / 1000)';
    parts.length = 0;
    if (rare) {
      values.push(arrayText(parks, 'uuid', (row) => row.messageId));
      // A launch that was resumed or stopped in the meantime has no paused rows any more: they are due again soon.
      parts.push(`paused as materialized (select m.id from message m join launch l on l.id = m.launch_id
        where m.id = any($${FIRST_FREE + values.length}::uuid[]) and l.state = 'paused' for share of l)`);
      due = `case when r.due = ${PARKED_DUE_MS} and w.message_id not in (select id from paused) then $2 + interval '1 second' else ${due} end`;
    }
    // The rows that go are those of the list that do not wait again. One that is due at that very time already was put
    // back by this settlement before, whose answer was lost, and has been claimed again: that run is not to be undone.
    parts.push(`back as (update waiting w set owner = null, due_at = ${due}, pipe = r.pipe, tries = r.tries,
      payload = r.payload${rare ? ', lane_id = r.lane' : ''} from ${from}
      where w.id = r.id and w.owner = $1 and w.due_at <> to_timestamp(r.due / 1000) returning w.id)`);
    parts.push(
      `gone as (delete from waiting where id = any(($3::uuid[])[1:$5::int]) and owner = $1 returning id)`,
      'held as (select id from gone union all select id from back)',
    );
  } else parts.push('held as (select id from gone)');
  parts.push(
    'mine as (select id, place from held join unnest($3::uuid[]) with ordinality as p (id, place) using (id))',
  );

  if (waits.length > 0) {
    const from = ours(waits, [
      ['id', 'uuid', (row) => row.id],
      ['account', 'int', (row) => entryOf(row.accountId)],
      ['lane', 'int', (row) => row.laneId],
      ['due', 'float8', (row) => row.dueMs],
      ['pipeline', 'int', (row) => row.pipeline],
      ['pipe', 'int', (row) => row.pipe],
      ['tries', 'int', (row) => row.tries],
      ['message', 'uuid', (row) => row.messageId],
      ['version', 'int', (row) => row.channelVersionId],
      ['payload', 'text', (row) => row.payload],
    ]);
    parts.push(`new_waits as (insert into waiting (id, account_id, lane_id, due_at, pipeline, pipe, tries, message_id, channel_version_id, payload)
      select r.id, ${entry('account')}, r.lane, to_timestamp(r.due / 1000), r.pipeline, r.pipe, r.tries, r.message, r.version, r.payload
      from ${from})`);
  }
  if (messages.length > 0) {
    const from = ours(messages, [
      messageOf((row) => row.id),
      ['attempt', 'int', (row) => row.attempt],
      ['state', 'int', (row) => row.state],
      ['reason', 'text', (row) => row.reason],
      ['external_id', 'text', (row) => row.externalId],
      ...(rare
        ? [
            ['sender', 'uuid', (row: SettledMessage) => row.next?.senderId ?? null] as const,
            ['lane', 'int', (row: SettledMessage) => row.next?.laneId ?? null] as const,
            ['fills', 'int', (row: SettledMessage) => (row.fills === true ? 1 : null)] as const,
          ]
        : []),
    ]);
    // A state only rises, but what a message waits for may change; the provider's id is kept even if a report has overtaken it.
    const newer = `((r.attempt, r.state) > (m.attempt, m.state) or (r.state = ${STATE_CODES.queued}
      and (r.attempt, r.state) = (m.attempt, m.state) and r.reason is distinct from m.reason))`;
    const rises = rare ? `(${newer} and (r.sender is null or m.state < ${STATE_CODES.sent}))` : newer;
    const moved = rare
      ? `, sender_id = case when ${rises} then coalesce(r.sender, m.sender_id) else m.sender_id end,
      lane_id = case when ${rises} then coalesce(r.lane, m.lane_id) else m.lane_id end`
      : '';
    const named = 'coalesce(r.external_id, m.external_id)';
    const externalId = rare
      ? `case when r.fills = 1 and r.attempt = m.attempt then coalesce(m.external_id, r.external_id) else ${named} end`
      : named;
    // The id of a send replaces another of its attempt; that of any other event counts only if there is none.
    const brings = `r.external_id is not null and ${rare ? 'case when r.fills = 1 then m.external_id is null else m.external_id is distinct from r.external_id end' : 'm.external_id is distinct from r.external_id'}`;
    // Counts follow for launches only: a message sent by the API costs nothing here.
    const counted = messages.some((row) => row.launchId !== null);
    parts.push(`new_states as (update message m set ${counted ? 'prior = m.state, ' : ''}state = case when ${rises} then r.state else m.state end,
      attempt = ${rare ? `case when ${rises} then r.attempt else m.attempt end` : 'greatest(r.attempt, m.attempt)'}, reason = case when ${rises} then r.reason else m.reason end,
      external_id = ${externalId}, updated_at = $2${moved}
      from ${from}
      where m.id = ${message} and (${rises} or (r.attempt = m.attempt and ${brings}))${counted ? ' returning m.launch_id, m.prior, m.state' : ''})`);
    if (counted) parts.push(counting('new_states', '$2'));
  }
  if (events.length > 0) {
    const from = ours(events, [
      ['id', 'uuid', (row) => row.id],
      ['account', 'int', (row) => entryOf(row.accountId)],
      messageOf((row) => row.messageId),
      ['channel', 'int', (row) => row.channelId],
      ['launch', 'int', (row) => entryOf(row.launchId)],
      ['event', 'int', (row) => row.eventId],
      ['type', 'text', (row) => row.type],
      ['attempt', 'int', (row) => row.attempt],
      ['time', 'float8', (row) => row.timeMs],
      ['external_id', 'text', (row) => row.externalId],
      ['code', 'text', (row) => row.code],
      ['text', 'text', (row) => row.text],
      ['value', 'text', (row) => row.value],
      ['dedupe', 'text', (row) => row.dedupeKey],
    ]);
    const deduped = events.some((row) => row.dedupeKey !== null);
    const seen = `'event/' || coalesce(r.message, r.waiting_id)`;
    parts.push(`given_events as materialized (select r.*, s.id as waiting_id from ${from})`);
    if (deduped) {
      parts.push(`fresh_events as (insert into seen (scope, key, seen_at)
        select distinct ${seen}, dedupe, $2::timestamptz from given_events r where dedupe is not null
        on conflict do nothing returning scope, key)`);
    }
    parts.push(`new_events as (insert into event (id, account_id, message_id, channel_id, launch_id, event_id, type, attempt, time, external_id, code, text, value)
      select r.id, ${entry('account')}, coalesce(r.message, r.waiting_id), r.channel, ${entry('launch')}, r.event, r.type, r.attempt,
        to_timestamp(r.time / 1000), r.external_id, r.code, r.text, r.value::json
      from given_events r
      ${deduped ? `where r.dedupe is null or exists (select from fresh_events f where f.scope = ${seen} and f.key = r.dedupe)` : ''})`);
  }
  if (attempts.length > 0) {
    const from = ours(attempts, [
      ['id', 'uuid', (row) => row.id],
      ['account', 'int', (row) => entryOf(row.accountId)],
      messageOf((row) => row.messageId),
      ['number', 'int', (row) => row.number],
      ['sender', 'int', (row) => entryOf(row.senderId ?? null)],
      ['outcome', 'text', (row) => row.outcome],
      ['trail', 'text', (row) => row.trail],
    ]);
    parts.push(`new_attempts as (insert into attempt (id, account_id, message_id, number, sender_id, outcome, trail)
      select r.id, ${entry('account')}, ${message}, r.number, ${entry('sender')}, r.outcome, r.trail::json from ${from})`);
  }
  if (externalIds.length > 0) {
    const from = ours(externalIds, [
      ['channel', 'int', (row) => row.channelId],
      ['external_id', 'text', (row) => row.externalId],
      messageOf((row) => row.messageId),
      ['attempt', 'int', (row) => row.attempt],
    ]);
    parts.push(`new_external_ids as (insert into external_id (channel_id, external_id, message_id, attempt)
      select r.channel, r.external_id, ${message}, max(r.attempt) from ${from} group by 1, 2, 3
      on conflict (channel_id, external_id, message_id) do update set attempt = greatest(external_id.attempt, excluded.attempt))`);
  }
  if (rare) {
    const from = ours(parked, [
      ['id', 'uuid', (row) => row.id],
      ['channel', 'int', (row) => row.channelId],
      ['account', 'int', (row) => entryOf(row.accountId)],
      ['sender', 'uuid', (row) => row.senderId],
      ['external_id', 'text', (row) => row.externalId],
      ['message', 'uuid', (row) => row.messageId],
      ['event', 'text', (row) => row.event],
    ]);
    parts.push(`new_parked as (insert into parked_event (id, channel_id, account_id, sender_id, external_id, message_id, event, parked_at)
      select r.id, r.channel, ${entry('account')}, r.sender, r.external_id, r.message, r.event::json, $2 from ${from})`);
    const statuses = ours(subscriptions, [
      messageOf((row) => row.messageId),
      ['status', 'text', (row) => row.status],
      ['reason', 'text', (row) => row.reason],
    ]);
    parts.push(`new_statuses as (update subscription u set status = r.status, status_reason = r.reason, updated_at = $2
      from ${statuses} join message m on m.id = ${message}
      where u.id = m.subscription_id and u.status = 'subscribed')`);
  }
  if (rare) {
    const from = ours(suppressions, [
      ['id', 'uuid', (row) => row.id],
      ['account', 'int', (row) => entryOf(row.accountId)],
      ['key', 'text', (row) => row.key],
      ['address', 'text', (row) => row.address],
      ['channel', 'int', (row) => row.channelId],
      ['resource', 'int', (row) => entryOf(row.resourceId)],
      ['reason', 'text', (row) => row.reason],
      messageOf((row) => row.messageId),
      ['expires', 'float8', (row) => row.expiresMs],
    ]);
    // One that is there for good stays as it is; one that ends is never made shorter.
    parts.push(`new_suppressions as (insert into suppression as x (id, account_id, key, address, channel_id, resource_id, reason, source, message_id, created_at, expires_at)
      select distinct on (r.key, r.channel, r.account, r.resource) r.id, ${entry('account')}, r.key, r.address, r.channel,
        ${entry('resource')}, r.reason, 'event', ${message}, $2, to_timestamp(r.expires / 1000)
      from ${from} order by r.key, r.channel, r.account, r.resource, r.expires desc
      on conflict (account_id, key, channel_id, resource_id) do update
        set reason = excluded.reason, source = excluded.source, message_id = excluded.message_id,
          expires_at = case when excluded.expires_at is not null then greatest(x.expires_at, excluded.expires_at) end
        where x.expires_at is not null)`);
  }
  if (rare) {
    const from = ours(exhausted, [
      messageOf((row) => row.messageId),
      ['state', 'text', (row) => row.state],
      ['reason', 'text', (row) => row.reason],
    ]);
    parts.push(
      `given_up as (select m.account_id, m.channel_id, m.sender_id, r.state, r.reason, count(*) as count,
        (array_agg(m.id order by m.id))[1:${MOST_NAMED}] as messages
        from ${from} join message m on m.id = ${message}
        where r.state <> 'unknown' or m.state < ${STATE_CODES.sent} group by 1, 2, 3, 4, 5)`,
      `facts as (select g.account_id, 'message.exhausted' as type, json_build_object('channel', c.sid, 'sender', n.sid,
        'state', g.state, 'reason', g.reason, 'count', g.count, 'messages', g.messages) as data
        from given_up g join channel c on c.id = g.channel_id left join sender n on n.id = g.sender_id)`,
      emitOperatorEvents('$2'),
    );
  }
  if (failedRequests.length > 0) {
    const failed = ours(failedRequests, [
      ['id', 'uuid', (row) => row.id],
      ['account', 'int', (row) => entryOf(row.accountId)],
      ['version', 'int', (row) => row.channelVersionId],
      ['lane', 'int', (row) => row.laneId],
      ['pipeline', 'int', (row) => row.pipeline],
      ['pipe', 'int', (row) => row.pipe],
      ['reason', 'text', (row) => row.reason],
      ['message', 'text', (row) => row.message],
      ['payload', 'text', (row) => row.payload],
      ['registered', 'text', (row) => row.registered],
      ['received', 'float8', (row) => row.receivedMs],
    ]);
    parts.push(failedRequestsPart(failed, entry('account')));
  }
  if (doneRequests.length > 0)
    parts.push(doneRequestsPart(ours(doneRequests, [['id', 'uuid', (row) => row.id]])));
  const emitted = rare ? `, ${EMITTED_EVENTS} as emitted` : '';
  // Named even where no part needs them: a parameter that nothing mentions has no type.
  const text = `with given as (select $2::timestamptz, $4::uuid[], $5::int), ${parts.join(',\n')} select id${emitted} from mine`;
  return {
    text,
    values: [
      settlement.node,
      new Date(settlement.nowMs),
      arrayText(settled, 'uuid', (id) => id),
      arrayText([...dictionary.keys()], 'uuid', (id) => id),
      done.length,
      ...values,
    ],
  };
}
