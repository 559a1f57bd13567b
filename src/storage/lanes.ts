/** Lanes: what is isolated from what. */
import type { Sql, SqlValue } from './database.ts';
import {
  EMITTED_EVENTS,
  EMITTING_LANE,
  emitOperatorEvents,
  LANE_ACCOUNT,
  type OperatorEvent,
} from './operator-events.ts';

export interface LaneRow {
  readonly id: number;
  readonly key: string;
  readonly account_id: string | null;
  readonly channel_id: number;
  readonly sender_id: string | null;
  readonly paused_at: Date | null;
  readonly epoch: number;
  readonly breaker: 'closed' | 'open' | 'half_open';
  readonly probe_at: Date | null;
  readonly times_opened: number;
  /** The provider asked for rest until then. */
  readonly held_until: Date | null;
}

const COLUMNS =
  'id, key, account_id, channel_id, sender_id, paused_at, epoch, breaker, probe_at, times_opened, held_until';

/**
 * All lanes; there is one per account, channel and sender, so they are few. Out of a paused channel nothing leaves, and
 * what comes in goes on.
 */
export function readLanes(sql: Sql): Promise<LaneRow[]> {
  return sql.query<LaneRow>(
    `select l.id, l.key, l.account_id, l.channel_id, l.sender_id, l.epoch, l.breaker, l.probe_at, l.times_opened,
       l.held_until, coalesce(l.paused_at, c.updated_at) as paused_at
     from lane l left join channel c on c.id = l.channel_id and c.status = 'paused' and l.key not like '%/in'`,
  );
}

/** The lane of a key, made where there is none. */
export async function ensureLane(
  sql: Sql,
  lane: { key: string; accountId: string | null; channelId: number; senderId: string | null; nowMs: number },
): Promise<LaneRow> {
  const [row] = await sql.query<LaneRow>(
    `insert into lane (key, account_id, channel_id, sender_id, created_at) values ($1, $2, $3, $4, $5)
     on conflict (key) do update set key = excluded.key returning ${COLUMNS}`,
    [lane.key, lane.accountId, lane.channelId, lane.senderId, new Date(lane.nowMs)],
  );
  return row as LaneRow;
}

export interface ShownLane {
  readonly id: number;
  readonly key: string;
  readonly channel: string | null;
  readonly sender: string | null;
  readonly paused_at: Date | null;
  readonly breaker: 'closed' | 'open' | 'half_open';
  readonly opened_at: Date | null;
  readonly probe_at: Date | null;
  readonly held_until: Date | null;
  readonly fault: unknown;
  readonly waiting: number;
  readonly due: number;
  readonly oldest: Date | null;
}

/** The lanes of an account and those that all accounts share, with what waits in them. */
export function showLanes(sql: Sql, accountId: string, nowMs: number): Promise<ShownLane[]> {
  return sql.query<ShownLane>(
    `select l.id, l.key, c.sid as channel, s.sid as sender, l.paused_at, l.breaker, l.opened_at,
       l.probe_at, l.held_until, l.fault, coalesce(w.waiting, 0)::int as waiting,
       coalesce(w.due, 0)::int as due, w.oldest
     from lane l left join channel c on c.id = l.channel_id left join sender s on s.id = l.sender_id
     left join (select lane_id, count(*) as waiting, count(*) filter (where due_at <= $2) as due, min(due_at) as oldest
       from waiting group by lane_id) w on w.lane_id = l.id
     where l.account_id = $1 or l.account_id is null order by l.id`,
    [accountId, new Date(nowMs)],
  );
}

/** The names of a changed lane `l`, as members of a JSON object; needs `NAMED`. */
const NAMES = `'lane', l.key, 'laneId', l.id, 'channel', c.sid, 'sender', s.sid`;
const NAMED = 'left join channel c on c.id = l.channel_id left join sender s on s.id = l.sender_id';

/** Pauses or resumes a lane; undefined if the account has no such lane. */
export async function pauseLane(
  sql: Sql,
  accountId: string,
  id: number,
  verb: 'pause' | 'resume',
  nowMs: number,
): Promise<readonly OperatorEvent[] | undefined> {
  const pauses = verb === 'pause';
  const [row] = await sql.query<{ emitted: OperatorEvent[] | null }>(
    `with before as (select id, paused_at from lane where id = $2 and account_id = $1 for update),
     l as (
       update lane set paused_at = ${pauses ? '$3::timestamptz' : 'null'}, epoch = epoch + 1 from before
       where lane.id = before.id returning lane.*, before.paused_at as was_paused_at),
     facts as (
       select l.account_id, 'lane.${verb}d' as type, json_build_object(${NAMES}) as data from l ${NAMED}
       where ${EMITTING_LANE} and l.was_paused_at is ${pauses ? '' : 'not'} null),
     ${emitOperatorEvents('$3')}
     select ${EMITTED_EVENTS} as emitted from l`,
    [accountId, id, new Date(nowMs)],
  );
  return row === undefined ? undefined : (row.emitted ?? []);
}

