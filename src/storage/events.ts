/** Events of an account as people look for them. */
import type { Sql, SqlValue } from './database.ts';
import type { EventRow } from './messages.ts';

export interface EventFilter {
  readonly channelId?: number | undefined;
  readonly mailingId?: string | undefined;
  /** The platform event type. */
  readonly type?: string | undefined;
  /** The id of the channel's event. */
  readonly eventId?: number | undefined;
  /** From the first moment on, up to and without the second; by the event's own time. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

export interface FoundEvent extends EventRow {
  readonly mailing_id: string | null;
}

/** One page, the newest recorded first; `limit` + 1 rows tell whether there are more. */
export async function listEvents(
  sql: Sql,
  accountId: string,
  filter: EventFilter,
  page: { readonly limit: number; readonly before: string | undefined },
): Promise<{ rows: FoundEvent[]; total: number }> {
  const { where, values } = conditionOf(accountId, filter);
  const next = values.length + 1;
  // The mailings are looked up for the page alone, not for all that fit.
  const rows = await sql.query<FoundEvent>(
    `select e.id, e.message_id, e.channel_id, e.event_id, e.type, e.attempt, e.time, e.external_id, e.code, e.text,
       e.value, l.mailing_id
     from (
       select * from event e
       where ${where} and ($${next}::uuid is null or e.id < $${next}) order by e.id desc limit $${next + 1}) as e
     left join launch l on l.id = e.launch_id order by e.id desc`,
    [...values, page.before ?? null, page.limit + 1],
  );
  const [count] = await sql.query<{ total: number }>(
    `select count(*)::int as total from event e where ${where}`,
    values,
  );
  return { rows, total: count?.total ?? 0 };
}

function conditionOf(accountId: string, filter: EventFilter): { where: string; values: SqlValue[] } {
  const values: SqlValue[] = [accountId];
  const parts = ['e.account_id = $1'];
  const add = (value: SqlValue | undefined, text: (place: string) => string) => {
    if (value === undefined) return;
    values.push(value);
    parts.push(text(`$${values.length}`));
  };
  const timeOf = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms));
  add(filter.channelId, (place) => `e.channel_id = ${place}`);
  // Ids are ordered by the time of recording, and nothing is recorded of a launch before it: what is older is not looked
  // at. An hour, because clocks of nodes differ. As an array it is no table to join with, once for each event.
  add(
    filter.mailingId,
    (place) => `e.launch_id = any(array(select id from launch where mailing_id = ${place}))
      and e.id >= (select uuid_floor(min(started_at) - interval '1 hour') from launch where mailing_id = ${place})`,
  );
  add(filter.type, (place) => `e.type = ${place}`);
  add(filter.eventId, (place) => `e.event_id = ${place}`);
  // Ids are ordered by the time of recording, at most a day before an event's own time: older months are not looked at.
  add(
    timeOf(filter.fromMs),
    (place) => `e.time >= ${place} and e.id >= uuid_floor(${place}::timestamptz - interval '1 day')`,
  );
  add(timeOf(filter.toMs), (place) => `e.time < ${place}`);
  return { where: parts.join(' and '), values };
}
