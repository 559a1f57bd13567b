/** How long a session lives: a working day without use, a week in all. */
import type { Database } from '../storage/database.ts';
import { extendSession } from '../storage/sign-ins.ts';

/** A session ends when nobody used it for so long. */
export const SESSION_IDLE_MS = 8 * 3_600_000;
const SESSION_MOST_MS = 7 * 86_400_000;
/** The expiry moves in steps, so that not every request writes. */
const STEP_MS = 300_000;

interface Lived {
  readonly id: string;
  readonly kind: 'api' | 'session';
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
}

/** Moves the expiry of a session that is in use, and gives the row as it is then; other tokens stay as they are. */
export async function slide<Row extends Lived>(database: Database, row: Row, nowMs: number): Promise<Row> {
  if (row.kind !== 'session' || row.revoked_at !== null || row.expires_at === null) return row;
  const expiresMs = row.expires_at.getTime();
  const untilMs = Math.min(nowMs + SESSION_IDLE_MS, row.created_at.getTime() + SESSION_MOST_MS);
  if (expiresMs <= nowMs || untilMs - expiresMs < STEP_MS) return row;
  await extendSession(database, row.id, untilMs);
  return { ...row, expires_at: new Date(untilMs) };
}
