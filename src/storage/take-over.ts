/** Taking over what nodes held that have died. */
import type { Sql } from './database.ts';
import { EMITTED_EVENTS, emitOperatorEvents, type OperatorEvent } from './operator-events.ts';

export interface OrphanRow {
  readonly id: string;
  readonly account_id: string | null;
  readonly lane_id: number;
  readonly pipeline: number;
  readonly pipe: number | null;
  readonly message_id: string | null;
  readonly channel_version_id: number;
  readonly attempt: number | null;
  readonly launch_id: string | null;
}

export interface TakenOver {
  /** The node that holds the orphans until all is decided, and is to leave then; undefined if no node had died. */
  readonly heir: number | undefined;
  readonly orphans: readonly OrphanRow[];
  /** One event for each node that died. */
  readonly emitted: readonly OperatorEvent[];
}

/**
 * Takes over what nodes held that were silent for so long: they are removed, and their rows belong to a new node, entered
 * for this alone, until `node` has decided for each whether it may run again. It must not hold them under its own number:
 * there they would pass for claims whose answer was lost (`releaseLost`). And where it dies, or never hears the answer,
 * the new node falls silent and is taken over like any other.
 */
export async function takeOver(sql: Sql, node: number, silentMs: number, nowMs: number): Promise<TakenOver> {
  type Row = { readonly heir: number | null; readonly emitted: OperatorEvent[] | null } & (
    | OrphanRow
    | { readonly id: null }
  );
  const rows = await sql.query<Row>(
    `with dead as (
       delete from node where heartbeat_at < clock_timestamp() - $2::float8 * interval '1 millisecond' and id <> $1
       returning id, name, heartbeat_at),
     heir as (
       insert into node (name, started_at, heartbeat_at)
       select 'heir of ' || string_agg(name, ', '), clock_timestamp(), clock_timestamp() from dead
       having count(*) > 0 returning id),
     taken as (
       update waiting w set owner = (select id from heir) from dead where w.owner = dead.id
       returning w.id, w.account_id, w.lane_id, w.pipeline, w.pipe, w.message_id, w.channel_version_id, dead.id as lost),
     facts as (
       select null::uuid as account_id, 'node.lost' as type, json_build_object('node', d.id, 'name', d.name,
         'silentSince', iso_time(d.heartbeat_at), 'claims', (select count(*) from taken where lost = d.id)) as data
       from dead d),
     ${emitOperatorEvents('$3')}
     select result.emitted, result.heir, taken.id, taken.account_id, taken.lane_id, taken.pipeline, taken.pipe,
       taken.message_id, taken.channel_version_id, message.attempt, message.launch_id
     from (select ${EMITTED_EVENTS} as emitted, (select id from heir) as heir) result
     left join taken on true left join message on message.id = taken.message_id`,
    [node, silentMs, new Date(nowMs)],
  );
  return {
    heir: rows[0]?.heir ?? undefined,
    orphans: rows.flatMap(({ emitted: _told, heir: _heir, ...row }) => (row.id === null ? [] : [row])),
    emitted: rows[0]?.emitted ?? [],
  };
}
