/** What one waiting row's run leaves for settling; many of these are settled together. */
import type { Settlement } from '../../storage/settlement.ts';
import type { RunHealth } from '../lanes/breaker.ts';
import type { FailingRun } from './failing.ts';
import type { SuppressBy, SuppressWish } from './suppress-by-event.ts';

/** An event of a provider's request whose message is still to be found. */
export interface UnmatchedEvent {
  readonly source: string;
  readonly id: string;
  readonly channelId: number;
  readonly accountId: string | null;
  readonly senderId: string | null;
  readonly externalId: string | null;
  readonly messageId: string | null;
  readonly eventId: number | null;
  readonly type: string;
  readonly timeMs: number;
  readonly code: string | null;
  readonly text: string | null;
  readonly value: string | null;
  readonly dedupeKey: string | null;
  /** What it does to the address of its message. */
  readonly suppress?: SuppressBy;
}

export type Effects = {
  readonly [K in keyof Omit<Settlement, 'node' | 'nowMs' | 'suppressions'>]?: Settlement[K];
} & {
  readonly unmatched?: readonly UnmatchedEvent[];
  readonly suppress?: readonly SuppressWish[];
  /** Messages that failed with their sender, and may go on with another. */
  readonly failing?: readonly FailingRun[];
  /** What the run says about its lane. */
  readonly health?: RunHealth;
};
