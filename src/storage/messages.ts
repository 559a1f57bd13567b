/** Reading messages: what people look at. */
import { PIPELINE_CODES } from './claim.ts';
import type { Sql } from './database.ts';
import { counting } from './launch-counts.ts';
import { STATE_CODES } from './states.ts';

export interface MessageRow {
  readonly id: string;
  readonly account_id: string;
  readonly channel: string;
  readonly channel_id: number;
  readonly channel_version_id: number;
  readonly sender: string | null;
  /** The name of the sender rule that chose its first sender. */
  readonly rule: string | null;
  readonly mailing_id: string | null;
  readonly profile: string | null;
  readonly state: number;
  readonly attempt: number;
  readonly reason: string | null;
  readonly external_id: string | null;
  readonly class: string;
  readonly content_item_id: string | null;
  readonly content_version: number | null;
  readonly updated_at: Date;
  readonly owned: boolean;
}

/** What is shown of some messages `m`, which `from` gives. */
const shown = (
  from: string,
) => `select m.id, m.account_id, c.sid as channel, m.channel_id, m.channel_version_id, s.sid as sender,
    o.name as rule, l.mailing_id, p.external_id as profile, m.state, m.attempt, m.reason, m.external_id, m.class, m.updated_at,
    coalesce(l.content_item_id, (m.content ->> 'item')::uuid) as content_item_id,
    coalesce(l.content_version, (m.content ->> 'version')::int) as content_version,
    exists (select from waiting w where w.id = m.id and w.owner is not null) as owned
  from ${from} m join channel c on c.id = m.channel_id
  left join sender s on s.id = m.sender_id
  left join sender_route o on o.id = m.route_id
  left join launch l on l.id = m.launch_id
  left join profile p on p.id = m.profile_id`;

export async function readMessage(sql: Sql, accountId: string, id: string): Promise<MessageRow | undefined> {
  const rows = await sql.query<MessageRow>(`${shown('message')} where m.id = $2 and m.account_id = $1`, [
    accountId,
    id,
  ]);
  return rows[0];
}

export interface EventRow {
  readonly id: string;
  readonly message_id: string;
  readonly channel_id: number;
  readonly event_id: number | null;
  readonly type: string;
  readonly attempt: number;
  readonly time: Date;
  readonly external_id: string | null;
  readonly code: string | null;
  readonly text: string | null;
  readonly value: unknown;
}

const EVENT = 'id, message_id, channel_id, event_id, type, attempt, time, external_id, code, text, value';

export function eventsOfMessage(sql: Sql, accountId: string, messageId: string): Promise<EventRow[]> {
  return sql.query<EventRow>(
    `select ${EVENT} from event where message_id = $2 and account_id = $1 and id >= $2 order by time, id`,
    [accountId, messageId],
  );
}

export interface AttemptRow {
  readonly number: number;
  readonly outcome: string;
  readonly trail: unknown;
  readonly id: string;
  readonly sender: string | null;
}

export function attemptsOfMessage(sql: Sql, accountId: string, messageId: string): Promise<AttemptRow[]> {
  return sql.query<AttemptRow>(
    `select a.id, a.number, a.outcome, a.trail, s.sid as sender from attempt a left join sender s on s.id = a.sender_id
     where a.message_id = $2 and a.account_id = $1 and a.id >= $2 order by a.id`,
    [accountId, messageId],
  );
}

export interface MessageFilter {
  readonly states?: readonly number[] | undefined;
  readonly channelId?: number | undefined;
  readonly mailingId?: string | undefined;
  /** The sid of the sender. */
  readonly sender?: string | undefined;
  readonly reason?: string | undefined;
}

function condition(
  filter: MessageFilter,
  first: number,
): { text: string; values: (string | number | number[])[] } {
  const parts: string[] = [];
  const values: (string | number | number[])[] = [];
  const bind = (value: string | number | number[]) => {
    values.push(value);
    return `$${first + values.length - 1}`;
  };
  if (filter.states !== undefined) parts.push(`m.state = any(${bind([...filter.states])}::int[])`);
  if (filter.channelId !== undefined) parts.push(`m.channel_id = ${bind(filter.channelId)}`);
  if (filter.mailingId !== undefined) {
    parts.push(`m.launch_id in (select id from launch where mailing_id = ${bind(filter.mailingId)})`);
  }
  if (filter.sender !== undefined) {
    parts.push(
      `m.sender_id in (select id from sender where account_id = $1 and sid = ${bind(filter.sender)})`,
    );
  }
  if (filter.reason !== undefined) parts.push(`m.reason = ${bind(filter.reason)}`);
  return { text: parts.map((part) => ` and ${part}`).join(''), values };
}

/** Launch `l` of mailing `g` was not opened all at one time: each of its messages has the id of its own moment. */
const TRIGGERED = `g.type = 'trigger' and l.kind = 'real'`;
/** The ids of all messages of an opened launch `l` begin as its own does, so that they stand together in the order of ids. */
const BESIDE = `m.id > (left(l.id::text, 13) || '-0000-0000-000000000000')::uuid
  and m.id <= (left(l.id::text, 13) || '-ffff-ffff-ffffffffffff')::uuid`;

