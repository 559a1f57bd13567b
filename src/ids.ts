/** Ids: UUIDv7, ordered by time, so that indexes stay local and partitions follow from the key. */
import { randomFillSync } from 'node:crypto';
import type { Clock } from './time.ts';

export interface Ids {
  /** A new UUIDv7; ids of one source never go down. */
  readonly next: () => string;
}

const POOL_BYTES = 8_192;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Ids by a clock and a source of random bytes. */
export function createIds(
  clock: Clock,
  fill: (bytes: Buffer) => void = (bytes) => void randomFillSync(bytes),
): Ids {
  const pool = Buffer.alloc(POOL_BYTES);
  let used = POOL_BYTES;
  let lastMs = 0;
  let sequence = 0;
  let head = '';
  let headMs = -1;
  return Object.freeze({
    next: () => {
      if (used + 8 > POOL_BYTES) {
        fill(pool);
        used = 0;
      }
      const now = clock.now();
      // The 12 bits after the version count within a millisecond; when they run out, the time is borrowed.
      if (now > lastMs) {
        lastMs = now;
        sequence = (pool[used] as number) & 0x7f;
      } else if (sequence < 0xfff) sequence += 1;
      else {
        lastMs += 1;
        sequence = 0;
      }
      if (lastMs !== headMs) {
        const time = lastMs.toString(16).padStart(12, '0');
        head = `${time.slice(0, 8)}-${time.slice(8)}-7`;
        headMs = lastMs;
      }
      pool[used] = ((pool[used] as number) & 0x3f) | 0x80;
      const tail = pool.toString('hex', used, used + 8);
      used += 8;
      const counter = sequence.toString(16).padStart(3, '0');
      return `${head}${counter}-${tail.slice(0, 4)}-${tail.slice(4)}`;
    },
  });
}

/** True for the text form of a UUID, so that a query can take it. */
export function isUuid(text: unknown): text is string {
  return typeof text === 'string' && UUID.test(text);
}
