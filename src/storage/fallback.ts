/** Messages that go on with another sender: what their rule declares, and those that wait in open lanes. */
import { PIPELINE_CODES } from './claim.ts';
import type { Sql } from './database.ts';
import { counting } from './launch-counts.ts';
import { PARKED_DUE_MS } from './launches.ts';
import { STATE_CODES } from './states.ts';

/** A message with the senders it may still go by, in their order: each is taken once. */
export interface FallbackRow {
  readonly id: string;
  readonly account_id: string;
  readonly channel_version_id: number;
  readonly resource_id: string;
  readonly sender_id: string;
  readonly attempt: number;
  readonly class: string;
  readonly fallback_on: readonly string[];
  readonly next: readonly string[] | null;
}

/** Of message `m` with route `r`; another row of the message may still send it. */
const COLUMNS = `m.id, m.account_id, m.channel_version_id, m.resource_id, m.sender_id, m.attempt, m.class,
  to_json(r.fallback_on) as fallback_on,
  (select json_agg(f.id order by f.place) from unnest(r.fallback) with ordinality as f (id, place)
   join sender s on s.id = f.id
   where f.id <> m.sender_id and not exists (
     select from attempt a where a.message_id = m.id and a.id >= m.id and a.sender_id = f.id)) as next`;
const ALONE = `m.state < ${STATE_CODES.sent}
  and not exists (select from waiting o where o.message_id = m.id and o.message_id <> o.id)`;

/** Whether any rule was ever made; without one nobody needs to look. */
export async function anyRoutes(sql: Sql): Promise<boolean> {
  const [row] = await sql.query<{ made: boolean }>('select exists (select from sender_route) as made');
  return row?.made === true;
}

/** Those of the messages that a rule sent on their way and that were not sent yet. */
export function readFallbacks(sql: Sql, messageIds: readonly string[]): Promise<FallbackRow[]> {
  return sql.query<FallbackRow>(
    `select ${COLUMNS} from message m join sender_route r on r.id = m.route_id
     where m.id = any($1::uuid[]) and m.sender_id is not null and ${ALONE}`,
    [messageIds],
  );
}

/** Open lanes of one sender in whose channel some rule moves on what waits. */
export function openLanes(sql: Sql, word: string): Promise<{ id: number; key: string }[]> {
  return sql.query(
    `select l.id, l.key from lane l
     where l.breaker = 'open' and l.sender_id is not null and exists (
       select from sender_route r
       where r.account_id = l.account_id and r.channel_id = l.channel_id and $1 = any(r.fallback_on))`,
    [word],
  );
}

export interface LanePosition {
  readonly dueMs: number;
  readonly id: string;
}

/** A row of an open lane, in the order of the lane; only its place where it does not move. */
export interface OpenRow extends Omit<FallbackRow, 'id'> {
  readonly place_id: string;
  /** Milliseconds. */
  readonly due: number;
  readonly id: string | null;
  readonly payload: string | null;
}

/** The next rows of a lane after a position; rows of a paused launch are not among them. */
export function readOpenLane(
  sql: Sql,
  laneId: number,
  after: LanePosition,
  word: string,
  most: number,
): Promise<OpenRow[]> {
  return sql.query<OpenRow>(
    `with page as materialized (
       select w.id, w.due_at, w.pipeline, w.owner, w.message_id, w.payload from waiting w
       where w.lane_id = $1 and (w.due_at, uuid_send(w.id)) > (to_timestamp($2::float8 / 1000), uuid_send($3::uuid))
         and w.due_at < to_timestamp(${PARKED_DUE_MS} / 1000.0)
       order by w.due_at, uuid_send(w.id) limit ${Math.trunc(most)})
     select page.id as place_id, (extract(epoch from page.due_at) * 1000)::float8 as due, moving.*,
       case when moving.id is not null then page.payload end as payload
     from page left join lateral (
       select ${COLUMNS} from message m join sender_route r on r.id = m.route_id
       where m.id = page.message_id and page.id = m.id and page.pipeline = ${PIPELINE_CODES.message}
         and page.owner is null and m.sender_id is not null and $4 = any(r.fallback_on) and ${ALONE}) as moving on true
     order by page.due_at, page.id`,
    [laneId, after.dueMs, after.id, word],
  );
}

export interface MovedMessage {
  readonly id: string;
  /** Of the attempt that ends. */
  readonly attemptId: string;
  readonly attempt: number;
  readonly fromSenderId: string;
  readonly senderId: string;
  readonly laneId: number;
}

/**
 * Moves what waits in a lane to other senders, each as a new attempt; `trail` tells why, as JSON text. What was claimed,
 * moved or reported as sent in the meantime stays. Returns the lanes they wait in now.
 */
export async function moveMessages(
  sql: Sql,
  fromLaneId: number,
  messages: readonly MovedMessage[],
  trail: string,
  nowMs: number,
): Promise<{ moved: number; lanes: readonly number[] }> {
  const [row] = await sql.query<{ moved: number; lanes: readonly number[] | null }>(
    `with given as (
       select * from unnest($3::uuid[], $4::uuid[], $5::int[], $6::uuid[], $7::uuid[], $8::int[])
         as g (id, attempt_id, attempt, from_sender, sender, lane)),
     held as (
       select w.id, w.payload is null as fresh from waiting w join message m on m.id = w.id join given g on g.id = w.id
       where w.lane_id = $1 and w.owner is null and m.attempt = g.attempt and m.sender_id = g.from_sender
         and m.state < ${STATE_CODES.sent}
       order by w.id for update of w, m),
     moved as (
       update waiting w set lane_id = g.lane, pipe = null, tries = 0, payload = null,
         due_at = case when w.payload is null then greatest(w.due_at, $2) else $2 end
       from given g join held on held.id = g.id where w.id = g.id returning w.lane_id),
     changed as (
       update message m set attempt = m.attempt + 1, prior = m.state, state = ${STATE_CODES.queued},
         -- One that a guard holds is held all the same.
         reason = case when held.fresh then m.reason end, sender_id = g.sender, lane_id = g.lane,
         updated_at = $2
       from given g join held on held.id = g.id where m.id = g.id
       returning m.id, m.account_id, m.launch_id, m.prior, m.state),
     ${counting('changed', '$2')},
     told as (
       insert into attempt (id, account_id, message_id, number, sender_id, outcome, trail)
       select g.attempt_id, c.account_id, c.id, g.attempt, g.from_sender, 'moved', $9::text::json
       from given g join changed c on c.id = g.id)
     select count(*)::int as moved, json_agg(distinct lane_id) as lanes from moved`,
    [
      fromLaneId,
      new Date(nowMs),
      messages.map((each) => each.id),
      messages.map((each) => each.attemptId),
      messages.map((each) => each.attempt),
      messages.map((each) => each.fromSenderId),
      messages.map((each) => each.senderId),
      messages.map((each) => each.laneId),
      trail,
    ],
  );
  return { moved: row?.moved ?? 0, lanes: row?.lanes ?? [] };
}

/** Keeps messages with the sender they have: what its provider may have taken goes to no other one. */
export async function saveSenders(sql: Sql, messageIds: readonly string[]): Promise<void> {
  if (messageIds.length === 0) return;
  await sql.query('update message set route_id = null where id = any($1::uuid[]) and route_id is not null', [
    messageIds,
  ]);
}
