/** Events of an account as people look for them. */
import type { SQL } from 'drizzle-orm';
import type { Sql } from './database.ts';
import { and, count, desc, eq, gte, lt, sql } from './drizzle.ts';
import type { EventRow } from './messages.ts';
import { type PageRequest, type PageRows, totalOf } from './page.ts';
import { event, launch } from './schema.ts';
import { builder, type Row, rowsOf } from './statement.ts';

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

export type FoundEvent = EventRow & { readonly mailing_id: Row<typeof launch>['mailing_id'] | null };

/** Returns one page, the newest recorded first; `limit` + 1 rows tell whether there are more. */
export async function listEvents(
  to: Sql,
  accountId: string,
  filter: EventFilter,
  page: PageRequest,
): Promise<PageRows<FoundEvent>> {
  const db = builder();
  const matches = conditions(accountId, filter);
  // The mailings are looked up for the page alone, not for all that fit.
  const e = db
    .select()
    .from(event)
    .where(and(...matches, page.before === undefined ? undefined : lt(event.id, page.before)))
    .orderBy(desc(event.id))
    .limit(page.limit + 1)
    .as('e');
  const shown = db
    .select({
      id: e.id,
      message_id: e.message_id,
      channel_id: e.channel_id,
      event_id: e.event_id,
      type: e.type,
      attempt: e.attempt,
      time: e.time,
      external_id: e.external_id,
      code: e.code,
      text: e.text,
      value: e.value,
      mailing_id: launch.mailing_id,
    })
    .from(e)
    .leftJoin(launch, eq(launch.id, e.launch_id))
    .orderBy(desc(e.id));
  const rows = await rowsOf(to, shown);
  const counted = db
    .select({ total: count() })
    .from(event)
    .where(and(...matches));
  return { rows, total: totalOf(await rowsOf(to, counted)) };
}

function conditions(accountId: string, filter: EventFilter): SQL[] {
  const all = [eq(event.account_id, accountId)];
  const { channelId, mailingId, type, eventId, fromMs, toMs } = filter;
  if (channelId !== undefined) all.push(eq(event.channel_id, channelId));
  if (mailingId !== undefined) {
    // Ids are ordered by the time of recording, and nothing is recorded of a launch before it: what is older is not
    // looked at. An hour, because clocks of nodes differ. As an array it is no table to join with, once for each event.
    const ofMailing = sql`from ${launch} where ${eq(launch.mailing_id, mailingId)}`;
    all.push(
      sql`${event.launch_id} = any(array(select ${launch.id} ${ofMailing}))`,
      sql`${event.id} >= (select uuid_floor(min(${launch.started_at}) - interval '1 hour') ${ofMailing})`,
    );
  }
  if (type !== undefined) all.push(eq(event.type, type));
  if (eventId !== undefined) all.push(eq(event.event_id, eventId));
  if (fromMs !== undefined) {
    const from = new Date(fromMs);
    // Ids are ordered by the time of recording, at most a day before an event's own time: older months are not looked at.
    all.push(gte(event.time, from), sql`${event.id} >= uuid_floor(${from}::timestamptz - interval '1 day')`);
  }
  if (toMs !== undefined) all.push(lt(event.time, new Date(toMs)));
  return all;
}
