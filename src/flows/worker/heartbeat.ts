/**
 * The heartbeat of a node: its claims are good as long as it beats. A node that was taken for dead goes on under a new
 * number, and starts nothing before what ran under the old one has ended.
 */
import { beat, enterNode, leaveNode } from '../../storage/claim.ts';
import { databaseFailure } from '../../storage/database.ts';
import type { Runtime } from '../runtime.ts';

export interface Heartbeat {
  /** The number under which this process claims now. */
  readonly node: () => number;
  /** The last beat that the database confirmed is longer ago than the lease. */
  readonly isLate: () => boolean;
  readonly start: () => Promise<void>;
  /** Stops beating; the node stays until `leave`, or until others take it for dead. */
  readonly stop: () => void;
  readonly leave: () => Promise<void>;
}

export interface HeartbeatOptions {
  readonly name: string;
  readonly heartbeatMs: number;
  /** A node without a heartbeat for this long is dead. */
  readonly leaseMs: number;
}

/** Creates the heartbeat of one process. `replaced` is called before the node gets a new number. */
export function createHeartbeat(
  { database, log }: Runtime,
  { name, heartbeatMs, leaseMs }: HeartbeatOptions,
  replaced: () => void,
): Heartbeat {
  let node = 0;
  /** By the machine's own clock, which never jumps. */
  let lastBeatMs = 0;
  let timer: NodeJS.Timeout | undefined;

  const heartbeat = async () => {
    // From before the question on: the answer may be long on its way.
    const askedMs = performance.now();
    try {
      if (await beat(database, node)) lastBeatMs = askedMs;
      else {
        replaced();
        node = await enterNode(database, name);
        lastBeatMs = askedMs;
        log.warn({ node }, 'the heartbeat came too late; this process goes on as a new node');
      }
    } catch (thrown) {
      const { code, message } = databaseFailure(thrown);
      log.error({ code }, `the heartbeat failed: ${message}`);
    }
  };

  return Object.freeze<Heartbeat>({
    node: () => node,
    isLate: () => performance.now() - lastBeatMs > leaseMs,
    start: async () => {
      lastBeatMs = performance.now();
      node = await enterNode(database, name);
      timer = setInterval(heartbeat, heartbeatMs);
    },
    stop: () => clearInterval(timer),
    leave: () => leaveNode(database, node),
  });
}
