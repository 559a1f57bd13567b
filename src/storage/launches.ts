/** Launches of mailings: opened page by page from their audience, each page one statement. */
import { PIPELINE_CODES } from './claim.ts';
import type { Sql, SqlValue } from './database.ts';
import { TOLD, type ToldEvent, telling } from './operator-events.ts';
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
  readonly opened: number;
  readonly opening: boolean;
  readonly state: 'sending' | 'paused' | 'stopped' | 'finished';
  readonly started_at: Date;
  readonly finished_at: Date | null;
  readonly schedule: Readonly<Record<string, unknown>> | null;
}

const SELECT = `select l.*, m.name as mailing_name, m.channel_id, m.schedule
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
  /** The version of the mailing's content item; null where it has content of its own. */
  readonly contentVersion: number | null;
}

/**
 * Fixes what a mailing sends in a new launch and brings the mailing to state `to` (null: as it is); undefined where the
 * mailing is not in one of the `from` states.
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
       resource_id, content, content_item_id, $9, fields, coalesce($8::text::json, audience), class, category, true, 'sending', $5
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
}

export interface OpenedPage {
  readonly opened: number;
  readonly more: boolean;
  /** The lanes of what was opened, where senders were chosen. */
  readonly lanes?: readonly number[] | null;
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

/**
 * Turns the next page of a direct launch's audience into messages and waiting rows, in one statement: whoever is
 * subscribed, in the order of subscription ids. Opening a page again changes nothing.
 */
export async function openDirectPage(
  sql: Sql,
  launchId: string,
  laneId: number,
  pageRows: number,
  nowMs: number,
  condition: AudienceCondition,
  choice?: LaunchChoice,
): Promise<OpenedPage> {
  const { selected, columns, values, joined, lane, state, lanes } = chosenParts(
    choice,
    'launch_message_id(l.id, page.id)',
    'page.rule',
  );
  const [row] = await sql.query<OpenedPage>(
    `with l as materialized (
       select launch.*, mailing.channel_id, mailing.name as mailing_name from launch join mailing on mailing.id = launch.mailing_id
       where launch.id = $1 and launch.opening and launch.state = 'sending' for update of launch),
     page as materialized (
       select s.id, s.profile_id${selected} from l join subscription s
         on s.resource_id = l.resource_id and s.channel_id = l.channel_id
         and s.id > coalesce(l.opened_to, '00000000-0000-0000-0000-000000000000'::uuid) and s.status = 'subscribed'
       join profile p on p.id = s.profile_id
       where ${condition.text}
       order by s.id limit ${Math.trunc(pageRows)}),
     opened as (
       insert into message (id, account_id, channel_id, channel_version_id, lane_id, launch_id, profile_id,
         subscription_id, resource_id, class, updated_at, sender_id, state${columns})
       select launch_message_id(l.id, page.id), l.account_id, l.channel_id, l.channel_version_id, ${lane}, l.id,
         page.profile_id, page.id, l.resource_id, l.class, $3, ${values}
       from l cross join page${joined} on conflict (id) do nothing returning id, account_id, lane_id, channel_version_id, state),
     queued as (
       insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id)
       select id, account_id, lane_id, $3, ${PIPELINE_CODES.message}, id, channel_version_id from opened${state})
     update launch set
       opened_to = coalesce((select id from page order by id desc limit 1), opened_to),
       opened = opened + (select count(*) from opened),
       opening = (select count(*) from page) >= ${Math.trunc(pageRows)}
     where id in (select id from l)
     returning (select count(*)::int from opened) as opened, opening as more${lanes}`,
    [launchId, laneId, new Date(nowMs), ...condition.values, ...(choice?.values ?? [])],
    'authored',
  );
  // Without a row the launch was paused or stopped meanwhile, or another process has its turn: to be looked at again.
  return row ?? { opened: 0, more: true };
}

/** Opens an indirect launch: one message for its resource, in the given pipeline. */
export async function openIndirect(
  sql: Sql,
  launchId: string,
  laneId: number,
  pipeline: 'message' | 'moderate',
  nowMs: number,
  choice?: LaunchChoice,
): Promise<OpenedPage> {
  const { columns, values, joined, lane, state, lanes } = chosenParts(
    choice,
    'launch_message_id(l.id, l.resource_id)',
    choice?.rule ?? '',
    pipeline === 'message',
  );
  // Rules that ask about people fit nobody here.
  const nobody =
    choice === undefined ? '' : ' left join profile p on false left join subscription s on false';
  const [row] = await sql.query<{ opened: number; lanes?: readonly number[] }>(
    `with l as materialized (
       select launch.*, mailing.channel_id, mailing.name as mailing_name from launch join mailing on mailing.id = launch.mailing_id
       where launch.id = $1 and launch.opening and launch.state = 'sending' for update of launch),
     opened as (
       insert into message (id, account_id, channel_id, channel_version_id, lane_id, launch_id, resource_id, class,
         updated_at, sender_id, state${columns})
       select launch_message_id(l.id, l.resource_id), l.account_id, l.channel_id, l.channel_version_id, ${lane}, l.id,
         l.resource_id, l.class, $3, ${values} from l${nobody}${joined}
       on conflict (id) do nothing returning id, account_id, lane_id, channel_version_id, state),
     queued as (
       insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id)
       select id, account_id, lane_id, $3, ${PIPELINE_CODES[pipeline]}, id, channel_version_id from opened${state})
     update launch set opened = opened + (select count(*) from opened), opening = false
     where id in (select id from l) returning (select count(*)::int from opened) as opened${lanes}`,
    [launchId, laneId, new Date(nowMs), ...(choice?.values ?? [])],
    'authored',
  );
  return { opened: row?.opened ?? 0, more: row === undefined, lanes: row?.lanes ?? null };
}

/**
 * What differs in the statement of a page where senders are chosen. A message without a fitting rule fails at once; not
 * so a moderation, whose run must end for its mailing to go on.
 */
function chosenParts(choice: LaunchChoice | undefined, id: string, rule: string, fails = true) {
  const { accepted, failed } = STATE_CODES;
  if (choice === undefined) {
    const values = `l.sender_id, ${accepted}`;
    return { selected: '', columns: '', values, joined: '', lane: '$2::int', state: '', lanes: '' };
  }
  const sender = 'pick.senders[w.place]';
  const unchosen = fails ? `${sender} is null` : 'false';
  return {
    selected: `, ${choice.rule} as rule`,
    columns: ', reason, route_id',
    values: `${sender}, case when ${unchosen} then ${failed} else ${accepted} end,
      case when ${unchosen} then 'SENDER_NOT_CHOSEN' end, pick.route`,
    joined: ` ${choice.join(id, rule)}`,
    lane: 'coalesce(pick.lanes[w.place], $2::int)',
    state: ` where state = ${accepted}`,
    lanes: ', (select json_agg(distinct lane_id) from opened) as lanes',
  };
}

const STATE_NAMES = Object.entries(STATE_CODES)
  .map(([name, code]) => `(${code}, '${name}')`)
  .join(', ');

export interface EndedLaunch {
  readonly id: string;
  readonly mailing_id: string;
  readonly kind: string;
}

/** Finishes launches whose messages all reached their end, with their mailings; each by one node, which tells it. */
export async function finishLaunches(
  sql: Sql,
  nowMs: number,
): Promise<{ ended: readonly EndedLaunch[]; told: readonly ToldEvent[] }> {
  const rows = await sql.query<EndedLaunch & { readonly told: ToldEvent[] | null }>(
    `with ended as (
       update launch l set finished_at = $1, state = case when state = 'stopped' then 'stopped' else 'finished' end
       where finished_at is null and not opening and state in ('sending', 'stopped')
         and not exists (select from message m where m.launch_id = l.id and m.state < ${STATE_CODES.unknown})
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
           select coalesce(json_object_agg(states.name, counted.count), '{}') from (
             select state, count(*) as count from message where launch_id = m.launch_id group by state) counted
           join (values ${STATE_NAMES}) states (code, name) on states.code = counted.state)) as data
       from closed m join channel c on c.id = m.channel_id left join sender s on s.id = m.sender_id),
     ${telling('$1')}
     select ended.id, ended.mailing_id, ended.kind, result.told
     from ended cross join (select ${TOLD} as told) result`,
    [new Date(nowMs)],
  );
  return { ended: rows, told: rows[0]?.told ?? [] };
}

/** Messages of launches by state. */
export function countByState(
  sql: Sql,
  launchIds: readonly string[],
): Promise<{ state: number; count: number }[]> {
  return sql.query(
    'select state, count(*)::int as count from message where launch_id = any($1::uuid[]) group by state',
    [launchIds],
  );
}

/** Far in the future: where rows of a paused launch wait. */
const PARKED_DUE = `'9999-01-01T00:00:00Z'::timestamptz`;

/** Milliseconds of the due time of rows that wait for a resume. */
export const PARKED_DUE_MS = Date.UTC(9999, 0, 1);

/** Makes the parked rows of a launch due again. */
export async function unparkLaunch(sql: Sql, launchId: string, nowMs: number): Promise<void> {
  await sql.query(
    `with freed as (
       update waiting w set due_at = $2 from message m
       where m.launch_id = $1 and w.message_id = m.id and w.due_at = ${PARKED_DUE} returning w.lane_id)
     update lane set epoch = epoch + 1 where id in (select lane_id from freed)`,
    [launchId, new Date(nowMs)],
  );
}

/** Sets the state of the launches of a mailing that are neither finished nor stopped. */
export async function setLaunchStates(
  sql: Sql,
  mailingId: string,
  state: 'sending' | 'paused' | 'stopped',
): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `update launch set state = $2, opening = opening and $2 <> 'stopped'
     where mailing_id = $1 and finished_at is null and state <> 'stopped' returning id`,
    [mailingId, state],
  );
  return rows.map((row) => row.id);
}

/** Puts every placed message of launches before the first pipe of the Stop pipeline. Gives their lanes. */
export async function withdrawMessages(
  sql: Sql,
  launchIds: readonly string[],
  nowMs: number,
): Promise<number[]> {
  const rows = await sql.query<{ lane_id: number }>(
    `with queued as (
       insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id)
       select gen_random_uuid(), account_id, lane_id, $2, ${PIPELINE_CODES.stop}, id, channel_version_id
       from message
       where launch_id = any($1::uuid[]) and state >= ${STATE_CODES.sent} and state < ${STATE_CODES.expired}
       returning lane_id)
     select distinct lane_id from queued`,
    [launchIds, new Date(nowMs)],
  );
  return rows.map((row) => row.lane_id);
}

/** Ends what still waits of stopped launches: the messages are stopped, their rows go. */
export async function stopMessages(sql: Sql, launchIds: readonly string[], nowMs: number): Promise<number> {
  const [row] = await sql.query<{ stopped: number }>(
    `with gone as (
       delete from waiting w using message m
       where m.launch_id = any($1::uuid[]) and w.message_id = m.id and w.owner is null returning m.id),
     stopped as (
       update message set state = ${STATE_CODES.stopped}, reason = 'MAILING_STOPPED', updated_at = $2
       where id in (select id from gone) and state < ${STATE_CODES.sent} returning id)
     select count(*)::int as stopped from stopped`,
    [launchIds, new Date(nowMs)],
  );
  return row?.stopped ?? 0;
}
