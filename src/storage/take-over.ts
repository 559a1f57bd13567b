/** Taking over what nodes held that have died. */
import type { Sql } from './database.ts';
import { TOLD, type ToldEvent, telling } from './operator-events.ts';

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
  readonly orphans: readonly OrphanRow[];
  /** One event for each node that died. */
  readonly told: readonly ToldEvent[];
}

/**
 * Takes over what nodes without a heartbeat since `beforeMs` held: the dead nodes are removed, their rows now belong
 * to `node`, which decides for each whether it may run again.
 */
export async function takeOver(sql: Sql, node: number, beforeMs: number, nowMs: number): Promise<TakenOver> {
  type Row = { readonly told: ToldEvent[] | null } & (OrphanRow | { readonly id: null });
  const rows = await sql.query<Row>(
    `with dead as (delete from node where heartbeat_at < $2 and id <> $1 returning id, name, heartbeat_at),
     taken as (
       update waiting w set owner = $1 from dead where w.owner = dead.id
       returning w.id, w.account_id, w.lane_id, w.pipeline, w.pipe, w.message_id, w.channel_version_id, dead.id as lost),
     facts as (
       select null::uuid as account_id, 'node.lost' as type, json_build_object('node', d.id, 'name', d.name,
         'silentSince', iso_time(d.heartbeat_at), 'claims', (select count(*) from taken where lost = d.id)) as data
       from dead d),
     ${telling('$3')}
     select result.told, taken.id, taken.account_id, taken.lane_id, taken.pipeline, taken.pipe, taken.message_id,
       taken.channel_version_id, message.attempt, message.launch_id
     from (select ${TOLD} as told) result left join taken on true left join message on message.id = taken.message_id`,
    [node, new Date(beforeMs), new Date(nowMs)],
  );
  return {
    orphans: rows.flatMap(({ told: _told, ...row }) => (row.id === null ? [] : [row])),
    told: rows[0]?.told ?? [],
  };
}
