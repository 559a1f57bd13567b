/** Lanes: what is isolated from what. */
import type { Sql } from './database.ts';

export interface LaneRow {
  readonly id: number;
  readonly key: string;
  readonly account_id: string | null;
  readonly channel_id: number;
  readonly sender_id: string | null;
  readonly paused_at: Date | null;
  readonly epoch: number;
}

const COLUMNS = 'id, key, account_id, channel_id, sender_id, paused_at, epoch';

/** All lanes; there is one per account, channel and sender, so they are few. */
export function readLanes(sql: Sql): Promise<LaneRow[]> {
  return sql.query<LaneRow>(`select ${COLUMNS} from lane`);
}

/** The lane of a key, made where there is none. */
export async function ensureLane(
  sql: Sql,
  lane: { key: string; accountId: string | null; channelId: number; senderId: string | null; nowMs: number },
): Promise<LaneRow> {
  const [row] = await sql.query<LaneRow>(
    `insert into lane (key, account_id, channel_id, sender_id, created_at) values ($1, $2, $3, $4, $5)
     on conflict (key) do update set key = excluded.key returning ${COLUMNS}`,
    [lane.key, lane.accountId, lane.channelId, lane.senderId, new Date(lane.nowMs)],
  );
  return row as LaneRow;
}

/** Raises the epoch of lanes, so that every node looks behind its cursors. */
export async function raiseEpochs(sql: Sql, laneIds: readonly number[]): Promise<void> {
  await sql.query('update lane set epoch = epoch + 1 where id = any($1::int[])', [laneIds]);
}
