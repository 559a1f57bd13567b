/**
 * Settling: everything that a batch of runs changed, in one statement and so in one transaction. Every part names the
 * waiting row it comes from; what this node no longer owns is left alone, so that a node taken for dead changes nothing.
 */
import type { Sql } from './database.ts';
import type { OperatorEvent } from './operator-events.ts';
import { settleStatement } from './settle-statement.ts';
import type { Settlement } from './settlement.ts';

export interface Settled {
  /** The ids of the waiting rows that were still ours. */
  readonly held: readonly string[];
  readonly emitted: readonly OperatorEvent[];
}

/** Writes a settlement in one statement. */
export async function settle(sql: Sql, settlement: Settlement): Promise<Settled> {
  const { text, values } = settleStatement(settlement);
  const rows = await sql.query<{ id: string; emitted?: readonly OperatorEvent[] | null }>(text, values);
  return { held: rows.map((row) => row.id), emitted: rows[0]?.emitted ?? [] };
}
