import type { PipelineName } from '../../channel/document.ts';
import type { RunOutcome } from '../../engine/run-outcome.ts';
import type { ClaimedRow } from '../../storage/claim.ts';
import type { KnownChannel } from '../directory/known-channel.ts';
import type { Redact } from '../redact.ts';
import type { Runtime } from '../runtime.ts';
import type { KeptRequest } from './resumed-run.ts';

/** The waiting row of a run; of a run without a message only what waits. */
export type RunRow = Pick<
  ClaimedRow,
  | 'id'
  | 'account_id'
  | 'lane_id'
  | 'due'
  | 'pipeline'
  | 'pipe'
  | 'tries'
  | 'message_id'
  | 'channel_version_id'
  | 'payload'
> & {
  readonly [K in 'launch_id' | 'sender_id' | 'state' | 'attempt' | 'expires']?: ClaimedRow[K];
};

/** A run that ended or waits, and what settling it asks for. */
export interface OutcomeQuestion {
  readonly runtime: Runtime;
  readonly row: RunRow;
  readonly channel: KnownChannel;
  readonly outcome: RunOutcome;
  readonly redact: Redact;
  readonly nowMs: number;
  readonly pipeline: PipelineName;
  /** One trail in so many uneventful runs is kept. */
  readonly sample: number;
  readonly senderId?: string | null;
  readonly origin?: Readonly<Record<string, unknown>>;
  /** The kept request that this run repeats. */
  readonly request?: KeptRequest | undefined;
  /** A run of the same attempt before this one may have sent something. */
  readonly doubt?: boolean;
}
