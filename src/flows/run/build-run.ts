/** Puts a run together: the same for a claimed row, a request that waits for its result, an operation and a golden test. */
import type { CompiledChannel } from '../../engine/compile-channel.ts';
import type { RunRequest } from '../../engine/run-outcome.ts';
import type { Failure } from '../../errors.ts';
import { decideRetry } from './retry.ts';

/** What differs between runs. */
export interface RunParts extends Omit<RunRequest, 'channel' | 'declare' | 'decide' | 'tries'> {
  readonly channel: CompiledChannel;
  /** How often the entry pipe was tried before; left out: never. */
  readonly tries?: number;
  /** Whether the run may wait after this failure; one that somebody waits for may not. */
  readonly mayWait: (failure: Failure) => boolean;
  /** A request without an answer leaves a message unknown; left out: only if the run names one. */
  readonly ownsMessage?: boolean;
  /** For so long its lane is open; left out: it never is. */
  readonly laneOpenForMs?: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Builds what the engine is asked with. */
export function buildRun(parts: RunParts): RunRequest {
  const { channel, mayWait, ownsMessage, laneOpenForMs, random, tries = 0, ...request } = parts;
  const { sid, unknown } = channel.document;
  return {
    ...request,
    tries,
    channel: sid,
    declare: channel.declare,
    decide: (failure, at, triesOfPipe) =>
      decideRetry({
        failure,
        rule: at.retry,
        tries: triesOfPipe,
        durable: mayWait(failure),
        ownsMessage: ownsMessage ?? request.messageId !== undefined,
        unknownPolicy: unknown,
        ...(laneOpenForMs !== undefined && { laneOpenForMs: laneOpenForMs() }),
        random: random(),
      }),
  };
}