/**
 * Opens a lane's breaker until `probeAtMs`; undefined if it is open already. `fault` is JSON text. Told is only that
 * it opened, not that a probe failed; and to all accounts only what cannot be of another one.
 */
export async function openBreaker(
  sql: Sql,
  id: number,
  nowMs: number,
  probeAtMs: number,
  fault: string | null,
): Promise<readonly OperatorEvent[] | undefined> {
  const [row] = await sql.query<{ emitted: OperatorEvent[] | null }>(
    `with l as (
       update lane set breaker = 'open', opened_at = coalesce(opened_at, $2::timestamptz), probe_at = $3,
         times_opened = times_opened + 1, fault = coalesce($4::text::json, fault)
       where id = $1 and breaker <> 'open' returning *),
     named as (
       select l.*, c.sid as channel, s.sid as sender, ${LANE_ACCOUNT} as owner from l ${NAMED}
       where l.times_opened = 1 and ${EMITTING_LANE}),
     facts as (
       select owner as account_id, 'lane.opened' as type, json_build_object('lane', key, 'laneId', id,
         'channel', channel, 'sender', sender, 'probeAt', iso_time(probe_at),
         'code', fault ->> 'code', 'status', fault -> 'status',
         'reason', case when owner is not null then fault ->> 'reason' end,
         'request', case when owner is not null then fault ->> 'request' end,
         'excerpt', case when owner is not null then fault ->> 'excerpt' end) as data
       from named),
     ${emitOperatorEvents('$2')}
     select ${EMITTED_EVENTS} as emitted from l`,
    [id, new Date(nowMs), new Date(probeAtMs), fault],
  );
  return row === undefined ? undefined : (row.emitted ?? []);
}

/** Lets one node probe an open lane until `untilMs`; true for the one. */
export async function probeBreaker(sql: Sql, id: number, nowMs: number, untilMs: number): Promise<boolean> {
  const rows = await sql.query(
    `update lane set breaker = 'half_open', probe_at = $3
     where id = $1 and breaker in ('open', 'half_open') and probe_at <= $2 returning id`,
    [id, new Date(nowMs), new Date(untilMs)],
  );
  return rows.length === 1;
}

/** Closes a breaker and tells every node to look behind its cursors; undefined if it is closed already. */
export function closeBreaker(
  sql: Sql,
  id: number,
  nowMs: number,
): Promise<readonly OperatorEvent[] | undefined> {
  return close(sql, [id, new Date(nowMs)], "lane.breaker <> 'closed'", 'probe');
}

/**
 * Closes the breaker of a lane and ends its rest, by hand; undefined if the account has no such lane that needs it.
 * Told is only that a breaker closed.
 */
export function resetLane(
  sql: Sql,
  accountId: string,
  id: number,
  nowMs: number,
): Promise<readonly OperatorEvent[] | undefined> {
  const needed = "lane.account_id = $3 and (lane.breaker <> 'closed' or lane.held_until > $2)";
  return close(sql, [id, new Date(nowMs), accountId], needed, 'reset');
}

/** Values are the lane, the time, and what `needed` asks for more. */
async function close(
  sql: Sql,
  values: readonly SqlValue[],
  needed: string,
  by: 'probe' | 'reset',
): Promise<readonly OperatorEvent[] | undefined> {
  const [row] = await sql.query<{ emitted: OperatorEvent[] | null }>(
    `with before as (select id, opened_at, breaker from lane where id = $1 and ${needed} for update),
     l as (
       update lane set breaker = 'closed', opened_at = null, probe_at = null, times_opened = 0,
         ${by === 'reset' ? 'held_until = null,' : ''} epoch = epoch + 1
       from before where lane.id = before.id
       returning lane.*, before.opened_at as was_opened_at, before.breaker as was),
     facts as (
       select ${LANE_ACCOUNT} as account_id, 'lane.closed' as type, json_build_object(${NAMES},
         'openedAt', iso_time(l.was_opened_at), 'by', '${by}') as data
       from l ${NAMED} where ${EMITTING_LANE} and l.was <> 'closed'),
     ${emitOperatorEvents('$2')}
     select ${EMITTED_EVENTS} as emitted from l`,
    values,
  );
  return row === undefined ? undefined : (row.emitted ?? []);
}

/** Nothing of the lane is claimed before `untilMs`. */
export async function holdLane(sql: Sql, id: number, untilMs: number): Promise<void> {
  await sql.query('update lane set held_until = greatest(held_until, $2) where id = $1', [
    id,
    new Date(untilMs),
  ]);
}
