/** What one waiting row's run leaves for settling; many of these are settled together. */
import type { SettledEvent, Settlement } from '../../storage/settlement.ts';
import type { RunHealth } from '../lanes/breaker.ts';
import type { FailingRun } from './failing.ts';
import type { SuppressBy, SuppressWish } from './suppress-by-event.ts';

/** What is known of an event, whichever message it belongs to. */
export interface EventDetails
  extends Omit<SettledEvent, 'source' | 'accountId' | 'messageId' | 'launchId' | 'attempt'> {
  /** What it does to the address of its message. */
  readonly suppress?: SuppressBy;
}

/** An event of a provider's request whose message is still to be found. */
export interface UnmatchedEvent extends EventDetails {
  readonly source: string;
  readonly accountId: string | null;
  readonly senderId: string | null;
  readonly messageId: string | null;
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
