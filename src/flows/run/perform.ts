/** Performs one claimed row: brings together what its run needs, runs the plan, and says what is to be settled. */
import { openFields } from '../../access/vault.ts';
import { PIPELINE_NAMES, type PipelineName } from '../../channel/document.ts';
import type { PlanPipe } from '../../engine/plan.ts';
import { runPlan } from '../../engine/run.ts';
import type { RunOutcome } from '../../engine/run-outcome.ts';
import { asFailure } from '../../errors.ts';
import type { Scope } from '../../expression/scope.ts';
import { type ClaimedRow, pipelineOf } from '../../storage/claim.ts';
import { isOutage } from '../../storage/database.ts';
import { isoTime } from '../../time.ts';
import type { Directory } from '../directory/directory.ts';
import { createGuards } from '../guards/guards.ts';
import { readPayload } from '../payload.ts';
import { createRedact, type Redact } from '../redact.ts';
import type { Runtime } from '../runtime.ts';
import type { Effects } from '../settlement/effects.ts';
import { endMessage, requeue } from '../settlement/end-message.ts';
import { buildRun } from './build-run.ts';
import { failedRequest, unreadableRequest, withoutRegistered } from './failed-request.ts';
import { createRenderMessage, refusedState } from './message-content.ts';
import { outcomeEffects } from './outcome.ts';
import { continued, type ResumedRun } from './resumed-run.ts';
import { createRunContexts, type OpenOutside, type RunContext } from './run-context.ts';
import { writeRunLog } from './run-log.ts';
import { keywordsOf, originOf } from './run-scope.ts';
import { skipBeforeRun } from './skip-before-run.ts';

export interface Perform {
  /** Never throws; what cannot be run ends visibly. */
  readonly row: (row: ClaimedRow) => Promise<Effects>;
}

/** Elements of splits that a run does before others have their turn: what they leave is settled in one statement. */
const SHARE = 2_000;

/** A claimed row may always wait again. */
const mayWait = () => true;

/** What could not be looked up is tried again after so long. */
const OUTAGE_PAUSE_MS = 1_000;

export interface PerformOptions {
  /** Keeps the trail of one in so many uneventful runs; everything else is always kept. */
  readonly trailSample: number;
  /** For so long a run that failed in an open lane gets out of the way; 0 where the lane is closed. */
  readonly laneOpenForMs: (laneId: number) => number;
}

