/**
 * The clock of the database: a process goes by the clock of the database, whatever its machine's own one says, so that all
 * processes agree on what is due, expired or quiet. Between two readings it goes by the clock that never jumps.
 */
import { readClock, searchAnew } from '../storage/clock.ts';
import { databaseFailure, type Sql } from '../storage/database.ts';
import type { Clock } from '../time.ts';
import type { Log } from './runtime.ts';

const EVERY_MS = 1_000;
/** Who is set right by more may have written rows behind the cursors of others: they do not look so far back. */
const JUMP_MS = 1_000;

export interface DatabaseClock extends Clock {
  readonly stop: () => void;
}

/** Reads the clock of the database, and again each second. Throws where it cannot be read at first. */
export async function followClock(
  database: Sql,
  log: Pick<Log, 'warn' | 'debug'>,
  everyMs = EVERY_MS,
): Promise<DatabaseClock> {
  /** The database read its clock some time between the question and the answer: how far it is ahead of our own. */
  const ahead = async (): Promise<{ leastMs: number; mostMs: number }> => {
    const askedMs = performance.now();
    const theirsMs = await readClock(database);
    return { leastMs: theirsMs - performance.now(), mostMs: theirsMs - askedMs };
  };
  const { leastMs, mostMs } = await ahead();
  let aheadMs = (leastMs + mostMs) / 2;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  /** It was set right, and nobody was told yet. */
  let jumped = false;

  const follow = async () => {
    try {
      const { leastMs, mostMs } = await ahead();
      const byMs = Math.min(mostMs, Math.max(leastMs, aheadMs)) - aheadMs;
      aheadMs += byMs;
      if (Math.abs(byMs) > JUMP_MS) {
        jumped = true;
        log.warn({ byMs: Math.round(byMs) }, 'the clock of the database jumped, or this process stood still');
      }
      if (jumped) await searchAnew(database);
      jumped = false;
    } catch (thrown) {
      const failure = databaseFailure(thrown);
      log.debug({ code: failure.code }, `the clock of the database was not read: ${failure.message}`);
    }
    if (!stopped) timer = setTimeout(follow, everyMs);
  };
  timer = setTimeout(follow, everyMs);

  return Object.freeze<DatabaseClock>({
    now: () => Math.floor(performance.now() + aheadMs),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  });
}