/**
 * Up to `limit` messages, newest first, from `before` on. What belongs to them is looked up only for these: where the
 * page is not found by walking in the order of ids, it would be looked up for every message that fits.
 */
export function readMessages(
  sql: Sql,
  accountId: string,
  { mailingId, ...filter }: MessageFilter,
  page: { readonly limit: number; readonly before: string | undefined },
): Promise<MessageRow[]> {
  const where = condition(filter, 4);
  const values = [accountId, page.before ?? null, page.limit, ...where.values];
  const found = (more: string) =>
    `select * from message m where m.account_id = $1 and ($2::uuid is null or m.id < $2)${where.text}${more}
     order by m.id desc limit $3`;
  if (mailingId === undefined) {
    return sql.query<MessageRow>(`${shown(`(${found('')})`)} order by m.id desc`, values);
  }
  // Launch by launch, so that a page of a large one is walked to. No index answers "is not distinct from".
  const ofMailing = `select m.* from launch l join mailing g on g.id = l.mailing_id cross join lateral (
      (${found(` and not (${TRIGGERED}) and ${BESIDE} and m.launch_id is not distinct from l.id`)})
      union all (${found(` and ${TRIGGERED} and m.launch_id = l.id`)})) as m
    where l.mailing_id = $${values.length + 1} order by m.id desc limit $3`;
  return sql.query<MessageRow>(`${shown(`(${ofMailing})`)} order by m.id desc`, [...values, mailingId]);
}

/** One page, newest first; `limit` + 1 rows tell whether there are more. */
export async function listMessages(
  sql: Sql,
  accountId: string,
  filter: MessageFilter,
  page: { limit: number; before: string | undefined },
): Promise<{ rows: MessageRow[]; total: number }> {
  const rows = await readMessages(sql, accountId, filter, { ...page, limit: page.limit + 1 });
  const counted = condition(filter, 2);
  const [count] = await sql.query<{ total: number }>(
    `select count(*)::int as total from message m where m.account_id = $1${counted.text}`,
    [accountId, ...counted.values],
  );
  return { rows, total: count?.total ?? 0 };
}

/** What may be given a new attempt: messages that ended without success and wait nowhere; `m` is the message. */
const REDRIVABLE = `(m.state >= ${STATE_CODES.expired} or m.state in (${STATE_CODES.unknown}, ${STATE_CODES.soft_bounced}))
         and not exists (select from waiting w where w.id = m.id)
         and not exists (select from waiting w where w.message_id = m.id and w.message_id <> w.id)`;
/** A new attempt of such a message would stop at once. */
const OF_STOPPED = `exists (select from launch l where l.id = m.launch_id and l.state = 'stopped')`;

export type RedriveFilter = MessageFilter & { readonly ids?: readonly string[] | undefined };

/** Counts the messages of a filter whose new attempt would stop at once, because their mailing is stopped. */
export async function countStoppedRedrives(
  sql: Sql,
  accountId: string,
  filter: RedriveFilter,
): Promise<number> {
  const where = condition(filter, 3);
  const [row] = await sql.query<{ stopped: number }>(
    `select count(*)::int as stopped from message m
     where m.account_id = $1 and ($2::uuid[] is null or m.id = any($2::uuid[])) and ${REDRIVABLE} and ${OF_STOPPED}${where.text}`,
    [accountId, filter.ids === undefined ? null : [...filter.ids], ...where.values],
  );
  return row?.stopped ?? 0;
}

/**
 * Gives messages a new attempt, each on its own id: those of the filter that ended without success and wait nowhere.
 * It goes through the channel as it is now, since it is for a mistake of the channel that most are sent again.
 * Returns the redriven ids with their lanes.
 */
export function redriveMessages(
  sql: Sql,
  accountId: string,
  filter: RedriveFilter,
  most: number,
  nowMs: number,
): Promise<{ id: string; lane_id: number }[]> {
  const where = condition(filter, 5);
  return sql.query(
    `with chosen as (
       select m.id from message m
       where m.account_id = $1 and ($2::uuid[] is null or m.id = any($2::uuid[]))
         and ${REDRIVABLE} and not ${OF_STOPPED}${where.text}
       order by m.id limit $3 for update),
     again as (
       update message m set attempt = attempt + 1, prior = m.state, state = ${STATE_CODES.queued}, reason = null, updated_at = $4,
         channel_version_id = c.version_id
       from chosen, channel c where m.id = chosen.id and c.id = m.channel_id returning m.id, m.account_id, m.lane_id, m.channel_version_id,
         m.launch_id, m.prior, m.state),
     ${counting('again', '$4')},
     queued as (
       insert into waiting (id, account_id, lane_id, due_at, pipeline, message_id, channel_version_id)
       select id, account_id, lane_id, $4, ${PIPELINE_CODES.message}, id, channel_version_id from again on conflict (id) do nothing)
     select id, lane_id from again`,
    [accountId, filter.ids === undefined ? null : [...filter.ids], most, new Date(nowMs), ...where.values],
  );
}