/** Performs rows of pipelines; `open` gives the outside of a run. */
export function createPerform(
  runtime: Runtime,
  directory: Directory,
  open: OpenOutside,
  options: PerformOptions,
): Perform {
  const { clock, ids, random, log } = runtime;
  const guards = createGuards(runtime);
  const renderTemplate = createRenderMessage(directory);
  const contextOf = createRunContexts(runtime, directory, open, guards);

  const performMessage = async (
    claimed: ClaimedRow,
    pipeline: PipelineName,
    nowMs: number,
  ): Promise<Effects> => {
    const found = contextOf(claimed, claimed.sender_id);
    const context = found instanceof Promise ? await found : found;
    const { channel, launch } = context;
    const { row, redact } = openSubscription(claimed, context);
    const early = skipBeforeRun(row, pipeline, context, nowMs, ids);
    if (early !== undefined) return early;
    const asked =
      context.guarded === undefined || pipeline !== 'message'
        ? undefined
        : { guarded: context.guarded, row, channel: channel.document, launch, nowMs };
    const stopped = asked && (await guards.check(asked));
    if (stopped !== undefined) return stopped;

    const plan = channel.plans[pipeline];
    const entry = row.pipe === null ? plan?.entry : plan?.pipes.get(row.pipe);
    if (entry === undefined) {
      const text = `Pipeline "${pipeline}" of the channel has no pipe ${row.pipe ?? 'to begin with'}.`;
      return endMessage(row, 'failed', 'DOCUMENT_INVALID', text, ids);
    }
    const now = isoTime(nowMs);
    const keywords: { -readonly [K in keyof Scope]: Scope[K] } = keywordsOf(row, context, now);
    try {
      const template = renderTemplate(row, context, keywords);
      keywords.template = template instanceof Promise ? await template : template;
    } catch (thrown) {
      if (isOutage(thrown)) throw thrown;
      const failure = asFailure(thrown);
      return endMessage(row, refusedState(failure), failure.code, redact(failure.message), ids);
    }
    const full = asked && (await guards.reserve(asked));
    if (full !== undefined) return full;
    const origin = originOf(row, launch);
    const resumed =
      row.payload === null ? undefined : (readPayload(runtime.vault, row.payload) as ResumedRun);
    const outcome = await run(row, entry, {
      keywords,
      ...continued(resumed, origin),
      context,
      now,
      messageId: row.message_id ?? undefined,
    });
    writeRunLog(log, outcome, redact, { channel: channel.document.sid, message: row.message_id });
    return outcomeEffects({
      runtime,
      row,
      channel,
      outcome,
      redact,
      nowMs,
      pipeline,
      sample: options.trailSample,
      doubt: resumed?.doubt === true,
    });
  };

  /** Secret fields of the subscription are opened for this run, and masked in what it leaves. */
  const openSubscription = (row: ClaimedRow, context: RunContext): { row: ClaimedRow; redact: Redact } => {
    if (!context.sealedSubscriptions || row.subscription === null) return { row, redact: context.redact };
    const { values, secrets } = openFields(runtime.vault, row.subscription);
    return { row: { ...row, subscription: values }, redact: createRedact([...context.secrets, ...secrets]) };
  };

  /** Runs that belong to no message: a provider's request, and what it scheduled. */
  const performListener = async (
    row: ClaimedRow,
    pipeline: PipelineName,
    nowMs: number,
  ): Promise<Effects> => {
    const kept = readPayload(runtime.vault, row.payload ?? '{}') as ResumedRun;
    // A listener that answered with its result has run already; what it left is settled now.
    if (kept.recorded !== undefined) return recordedParts(row, kept.recorded);
    const senderId = kept.senderId ?? null;
    const found = contextOf(row, senderId);
    const context = found instanceof Promise ? await found : found;
    const { channel } = context;
    const entry = channel.plans[pipeline]?.pipes.get(row.pipe ?? 0);
    if (entry === undefined) return { done: [row.id] };
    const now = isoTime(nowMs);
    const origin = Object.freeze(kept.origin ?? {});
    const keywords: Scope = {
      channel: { sid: channel.document.sid, id: channel.document.id },
      now,
      ...(context.sender !== undefined && { sender: context.sender.values }),
      ...(context.account !== undefined && { account: context.account.values }),
    };
    const ran = await run(row, entry, {
      keywords,
      ...continued(kept, origin),
      context,
      now,
      messageId: undefined,
    });
    const outcome = withoutRegistered(ran, kept.request);
    writeRunLog(log, outcome, context.redact, { channel: channel.document.sid, message: null });
    if (outcome.failure !== undefined && outcome.status === 'failed') {
      log.warn(
        {
          channel: channel.document.sid,
          pipe: outcome.pipe,
          code: outcome.failure.code,
          reason: context.redact(outcome.failure.message),
          ...(outcome.ended !== undefined &&
            outcome.ended.failure !== outcome.failure && {
              reported: context.redact(outcome.ended.failure.message),
            }),
        },
        'a listener run failed',
      );
    }
    const effects = outcomeEffects({
      runtime,
      row,
      channel,
      outcome,
      redact: context.redact,
      nowMs,
      pipeline,
      sample: options.trailSample,
      senderId,
      origin,
      request: kept.request,
    });
    const { status, failure, events } = outcome;
    if (status === 'failed' && failure !== undefined) {
      const failed = failedRequest(runtime, row, kept, { failure, events }, context.redact);
      return { ...effects, failedRequests: [failed] };
    }
    if (status !== 'done' || kept.request === undefined) return effects;
    return { ...effects, doneRequests: [{ source: row.id, id: kept.request.id }] };
  };

  interface OwnParts extends ReturnType<typeof continued> {
    readonly keywords: Scope;
    readonly context: RunContext;
    readonly now: string;
    readonly messageId: string | undefined;
  }

  const run = (row: ClaimedRow, entry: PlanPipe, parts: OwnParts): Promise<RunOutcome> => {
    const { context, ...more } = parts;
    return runPlan(
      buildRun({
        ...more,
        entry,
        channel: context.channel,
        // Before the first pipe nothing was tried yet, however often the row was put back.
        tries: row.pipe === null ? 0 : row.tries,
        share: SHARE,
        outside: context.outside,
        mayWait,
        laneOpenForMs: () => options.laneOpenForMs(row.lane_id),
        random,
        clock: clock.now,
      }),
    );
  };

  const performed = (row: ClaimedRow): Promise<Effects> => {
    const nowMs = clock.now();
    const pipeline = runPipelineOf(row.pipeline);
    if (pipeline === undefined) return Promise.resolve({ done: [row.id] });
    return pipeline === 'listener' || (pipeline === 'schedule' && row.message_id === null)
      ? performListener(row, pipeline, nowMs)
      : performMessage(row, pipeline, nowMs);
  };

  /** What becomes of a row that could not be run at all. Nothing was sent yet: a run that has begun never throws. */
  const notPerformed = (row: ClaimedRow, thrown: unknown): Effects => {
    const failure = asFailure(thrown);
    log.error(
      { waiting: row.id, message: row.message_id, code: failure.code, cause: failure.cause },
      failure.message,
    );
    if (isOutage(thrown)) return requeue(row, clock.now() + OUTAGE_PAUSE_MS);
    if (row.message_id !== null) return endMessage(row, 'failed', failure.code, failure.message, ids);
    // A task of the engine itself tells of its own failures.
    if (runPipelineOf(row.pipeline) === undefined || row.payload === null) return { done: [row.id] };
    const kept = unreadableRequest(row, undefined, failure, row.payload, createRedact([]));
    return { done: [row.id], failedRequests: [kept] };
  };

  return Object.freeze<Perform>({
    row: (row) => performed(row).catch((thrown: unknown) => notPerformed(row, thrown)),
  });
}

/** The pipeline of a channel by its number; undefined for a task of the engine itself. */
function runPipelineOf(code: number): PipelineName | undefined {
  const waiting = pipelineOf(code);
  return PIPELINE_NAMES.find((name) => name === waiting);
}

function recordedParts(row: ClaimedRow, recorded: Effects): Effects {
  return {
    done: [row.id],
    unmatched: (recorded.unmatched ?? []).map((event) => ({ ...event, source: row.id })),
    waits: (recorded.waits ?? []).map((wait) => ({ ...wait, source: row.id })),
    failedRequests: recorded.failedRequests ?? [],
  };
}
