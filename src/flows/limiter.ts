/**
 * Rate limits over all processes: the books hand out slots in time, each process takes small blocks of them and
 * sends each request no earlier than its slot. Without a slot soon, the event goes back to wait: RATE_LIMITED.
 *
 * Slots are never more than the limit; what the provider counts also holds the delays on the way, for which the spacing
 * leaves 2 % of the window. Delays beyond that can put one too many into a window at the provider.
 */
import { Failure } from '../errors.ts';
import type { RateLimit } from '../pipes/contract.ts';
import { reserveSlots } from '../storage/rate-slots.ts';
import type { Ground } from './ground.ts';

/** How far ahead slots are taken, and so how long a request is held in memory at most. */
const HORIZON_MS = 200;
/** The part of the window by which a slot may be used late; half of what the spacing gives, the rest is for the way. */
const LATEST = 0.02;
/** Slots that one request may miss before it goes back to wait. */
const MOST_MISSED = 5;
/** Slots are this much further apart than the limit asks, because requests are delayed unevenly on their way. */
const SPACING = 1 / 0.96;

export interface Limiter {
  /** Resolves when the request may go. Throws RATE_LIMITED with `retryAfterMs` where that is not soon. */
  readonly pass: (key: string, limit: RateLimit) => Promise<void>;
}

interface Block {
  nextMs: number;
  left: number;
  intervalMs: number;
  /** How long after its time a slot may still be used. */
  lateMs: number;
  blockedUntilMs: number;
  asking: Promise<void> | undefined;
}

/** `sleep` waits in memory, at most a fraction of a second. */
export function createLimiter(ground: Ground, sleep: (ms: number) => Promise<void>): Limiter {
  const blocks = new Map<string, Block>();
  const { clock, database } = ground;

  const ask = async (key: string, limit: RateLimit, block: Block) => {
    // A burst is paid for by a lower rate, so that no window ever holds more than the limit.
    const burst = Math.min(Math.max(1, limit.burst ?? 1), limit.requests);
    const steady = Math.max(1, limit.requests - burst + 1);
    const intervalMs = ((limit.perSeconds * 1_000) / steady) * SPACING;
    const count = Math.max(1, Math.floor(HORIZON_MS / intervalMs));
    const now = clock.now();
    const answer = await reserveSlots(database, key, now, intervalMs, count, burst, HORIZON_MS);
    if ('firstMs' in answer) {
      block.nextMs = answer.firstMs;
      block.left = count;
      block.intervalMs = intervalMs;
      block.lateMs = intervalMs * (burst - 1) + limit.perSeconds * 1_000 * LATEST;
    } else block.blockedUntilMs = now + answer.waitMs;
  };

  return Object.freeze<Limiter>({
    pass: async (key, limit) => {
      let block = blocks.get(key);
      if (block === undefined) {
        block = { nextMs: 0, left: 0, intervalMs: 0, lateMs: 0, blockedUntilMs: 0, asking: undefined };
        blocks.set(key, block);
      }
      const mine = block;
      for (let missed = 0; missed < MOST_MISSED; missed += 1) {
        dropLate(mine, clock.now());
        while (mine.left === 0) {
          const waitMs = mine.blockedUntilMs - clock.now();
          if (waitMs > 0) throw noSlot(waitMs);
          mine.asking ??= ask(key, limit, mine).finally(() => {
            mine.asking = undefined;
          });
          await mine.asking;
          dropLate(mine, clock.now());
        }
        mine.left -= 1;
        const slotMs = mine.nextMs;
        mine.nextMs += mine.intervalMs;
        const delayMs = slotMs - clock.now();
        if (delayMs <= 0) return;
        await sleep(delayMs);
        // A process that is short of time wakes late; its slot is gone then.
        if (clock.now() <= slotMs + mine.lateMs) return;
      }
      throw noSlot(HORIZON_MS);
    },
  });
}

function noSlot(waitMs: number): Failure {
  return new Failure('RATE_LIMITED', 'The limit of this channel has no free slot now; the event waits.', {
    kind: 'limit',
    retryAfterMs: waitMs,
  });
}

/** Slots whose time went by unused are gone: kept for later, they would let more requests out at once than the limit. */
function dropLate(block: Block, nowMs: number): void {
  while (block.left > 0 && block.nextMs + block.lateMs < nowMs) {
    block.left -= 1;
    block.nextMs += block.intervalMs;
  }
}
