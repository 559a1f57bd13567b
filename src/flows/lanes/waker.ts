/**
 * Waking: tells this process's worker, and those of other processes, which lanes have something to do. Only a hint: who
 * misses it finds the row at the next poll.
 */
import { databaseFailure } from '../../storage/database.ts';
import type { Runtime } from '../runtime.ts';

/** Hints to other processes are gathered for so long. */
const GATHER_MS = 20;
const MOST_LANES = 200;

export interface Waker {
  /** Without lanes: anywhere. */
  readonly wakeLanes: (laneIds: readonly number[]) => void;
  readonly stop: () => Promise<void>;
}

/** `wake` is called for each lane that this or another process names. */
export async function createWaker(runtime: Runtime, wake: (laneId?: number) => void): Promise<Waker> {
  const { database, log } = runtime;
  const gathered = new Set<number>();
  let everywhere = false;
  let timer: NodeJS.Timeout | undefined;

  const hear = (topic: string) => {
    if (topic === '*') wake();
    else for (const each of topic.split(',')) wake(Number(each));
  };
  const tell = () => {
    timer = undefined;
    const topic = everywhere || gathered.size > MOST_LANES ? '*' : [...gathered].join(',');
    gathered.clear();
    everywhere = false;
    database.wake(topic).catch((thrown: unknown) => {
      log.warn(
        { code: databaseFailure(thrown).code },
        `other processes could not be woken: ${databaseFailure(thrown).message}`,
      );
    });
  };
  const unlisten = await database.onWake(hear);

  return Object.freeze<Waker>({
    wakeLanes: (laneIds) => {
      if (laneIds.length === 0) {
        everywhere = true;
        wake();
      }
      for (const laneId of laneIds) {
        gathered.add(laneId);
        wake(laneId);
      }
      if (database.kind === 'server') timer ??= setTimeout(tell, GATHER_MS);
    },
    stop: async () => {
      clearTimeout(timer);
      unlisten();
    },
  });
}
