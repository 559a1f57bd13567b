/** Requests of providers that failed, and those that were refused: lists, counts, and what puts them on their way again. */

import type { SQL } from 'drizzle-orm';
import type { Sql } from './database.ts';
import { and, count, desc, eq, gte, inArray, lt, lte } from './drizzle.ts';
import type { RefusedSample } from './json-columns.ts';
import { EMITTED_EVENTS, emitOperatorEvents, type OperatorEvent } from './operator-events.ts';
import { type PageRequest, type PageRows, totalOf } from './page.ts';
import { channel, listenerRequest, refusedRequest } from './schema.ts';
import { builder, type Row, rowsOf } from './statement.ts';

export type ListenerRequestRow = Omit<Row<typeof listenerRequest>, 'registered' | 'payload' | 'announced'> & {
  /** The sid of its channel. */
  readonly channel: string;
};

export interface ListenerRequestFilter {
  readonly ids?: readonly string[] | undefined;
  readonly channel?: string | undefined;
  readonly reason?: string | undefined;
  readonly state?: ListenerRequestRow['state'] | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

const { id, account_id: accountOf, channel_id: channelOf, reason, state } = listenerRequest;
const shown = () => ({
  ...{ id, account_id: accountOf, channel_id: channelOf, reason, state, channel: channel.sid },
  channel_version_id: listenerRequest.channel_version_id,
  lane_id: listenerRequest.lane_id,
  pipeline: listenerRequest.pipeline,
  pipe: listenerRequest.pipe,
  message: listenerRequest.message,
  runs: listenerRequest.runs,
  received_at: listenerRequest.received_at,
  failed_at: listenerRequest.failed_at,
});

function matches(accountId: string, filter: ListenerRequestFilter): SQL | undefined {
  const { ids, from, to } = filter;
  return and(
    eq(accountOf, accountId),
    ids === undefined ? undefined : inArray(id, [...ids]),
    filter.channel === undefined ? undefined : eq(channel.sid, filter.channel),
    filter.reason === undefined ? undefined : eq(reason, filter.reason),
    filter.state === undefined ? undefined : eq(state, filter.state),
    from === undefined ? undefined : gte(listenerRequest.received_at, from),
    to === undefined ? undefined : lte(listenerRequest.received_at, to),
  );
}

/** Returns one page of an account's kept requests, newest first. */
export async function listListenerRequests(
  to: Sql,
  accountId: string,
  filter: ListenerRequestFilter,
  page: PageRequest,
): Promise<PageRows<ListenerRequestRow>> {
  const db = builder();
  const fits = matches(accountId, filter);
  const selected = db
    .select(shown())
    .from(listenerRequest)
    .innerJoin(channel, eq(channel.id, channelOf))
    .where(and(fits, page.before === undefined ? undefined : lt(id, page.before)))
    .orderBy(desc(id))
    .limit(page.limit + 1);
  const rows = await rowsOf(to, selected);
  const counted = db
    .select({ total: count() })
    .from(listenerRequest)
    .innerJoin(channel, eq(channel.id, channelOf))
    .where(fits);
  return { rows, total: totalOf(await rowsOf(to, counted)) };
}

/** Returns a kept request with its payload; undefined if the account has none of this id. */
export async function readListenerRequest(
  to: Sql,
  accountId: string,
  requestId: string,
): Promise<(ListenerRequestRow & { readonly payload: string }) | undefined> {
  const selected = builder()
    .select({ ...shown(), payload: listenerRequest.payload })
    .from(listenerRequest)
    .innerJoin(channel, eq(channel.id, channelOf))
    .where(and(eq(accountOf, accountId), eq(id, requestId)))
    .limit(1);
  return (await rowsOf(to, selected))[0];
}

/** Locks failed requests that fit, the oldest first, and marks them as running. Returns what their next runs need. */
export async function takeFailedRequests(
  tx: Sql,
  accountId: string,
  filter: ListenerRequestFilter,
  most: number,
): Promise<
  Pick<
    Row<typeof listenerRequest>,
    'id' | 'account_id' | 'channel_version_id' | 'lane_id' | 'pipeline' | 'pipe' | 'payload' | 'registered'
  >[]
> {
  const db = builder();
  const chosen = await rowsOf(
    tx,
    db
      .select({ id })
      .from(listenerRequest)
      .innerJoin(channel, eq(channel.id, channelOf))
      .where(and(matches(accountId, filter), eq(state, 'failed')))
      .orderBy(id)
      .limit(most)
      .for('update', { of: listenerRequest, skipLocked: true }),
  );
  if (chosen.length === 0) return [];
  return rowsOf(
    tx,
    db
      .update(listenerRequest)
      .set({ state: 'running' })
      .where(
        inArray(
          id,
          chosen.map((row) => row.id),
        ),
      )
      .returning({
        ...{
          id,
          account_id: accountOf,
          lane_id: listenerRequest.lane_id,
          pipeline: listenerRequest.pipeline,
        },
        channel_version_id: listenerRequest.channel_version_id,
        pipe: listenerRequest.pipe,
        payload: listenerRequest.payload,
        registered: listenerRequest.registered,
      }),
  );
}

/** Writes waiting rows for requests that run again. */
export async function insertRuns(
  tx: Sql,
  rows: readonly {
    readonly id: string;
    readonly account_id: string | null;
    readonly lane_id: number;
    readonly pipeline: number;
    readonly pipe: number | null;
    readonly channel_version_id: number;
    readonly payload: string;
  }[],
  nowMs: number,
): Promise<void> {
  await tx.query(
    `insert into waiting (id, account_id, lane_id, due_at, pipeline, pipe, channel_version_id, payload)
     select r.id, r.account_id, r.lane_id, $2, r.pipeline, r.pipe, r.channel_version_id, r.payload
     from json_to_recordset($1::text::json) as r (id uuid, account_id uuid, lane_id int, pipeline smallint, pipe int,
       channel_version_id int, payload text)`,
    [JSON.stringify(rows), new Date(nowMs)],
  );
}

/** Returns how many failed requests there are, by channel and reason: of one account, or of all. */
export function countFailedRequests(
  to: Sql,
  accountId?: string,
): Promise<{ channel: string; reason: string; count: number }[]> {
  const selected = builder()
    .select({ channel: channel.sid, reason, count: count() })
    .from(listenerRequest)
    .innerJoin(channel, eq(channel.id, channelOf))
    .where(and(eq(state, 'failed'), accountId === undefined ? undefined : eq(accountOf, accountId)))
    .groupBy(channel.sid, reason)
    .orderBy(channel.sid, reason);
  return rowsOf(to, selected);
}

/** A refused request, counted with others of its channel and reason. */
export interface Refusals {
  readonly channelId: number;
  readonly reason: string;
  readonly count: number;
  /** The last few, oldest first. */
  readonly samples: readonly RefusedSample[];
}

/** Of each channel and reason so many refused requests are shown. */
export const REFUSED_SAMPLES = 5;

/** Adds to the counts of refused requests. */
export async function addRefusals(to: Sql, refusals: readonly Refusals[], nowMs: number): Promise<void> {
  await to.query(
    `insert into refused_request as x (channel_id, reason, count, last_at, samples)
     select "channelId", reason, count, $2, samples
     from json_to_recordset($1::text::json) as r ("channelId" int, reason text, count bigint, samples json)
     on conflict (channel_id, reason) do update set count = x.count + excluded.count, last_at = excluded.last_at,
       samples = (select json_agg(each) from (
         select each from (
           select each, n from json_array_elements(x.samples) with ordinality as o (each, n)
           union all
           select each, n + ${REFUSED_SAMPLES} from json_array_elements(excluded.samples) with ordinality as o (each, n)
         ) as both_of order by n desc limit ${REFUSED_SAMPLES}) as last)`,
    [JSON.stringify(refusals), new Date(nowMs)],
  );
}

/** Returns what was refused in channels that an account sees: its own and shared ones; samples only of its own. */
export function listRefusals(
  to: Sql,
  accountId: string,
): Promise<
  { channel: string; reason: string; count: number; last_at: Date; samples: readonly RefusedSample[] }[]
> {
  return to.query(
    `select c.sid as channel, f.reason, f.count::float8 as count, f.last_at,
       case when c.account_id is not null or (select count(*) from account) = 1 then f.samples else '[]'::json end as samples
     from refused_request f join channel c on c.id = f.channel_id
     where c.account_id is null or c.account_id = $1 order by c.sid, f.reason`,
    [accountId],
  );
}

/** Returns how many requests were refused, by channel and reason, of all accounts. */
export function countRefusals(to: Sql): Promise<{ channel: string; reason: string; count: number }[]> {
  const selected = builder()
    .select({ channel: channel.sid, reason: refusedRequest.reason, count: refusedRequest.count })
    .from(refusedRequest)
    .innerJoin(channel, eq(channel.id, refusedRequest.channel_id))
    .orderBy(channel.sid, refusedRequest.reason);
  return rowsOf(to, selected);
}

/** Emits one operator event for the requests of each account, channel and reason that failed since the last call. */
export async function announceFailedRequests(to: Sql, nowMs: number): Promise<OperatorEvent[]> {
  const [row] = await to.query<{ emitted: OperatorEvent[] | null }>(
    `with new as (update listener_request set announced = true where not announced
       returning account_id, channel_id, reason),
     facts as (select n.account_id, 'listener.failed' as type,
         json_build_object('channel', c.sid, 'reason', n.reason, 'count', count(*)) as data
       from new n join channel c on c.id = n.channel_id group by n.account_id, c.sid, n.reason),
     ${emitOperatorEvents('$1')}
     select ${EMITTED_EVENTS} as emitted`,
    [new Date(nowMs)],
  );
  return row?.emitted ?? [];
}
