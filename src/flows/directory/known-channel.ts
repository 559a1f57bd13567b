import type { CompiledChannel } from '../../engine/compile-channel.ts';
import type { CompiledListener } from '../listener/compile-listener.ts';

/** A version of a channel with its plans and its listener, ready for runs. */
export interface KnownChannel extends CompiledChannel {
  readonly versionId: number;
  readonly listener: CompiledListener;
}
