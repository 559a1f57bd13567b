/**
 * What waits in an open lane moves on to the next sender where its rule says so, in pages, each one statement. Nothing
 * moves to a lane that takes nothing itself, and nothing that may have been sent.
 */
import { FIRST_ID } from '../../storage/claim.ts';
import {
  type FallbackRow,
  type LanePosition,
  type MovedMessage,
  moveMessages,
  type OpenRow,
  openLanes,
  readOpenLane,
} from '../../storage/fallback.ts';
import type { Directory } from '../directory/directory.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { readPayload } from '../payload.ts';
import type { Runtime } from '../runtime.ts';
import { OPEN_LANE } from './fallback-class.ts';
import { nextSenders } from './next-sender.ts';

const PAGE_ROWS = 1_000;
/** Pages of one lane in one turn; the next turn goes on behind them. */
const MOST_PAGES = 20;
const BEGINNING: LanePosition = { dueMs: 0, id: FIRST_ID };

/** Returns a function that moves what can be moved now and says how many that were; `wakeLanes` gets the lanes that have work. */
export function createMoveOpenLanes(
  runtime: Runtime,
  directory: Directory,
  lanes: Lanes,
  wakeLanes: (laneIds: readonly number[]) => void,
): () => Promise<number> {
  const { database, clock, ids, log, vault } = runtime;
  /** Where the search in a lane goes on; a lane that was searched to its end begins again. */
  const positions = new Map<number, LanePosition>();

  /** A run that waits with something in doubt stays with its sender. */
  const mayMove = (row: OpenRow): row is OpenRow & FallbackRow => {
    if (row.id === null || row.next === null) return false;
    if (row.payload === null) return true;
    return (readPayload(vault, row.payload) as { doubt?: boolean }).doubt !== true;
  };

  const movePage = async (laneId: number, key: string): Promise<{ moved: number; more: boolean }> => {
    const after = positions.get(laneId) ?? BEGINNING;
    const page = await readOpenLane(database, laneId, after, OPEN_LANE, PAGE_ROWS);
    const last = page.at(-1);
    const more = page.length === PAGE_ROWS && last !== undefined;
    if (more) positions.set(laneId, { dueMs: last.due, id: last.place_id });
    else positions.delete(laneId);
    const rows = page.filter(mayMove);
    const next = await nextSenders(runtime, directory, lanes, rows);
    const messages = rows.flatMap((row, index): MovedMessage[] => {
      const sender = next[index];
      if (sender === undefined || sender.resting || sender.laneId === laneId) return [];
      return [
        {
          id: row.id,
          attemptId: ids.next(),
          attempt: row.attempt,
          fromSenderId: row.sender_id,
          senderId: sender.senderId,
          laneId: sender.laneId,
        },
      ];
    });
    if (messages.length === 0) return { moved: 0, more };
    const { moved, lanes: filled } = await moveMessages(database, laneId, messages, TRAIL, clock.now());
    if (filled.length > 0) wakeLanes(filled);
    if (moved > 0) log.info({ lane: key, moved }, 'what waited in an open lane went on to other senders');
    return { moved, more };
  };

  return async () => {
    let total = 0;
    for (const { id, key } of await openLanes(database, OPEN_LANE)) {
      for (let pages = 0; pages < MOST_PAGES; pages += 1) {
        const { moved, more } = await movePage(id, key);
        total += moved;
        if (!more) break;
      }
    }
    return total;
  };
}

const TRAIL = JSON.stringify([
  {
    error: {
      code: 'LANE_OPEN',
      message:
        "The sender's lane is open, because its provider fails; the message went on to the next sender.",
    },
  },
]);
