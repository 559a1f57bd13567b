/** Claiming what waits, and giving it back. */
import type { Json } from '../json.ts';
import { createMemo } from '../memo.ts';
import type { Sql } from './database.ts';

/** Which pipeline an event waits in; kept as a number in the waiting table. */
export const PIPELINE_CODES = {
  message: 1,
  schedule: 2,
  listener: 3,
  moderate: 4,
  stop: 5,
  open_launch: 10,
  stop_mailing: 11,
  start_mailing: 12,
  moderated: 13,
  stop_launch: 14,
  resume_launch: 15,
  operator_event: 20,
  sync_source: 21,
} as const;

export type WaitingPipeline = keyof typeof PIPELINE_CODES;

const pipelines: ReadonlyMap<number, WaitingPipeline> = new Map(
  (Object.keys(PIPELINE_CODES) as WaitingPipeline[]).map((name) => [PIPELINE_CODES[name], name]),
);

/** The name of a pipeline by its number; undefined for a number of a newer program. */
export function pipelineOf(code: number): WaitingPipeline | undefined {
  return pipelines.get(code);
}

/** The smallest uuid: before every row of a due time. */
export const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** Where the search in one lane starts, and how much it may bring. */
export interface LaneShare {
  readonly laneId: number;
  readonly afterDueMs: number;
  readonly afterId: string;
  readonly share: number;
}

export interface ClaimedRow {
  readonly id: string;
  readonly account_id: string | null;
  readonly lane_id: number;
  /** Milliseconds. */
  readonly due: number;
  readonly pipeline: number;
  readonly pipe: number | null;
  readonly tries: number;
  readonly message_id: string | null;
  readonly channel_version_id: number;
  readonly payload: string | null;
  readonly launch_id: string | null;
  readonly resource_id: string | null;
  readonly sender_id: string | null;
  readonly state: number | null;
  readonly attempt: number | null;
  readonly class: string | null;
  readonly content: Json;
  readonly expires: number | null;
  readonly profile_external_id: string | null;
  readonly profile: Readonly<Record<string, unknown>> | null;
  readonly subscription: Readonly<Record<string, unknown>> | null;
  readonly subscription_status: string | null;
}

/** What rows of one claim mostly have in common; it travels as one text. */
type Common = Pick<
  ClaimedRow,
  | 'lane_id'
  | 'pipeline'
  | 'pipe'
  | 'tries'
  | 'channel_version_id'
  | 'account_id'
  | 'launch_id'
  | 'resource_id'
  | 'sender_id'
  | 'state'
  | 'attempt'
  | 'class'
  | 'subscription_status'
> & {
  /** The message has the id of its row. */
  readonly isItself: boolean;
};

type DueRow = Omit<ClaimedRow, keyof Common> & { readonly common: string };

/** Claims due rows of several lanes in one statement and brings what their runs need. */
export async function claim(
  sql: Sql,
  node: number,
  nowMs: number,
  lanes: readonly LaneShare[],
): Promise<ClaimedRow[]> {
  const rows = await sql.query<DueRow>(
    'select * from claim_due($1::int, $2::timestamptz, $3::int[], $4::float8[], $5::uuid[], $6::int[])',
    [
      node,
      new Date(nowMs),
      lanes.map((lane) => lane.laneId),
      lanes.map((lane) => lane.afterDueMs),
      lanes.map((lane) => lane.afterId),
      lanes.map((lane) => lane.share),
    ],
  );
  return rows.map(claimedRow);
}

function claimedRow(row: DueRow): ClaimedRow {
  const common = commonOf(row.common);
  return {
    id: row.id,
    account_id: common.account_id,
    lane_id: common.lane_id,
    due: row.due,
    pipeline: common.pipeline,
    pipe: common.pipe,
    tries: common.tries,
    message_id: common.isItself ? row.id : row.message_id,
    channel_version_id: common.channel_version_id,
    payload: row.payload,
    launch_id: common.launch_id,
    resource_id: common.resource_id,
    sender_id: common.sender_id,
    state: common.state,
    attempt: common.attempt,
    class: common.class,
    content: row.content,
    expires: row.expires,
    profile_external_id: row.profile_external_id,
    profile: row.profile,
    subscription: row.subscription,
    subscription_status: common.subscription_status,
  };
}

/** What the rows of a busy lane have in common is read once. */
const commonOf = createMemo(readCommon);

/** The order is that of `claim_due` (migration 0014). */
function readCommon(text: string): Common {
  const [lane, pipeline, pipe, tries, version, account, launch, resource, sender, ...message] =
    text.split('|');
  const [state, attempt, messageClass, status, named] = message;
  return {
    lane_id: Number(lane),
    pipeline: Number(pipeline),
    pipe: numberOf(pipe),
    tries: Number(tries),
    channel_version_id: Number(version),
    account_id: account || null,
    launch_id: launch || null,
    resource_id: resource || null,
    sender_id: sender || null,
    state: numberOf(state),
    attempt: numberOf(attempt),
    class: messageClass || null,
    subscription_status: status || null,
    isItself: named === '=',
  };
}

function numberOf(text: string | undefined): number | null {
  return text ? Number(text) : null;
}

/** Enters a process among the nodes and gives its number. */
export async function enterNode(sql: Sql, name: string): Promise<number> {
  const [row] = await sql.query<{ id: number }>(
    'insert into node (name, started_at, heartbeat_at) values ($1, clock_timestamp(), clock_timestamp()) returning id',
    [name],
  );
  return row?.id ?? 0;
}

/**
 * Renews the lease of a node's claims; false where another node has already taken it for dead. Leases go by the clock of
 * the database: a node whose own clock jumps is not dead, and takes nobody else for dead.
 */
export async function beat(sql: Sql, node: number): Promise<boolean> {
  const rows = await sql.query(
    'update node set heartbeat_at = clock_timestamp() where id = $1 returning id',
    [node],
  );
  return rows.length === 1;
}

export async function leaveNode(sql: Sql, node: number): Promise<void> {
  await sql.query('delete from node where id = $1', [node]);
}

/** Makes rows claimable again and tells every node to look behind its cursors. */
export async function release(sql: Sql, node: number, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql.query(
    `with freed as (update waiting set owner = null where id = any($1::uuid[]) and owner = $2 returning lane_id)
     update lane set epoch = epoch + 1 where id in (select lane_id from freed)`,
    [ids, node],
  );
}

/** Frees what a node holds in the database but not in its hands: claims whose answer was lost on the way. */
export async function releaseLost(sql: Sql, node: number, held: readonly string[]): Promise<number> {
  const [row] = await sql.query<{ freed: number }>(
    `with freed as (
       update waiting set owner = null where owner = $2 and not (id = any($1::uuid[])) returning lane_id),
     told as (update lane set epoch = epoch + 1 where id in (select lane_id from freed))
     select count(*)::int as freed from freed`,
    [held, node],
  );
  return row?.freed ?? 0;
}
