/** Launches of mailings: each start of a mailing, with all that it sends fixed. */
import type { Sql, SqlValue } from './database.ts';
import { countsOf, NONE_OPEN } from './launch-counts.ts';
import type { MailingSchedule } from './mailings.ts';
import { EMITTED_EVENTS, emitOperatorEvents, type OperatorEvent } from './operator-events.ts';
import { STATE_CODES } from './states.ts';

export interface LaunchRow {
  readonly id: string;
  readonly mailing_id: string;
  readonly mailing_name: string;
  readonly account_id: string;
  readonly number: number;
  readonly kind: 'real' | 'test' | 'moderation';
  readonly channel_version_id: number;
  readonly channel_id: number;
  readonly sender_id: string | null;
  readonly resource_id: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** The content item instead of own content, and the version of it that this launch sends; both or neither. */
  readonly content_item_id: string | null;
  readonly content_version: number | null;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly audience: Readonly<Record<string, unknown>>;
  readonly class: string;
  readonly category: string | null;
  readonly type: 'regular' | 'trigger' | 'placement';
  /** The last subscription that was looked at; null before the first page. */
  readonly opened_to: string | null;
  readonly opened: number;
  readonly opening: boolean;
  /** How many messages it will have, where it takes more than a page and they were counted. */
  readonly expected: number | null;
  readonly withdrawing: boolean;
  /** The last message that was looked at for withdrawing. */
  readonly withdrawn_to: string | null;
  readonly state: 'sending' | 'paused' | 'stopped' | 'finished';
  readonly started_at: Date;
  readonly finished_at: Date | null;
  readonly schedule: MailingSchedule | null;
}

const SELECT = `select l.*, m.name as mailing_name, m.channel_id, m.type, m.schedule
  from launch l join mailing m on m.id = l.mailing_id`;

export function readLaunches(sql: Sql, ids: readonly string[]): Promise<LaunchRow[]> {
  return sql.query<LaunchRow>(`${SELECT} where l.id = any($1::uuid[])`, [ids]);
}

export async function launchOfMessage(sql: Sql, messageId: string): Promise<string | undefined> {
  const rows = await sql.query<{ launch_id: string | null }>('select launch_id from message where id = $1', [
    messageId,
  ]);
  return rows[0]?.launch_id ?? undefined;
}

export function launchesOfMailing(sql: Sql, mailingId: string): Promise<LaunchRow[]> {
  return sql.query<LaunchRow>(`${SELECT} where l.mailing_id = $1 order by l.number`, [mailingId]);
}

export interface NewLaunch {
  readonly id: string;
  readonly mailingId: string;
  readonly kind: 'real' | 'test' | 'moderation';
  readonly channelVersionId: number;
  readonly nowMs: number;
  /** For tests: these profiles instead of the mailing's audience, as JSON text. */
  readonly audience: string | null;
  /** The version of the mailing's content item; null if it has content of its own. */
  readonly contentVersion: number | null;
}

/**
 * Fixes what a mailing sends in a new launch and brings the mailing to state `to` (null: as it is); undefined if the
 * mailing is not in one of the `from` states. A launch with an audience is to be opened; that of a trigger mailing waits
 * for its triggers.
 */
export async function insertLaunch(
  sql: Sql,
  launch: NewLaunch,
  from: readonly string[],
  to: string | null,
): Promise<{ id: string } | undefined> {
  const rows = await sql.query<{ id: string }>(
    `with started as (
       update mailing set state = coalesce($7, state), state_reason = null, updated_at = $5 where id = $2 and state = any($6::text[]) returning *)
     insert into launch (id, mailing_id, account_id, number, kind, channel_version_id, sender_id, resource_id, content,
       content_item_id, content_version, fields, audience, class, category, opening, state, started_at)
     select $1, id, account_id, (select coalesce(max(number), 0) + 1 from launch where mailing_id = $2), $3, $4, sender_id,
       resource_id, content, content_item_id, $9, fields, coalesce($8::text::json, audience), class, category,
       not (type = 'trigger' and $3 = 'real'), 'sending', $5
     from started returning id`,
    [
      launch.id,
      launch.mailingId,
      launch.kind,
      launch.channelVersionId,
      new Date(launch.nowMs),
      from,
      to,
      launch.audience,
      launch.contentVersion,
    ],
  );
  return rows[0];
}

/** The condition of an audience on profile `p`, with its values from `$first` on. */
export interface AudienceCondition {
  readonly text: string;
  readonly values: readonly SqlValue[];
  /** It names people by their external ids, so that they are found one by one. */
  readonly named?: true;
  /** The fields of people whose values it compares, and where. */
  readonly fields?: readonly { readonly name: string; readonly pointer: string }[];
}

