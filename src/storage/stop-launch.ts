/** Stopping and resuming launches, page by page: each page is one statement and may be done again. */
import { PIPELINE_CODES } from './claim.ts';
import type { Sql } from './database.ts';
import { counting, countsOf } from './launch-counts.ts';
import { PARKED_DUE } from './launches.ts';
import { STATE_CODES } from './states.ts';

/** The lanes in which messages of a channel go out for an account. */
export async function lanesOfChannel(sql: Sql, channelId: number, accountId: string): Promise<number[]> {
  const rows = await sql.query<{ id: number }>(
    `select id from lane where channel_id = $1 and (account_id = $2 or account_id is null) and key not like '%/in'
     order by id`,
    [channelId, accountId],
  );
  return rows.map((row) => row.id);
}

/** A place in a lane, in the order in which it is claimed. */
export interface WaitingPlace {
  readonly dueMs: number;
  readonly afterId: string;
}

/**
 * Ends what waits of a launch among the next rows of a lane: the messages are stopped, their rows go. What was sent
 * keeps what it has scheduled, and what runs now is left to its run. Parked rows are looked at where it is said so.
 * Returns where the next page begins; undefined after the last one.
 */
export async function stopWaiting(
  sql: Sql,
  launchId: string,
  laneId: number,
  after: WaitingPlace,
  parked: boolean,
  pageRows: number,
  nowMs: number,
): Promise<WaitingPlace | undefined> {
  const [row] = await sql.query<{ looked: number; due: number; id: string }>(
    `with page as materialized (
       select w.id, w.due_at, w.message_id from waiting w
       where w.lane_id = $2 and (w.due_at, uuid_send(w.id)) > (to_timestamp($3::float8 / 1000), uuid_send($4::uuid))
         ${parked ? '' : `and w.due_at < ${PARKED_DUE}`}
       order by w.due_at, uuid_send(w.id) limit ${Math.trunc(pageRows)}),
     gone as (
       delete from waiting w using page p, message m
       where w.id = p.id and w.owner is null and w.pipeline <> ${PIPELINE_CODES.stop}
         and m.id = p.message_id and m.launch_id = $1 and m.state < ${STATE_CODES.sent}
       returning w.message_id),
     stopped as (
       update message m set prior = m.state, state = ${STATE_CODES.stopped}, reason = 'MAILING_STOPPED', updated_at = $5
       from (select distinct message_id from gone) as g
       where m.id = g.message_id and m.state < ${STATE_CODES.unknown}
       returning m.launch_id, m.prior, m.state),
     ${counting('stopped', '$5')}
     select (select count(*)::int from page) as looked, (extract(epoch from due_at) * 1000)::float8 as due, id
     from page order by due_at desc, id desc limit 1`,
    [launchId, laneId, after.dueMs, after.afterId, new Date(nowMs)],
  );
  return row === undefined || row.looked < pageRows ? undefined : { dueMs: row.due, afterId: row.id };
}

export interface WithdrawnPage {
  readonly more: boolean;
  /** Where the next page begins. */
  readonly withdrawnTo: string | null;
  /** Lanes in which something waits now. */
  readonly lanes: readonly number[];
}

/**
 * Puts the next placed messages of a launch before the first pipe of the Stop pipeline; those that are on their way, too,
 * where they wait until it is known what became of them. The messages of an opened launch all have ids that begin as
 * its own does.
 */
export async function withdrawPage(
  sql: Sql,
  launchId: string,
  withdrawnTo: string | null,
  pageRows: number,
  nowMs: number,
): Promise<WithdrawnPage> {
  const start = launchId.slice(0, '01234567-89ab'.length);
  const [row] = await sql.query<{ more: boolean; withdrawn_to: string | null; lanes: number[] | null }>(
    `with l as materialized (
       select id from launch
       where id = $1 and withdrawing and withdrawn_to is not distinct from $2::uuid for update),
     looked as materialized (
       select id, account_id, lane_id, channel_version_id, launch_id, state from message
       where id > coalesce($2::uuid, $4::uuid)
         and id <= $5::uuid
       order by id limit ${Math.trunc(pageRows)}),
     queued as (
       insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id)
       select gen_random_uuid(), m.account_id, m.lane_id, $3, ${PIPELINE_CODES.stop}, m.id, m.channel_version_id
       from looked m join l on l.id = m.launch_id
       where m.state < ${STATE_CODES.expired} and m.state <> ${STATE_CODES.unknown}
       returning lane_id)
     update launch set
       withdrawn_to = coalesce((select id from looked order by id desc limit 1), withdrawn_to),
       withdrawing = (select count(*) from looked) >= ${Math.trunc(pageRows)}
     where id in (select id from l)
     returning withdrawing as more, withdrawn_to, (select json_agg(distinct lane_id) from queued) as lanes`,
    [
      launchId,
      withdrawnTo,
      new Date(nowMs),
      `${start}-0000-0000-000000000000`,
      `${start}-ffff-ffff-ffffffffffff`,
    ],
  );
  return { more: row?.more ?? false, withdrawnTo: row?.withdrawn_to ?? null, lanes: row?.lanes ?? [] };
}

/** How many messages of a launch are still on their way. */
export async function openMessages(sql: Sql, launchId: string): Promise<number> {
  const [row] = await sql.query<{ open: number }>(
    `select coalesce(sum(count), 0)::int as open from ${countsOf('$1')} as counts
     where state < ${STATE_CODES.unknown}`,
    [launchId],
  );
  return row?.open ?? 0;
}

/**
 * Makes the next parked rows of a launch due again, unless it is paused again. Returns the id after which the next page
 * begins; undefined after the last one.
 */
export async function unparkPage(
  sql: Sql,
  launchId: string,
  laneId: number,
  afterId: string,
  pageRows: number,
  nowMs: number,
): Promise<string | undefined> {
  const [row] = await sql.query<{ looked: number; last: string | null }>(
    `with page as materialized (
       select id, message_id from waiting
       where lane_id = $2 and due_at = ${PARKED_DUE} and uuid_send(id) > uuid_send($3::uuid)
       order by uuid_send(id) limit ${Math.trunc(pageRows)}),
     freed as (
       update waiting w set due_at = $4 from page p, message m, launch l
       where w.id = p.id and w.due_at = ${PARKED_DUE} and m.id = p.message_id and m.launch_id = $1
         and l.id = $1 and l.state = 'sending'
       returning w.id),
     told as (update lane set epoch = epoch + 1 where id = $2 and exists (select from freed))
     select (select count(*)::int from page) as looked, (select id from page order by id desc limit 1) as last`,
    [launchId, laneId, afterId, new Date(nowMs)],
  );
  return row === undefined || row.looked < pageRows ? undefined : (row.last ?? undefined);
}