/** How the messages of a page find their senders, where the launch names none. */
export interface LaunchChoice {
  /** The number of the rule that fits profile `p` and subscription `s`, as SQL. */
  readonly rule: string;
  /** Joins what the rule offers to the message of this id. Called once, after which `values` are complete. */
  readonly join: (id: string, rule: string) => string;
  /** They follow those of the audience. */
  readonly values: readonly SqlValue[];
}

const STATE_NAMES = Object.entries(STATE_CODES)
  .map(([name, code]) => `(${code}, '${name}')`)
  .join(', ');

export interface EndedLaunch {
  readonly id: string;
  readonly mailing_id: string;
  readonly kind: string;
}

/**
 * Finishes launches whose messages all reached their end, with their mailings; each by one node, which tells it. That of
 * a trigger mailing goes on until it is stopped. The counts are asked first, because they cost nothing, and when they
 * say so the messages themselves, once.
 */
export async function finishLaunches(
  sql: Sql,
  nowMs: number,
): Promise<{ ended: readonly EndedLaunch[]; emitted: readonly OperatorEvent[] }> {
  const rows = await sql.query<EndedLaunch & { readonly emitted: OperatorEvent[] | null }>(
    `with ended as (
       update launch l set finished_at = $1, state = case when state = 'stopped' then 'stopped' else 'finished' end
       where finished_at is null and not opening and not withdrawing and state in ('sending', 'stopped')
         and (state = 'stopped' or kind <> 'real' or not exists (
           select from mailing m where m.id = l.mailing_id and m.type = 'trigger'))
         and case when ${NONE_OPEN} then not exists (select from message m where m.launch_id = l.id and m.state < ${STATE_CODES.unknown})
           else false end
       returning l.id, l.mailing_id, l.kind, l.state, l.started_at),
     closed as (
       update mailing set state = 'finished', updated_at = $1
       from ended where mailing.id = ended.mailing_id and ended.kind = 'real' and ended.state = 'finished'
         and mailing.state = 'sending'
       returning mailing.*, ended.id as launch_id, ended.started_at),
     facts as (
       select m.account_id, 'mailing.finished' as type, json_build_object('mailing', m.id, 'name', m.name,
         'channel', c.sid, 'sender', s.sid, 'launch', m.launch_id, 'startedAt', iso_time(m.started_at),
         'counts', (
           select coalesce(json_object_agg(states.name, counted.count), '{}') from ${countsOf('m.launch_id')} counted
           join (values ${STATE_NAMES}) states (code, name) on states.code = counted.state)) as data
       from closed m join channel c on c.id = m.channel_id left join sender s on s.id = m.sender_id),
     ${emitOperatorEvents('$1')}
     select ended.id, ended.mailing_id, ended.kind, result.emitted
     from ended cross join (select ${EMITTED_EVENTS} as emitted) result`,
    [new Date(nowMs)],
  );
  return { ended: rows, emitted: rows[0]?.emitted ?? [] };
}

/** Far in the future: where rows of a paused launch wait. */
export const PARKED_DUE = `'9999-01-01T00:00:00Z'::timestamptz`;

/** Milliseconds of the due time of rows that wait for a resume. */
export const PARKED_DUE_MS = Date.UTC(9999, 0, 1);

/** Pauses or resumes the launches of a mailing that are neither finished nor stopped. Gives them. */
export async function setLaunchStates(
  sql: Sql,
  mailingId: string,
  state: 'sending' | 'paused',
): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `update launch set state = $2
     where mailing_id = $1 and finished_at is null and state <> 'stopped' returning id`,
    [mailingId, state],
  );
  return rows.map((row) => row.id);
}

/**
 * Stops the launches of a mailing that are under way; with `withdraws` those that have ended, too, because what they
 * placed still stands. Returns what is now to be stopped page by page.
 */
export async function stopLaunches(sql: Sql, mailingId: string, withdraws: boolean): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `update launch set state = 'stopped', opening = false, withdrawing = $2 and kind <> 'moderation', withdrawn_to = null
     where mailing_id = $1 and ((finished_at is null and state <> 'stopped') or ($2 and kind <> 'moderation'))
     returning id`,
    [mailingId, withdraws],
  );
  return rows.map((row) => row.id);
}

/** The launch of a mailing that takes triggers now; undefined if there is none. */
export async function triggeredLaunch(sql: Sql, mailingId: string): Promise<LaunchRow | undefined> {
  const rows = await sql.query<LaunchRow>(
    `${SELECT} where l.mailing_id = $1 and l.kind = 'real' and l.state in ('sending', 'paused')
     order by l.number desc limit 1`,
    [mailingId],
  );
  return rows[0];
}
