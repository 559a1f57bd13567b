/** Performs one claimed row: brings together what its run needs, runs the plan, and says what is to be settled. */
import { openFields } from '../access/vault.ts';
import { fieldsOf, type PipelineName } from '../channel/document.ts';
import type { PlanPipe } from '../engine/plan.ts';
import { type Outside, type RunOutcome, runPlan } from '../engine/run.ts';
import { asFailure } from '../errors.ts';
import type { Scope } from '../expression/scope.ts';
import type { RateLimit } from '../pipes/contract.ts';
import { type ClaimedRow, PIPELINE_CODES } from '../storage/claim.ts';
import { isOutage } from '../storage/database.ts';
import { PARKED_DUE_MS } from '../storage/launches.ts';
import { STATE_CODES } from '../storage/states.ts';
import { isoTime } from '../time.ts';
import { healthOf } from './breaker.ts';
import type { Directory } from './directory.ts';
import { endMessage, putBack } from './end-message.ts';
import type { Ground } from './ground.ts';
import { createGuards, type Guarded } from './guards/guards.ts';
import { skip } from './guards/skip.ts';
import { keywordsOf, originOf, type Surroundings } from './keywords.ts';
import { createRenderMessage, refusedState } from './message-content.ts';
import { outcomeParts } from './outcome.ts';
import type { Parts } from './parts.ts';
import { readPayload } from './payload.ts';
import { createRedact, type Redact } from './redact.ts';
import { decideRetry } from './retry.ts';
import { writeRunLog } from './run-log.ts';

/** Where a run's outside calls belong: whose limits, whose connections, whose store. */
export interface RunPlace {
  readonly laneId: number;
  readonly accountId: string | null;
  readonly channelId: number;
  readonly senderId: string | null;
  readonly resourceId: string | null;
  /** The channel's own limit, for all its requests. */
  readonly limits: RateLimit | undefined;
}

/** Gives a run what acts at once. */
export type OpenOutside = (place: RunPlace) => Outside;

export interface Perform {
  /** Never throws; what cannot be run ends visibly. */
  readonly row: (row: ClaimedRow) => Promise<Parts>;
}

interface Around extends Surroundings {
  readonly secrets: readonly string[];
  /** The channel has secret subscription fields, which are opened per message. */
  readonly sealedSubscriptions: boolean;
  readonly redact: Redact;
  readonly outside: Outside;
  /** The channel needs a sender, and none was chosen. */
  readonly unchosen: boolean;
  /** What guards the account's messages to people; undefined where nothing does. */
  readonly guarded: Guarded | undefined;
}

const PIPELINE_OF_CODE: ReadonlyMap<number, PipelineName> = new Map([
  [PIPELINE_CODES.message, 'message'],
  [PIPELINE_CODES.schedule, 'schedule'],
  [PIPELINE_CODES.listener, 'listener'],
  [PIPELINE_CODES.moderate, 'moderate'],
  [PIPELINE_CODES.stop, 'stop'],
]);

/** What could not be looked up is tried again after so long. */
const OUTAGE_PAUSE_MS = 1_000;

/** A message that is to be withdrawn, but is still on its way, is looked at again after so long. */
const UNSENT_PAUSE_MS = 1_000;

/** How long surroundings are used again before the directory is asked. */
const AROUND_FRESH_MS = 500;

export interface PerformOptions {
  /** Keeps the trail of one in so many uneventful runs; everything else is always kept. */
  readonly trailSample: number;
  /** For so long a run that failed in an open lane gets out of the way; 0 where the lane is closed. */
  readonly laneOpenForMs: (laneId: number) => number;
}

/** Performs rows of pipelines; `open` gives the outside of a run. */
export function createPerform(
  ground: Ground,
  directory: Directory,
  open: OpenOutside,
  options: PerformOptions,
): Perform {
  const { clock, ids, random, log } = ground;
  const guards = createGuards(ground);
  const renderTemplate = createRenderMessage(directory);
  let around = new Map<string, Around>();
  let aroundSince = 0;

  const aroundOf = (row: ClaimedRow, senderId: string | null): Around | Promise<Around> => {
    const now = clock.now();
    if (Math.abs(now - aroundSince) > AROUND_FRESH_MS) {
      around = new Map();
      aroundSince = now;
    }
    const key = `${row.lane_id}/${row.channel_version_id}/${row.account_id}/${senderId}/${row.resource_id}/${row.launch_id}`;
    return around.get(key) ?? readAround(row, senderId, key, around);
  };

  const readAround = async (
    row: ClaimedRow,
    senderId: string | null,
    key: string,
    into: Map<string, Around>,
  ) => {
    const channel =
      directory.knownVersion(row.channel_version_id) ?? (await directory.version(row.channel_version_id));
    const { sid, id, limits, communication } = channel.document;
    const [sender, resource, account, launch, guarded] = await Promise.all([
      senderId === null ? undefined : directory.sender(senderId),
      row.resource_id === null ? undefined : directory.resource(row.resource_id, sid),
      row.account_id === null ? undefined : directory.account(row.account_id, id),
      row.launch_id === null ? undefined : directory.launch(row.launch_id),
      row.account_id === null || communication === 'indirect' ? undefined : guards.of(row.account_id),
    ]);
    const secrets = [sender, resource, account].flatMap((each) => each?.secrets ?? []);
    const made: Around = {
      channel,
      sender,
      resource,
      account,
      launch,
      secrets,
      sealedSubscriptions: fieldsOf(channel.document.fields.subscription).some(
        (field) => field.secret === true,
      ),
      redact: createRedact(secrets),
      outside: open({
        laneId: row.lane_id,
        accountId: row.account_id,
        channelId: id,
        senderId,
        resourceId: row.resource_id,
        limits,
      }),
      unchosen: senderId === null && (channel.document.fields.sender ?? []).length > 0,
      guarded,
    };
    into.set(key, made);
    return made;
  };

  const performMessage = async (
    claimed: ClaimedRow,
    pipeline: PipelineName,
    nowMs: number,
  ): Promise<Parts> => {
    const found = aroundOf(claimed, claimed.sender_id);
    const around = found instanceof Promise ? await found : found;
    const { channel, launch } = around;
    const { row, redact } = openSubscription(claimed, around);
    const early = notToSend(row, pipeline, around, nowMs);
    if (early !== undefined) return early;
    const asked =
      around.guarded === undefined || pipeline !== 'message'
        ? undefined
        : { guarded: around.guarded, row, channel: channel.document, launch, nowMs };
    const stopped = asked && (await guards.check(asked));
    if (stopped !== undefined) return stopped;

    const plan = channel.plans[pipeline];
    const entry = row.pipe === null ? plan?.entry : plan?.pipes.get(row.pipe);
    if (entry === undefined) {
      const text = `Pipeline "${pipeline}" of the channel has no pipe ${row.pipe ?? 'to begin with'}.`;
      return endMessage(row, 'failed', 'DOCUMENT_INVALID', text, ids);
    }
    const now = isoTime(nowMs);
    const keywords: { -readonly [K in keyof Scope]: Scope[K] } = keywordsOf(row, around, now);
    try {
      const template = renderTemplate(row, around, keywords);
      keywords.template = template instanceof Promise ? await template : template;
    } catch (thrown) {
      if (isOutage(thrown)) throw thrown;
      const failure = asFailure(thrown);
      return endMessage(row, refusedState(failure), failure.code, redact(failure.message), ids);
    }
    const full = asked && (await guards.reserve(asked));
    if (full !== undefined) return full;
    const origin = originOf(row, launch);
    const resumed = row.payload === null ? undefined : (readPayload(ground.vault, row.payload) as ResumedRun);
    const outcome = await run(row, entry, {
      keywords,
      origin: resumed?.origin ?? origin,
      in: resumed?.in ?? origin,
      error: resumed?.error,
      around,
      now,
      messageId: row.message_id ?? undefined,
    });
    writeRunLog(log, outcome, redact, { channel: channel.document.sid, message: row.message_id });
    const parts = outcomeParts({
      ground,
      row,
      channel,
      outcome,
      redact,
      nowMs,
      pipeline,
      sample: options.trailSample,
      ...(resumed?.doubt === true && { doubt: true }),
    });
    const health = healthOf(outcome, redact);
    return health === undefined ? parts : { ...parts, health };
  };

  /** Secret fields of the subscription are opened for this run, and masked in what it leaves. */
  const openSubscription = (row: ClaimedRow, around: Around): { row: ClaimedRow; redact: Redact } => {
    if (!around.sealedSubscriptions || row.subscription === null) return { row, redact: around.redact };
    const { values, secrets } = openFields(ground.vault, row.subscription);
    return { row: { ...row, subscription: values }, redact: createRedact([...around.secrets, ...secrets]) };
  };

  /** Why a message is not sent, and what is written instead; undefined where nothing speaks against it. */
  const notToSend = (
    row: ClaimedRow,
    pipeline: PipelineName,
    around: Around,
    nowMs: number,
  ): Parts | undefined => {
    if (row.state === null) return { done: [row.id] };
    if (pipeline === 'stop') return notToWithdraw(row, row.state, nowMs);
    const launchState = around.launch?.row.state;
    if (launchState === 'stopped' && row.state < STATE_CODES.sent)
      return endMessage(row, 'stopped', 'MAILING_STOPPED');
    if (launchState === 'paused') return putBack(row, PARKED_DUE_MS);
    if (pipeline !== 'message') return undefined;
    if (row.state >= STATE_CODES.expired) return { done: [row.id] };
    // Reported as sent while it was on its way to another sender: there is nothing left to do.
    if (row.state >= STATE_CODES.sent && row.pipe === null && row.payload === null) return { done: [row.id] };
    // What was sent in time goes on: only its later pipes are left.
    if (row.expires !== null && row.expires <= nowMs && row.state < STATE_CODES.sent)
      return endMessage(row, 'expired', 'MESSAGE_EXPIRED');
    // A mailing found no sender for it, and a redrive does not look for one.
    if (around.unchosen) return endMessage(row, 'failed', 'SENDER_NOT_CHOSEN', NOT_CHOSEN, ids);
    // Consent is asked for at the begin, and again while nothing has been sent: after a hold, before a retry.
    if (
      row.subscription_status !== null &&
      row.subscription_status !== 'subscribed' &&
      (row.payload === null || row.state < STATE_CODES.sent)
    ) {
      const status = row.subscription_status;
      return skip(row, `SUBSCRIPTION_${status.toUpperCase()}`, `the subscription is ${status}`, ids);
    }
    return undefined;
  };

  /** What is on its way is withdrawn once it was placed, and what never was placed is not. */
  const notToWithdraw = (row: ClaimedRow, state: number, nowMs: number): Parts | undefined => {
    if (state >= STATE_CODES.expired || state === STATE_CODES.unknown) return { done: [row.id] };
    // Not the lane waits, only this row: a changed number of tries says so.
    return state < STATE_CODES.sent
      ? putBack(row, nowMs + UNSENT_PAUSE_MS, row.tries === 0 ? 1 : 0)
      : undefined;
  };

  /** Runs that belong to no message: a provider's request, and what it scheduled. */
  const performListener = async (row: ClaimedRow, pipeline: PipelineName, nowMs: number): Promise<Parts> => {
    const kept = readPayload(ground.vault, row.payload ?? '{}') as ResumedRun & { senderId?: string | null };
    // A listener that answered with its result has run already; what it left is settled now.
    if (kept.recorded !== undefined) return recordedParts(row, kept.recorded);
    const senderId = kept.senderId ?? null;
    const found = aroundOf(row, senderId);
    const around = found instanceof Promise ? await found : found;
    const { channel } = around;
    const entry = channel.plans[pipeline]?.pipes.get(row.pipe ?? 0);
    if (entry === undefined) return { done: [row.id] };
    const now = isoTime(nowMs);
    const origin = Object.freeze(kept.origin ?? {});
    const keywords: Scope = {
      channel: { sid: channel.document.sid, id: channel.document.id },
      now,
      ...(around.sender !== undefined && { sender: around.sender.values }),
      ...(around.account !== undefined && { account: around.account.values }),
    };
    const outcome = await run(row, entry, {
      keywords,
      origin,
      in: kept.in ?? origin,
      error: kept.error,
      around,
      now,
      messageId: undefined,
    });
    writeRunLog(log, outcome, around.redact, { channel: channel.document.sid, message: null });
    if (outcome.failure !== undefined && outcome.status === 'failed') {
      log.warn(
        {
          channel: channel.document.sid,
          pipe: outcome.pipe,
          code: outcome.failure.code,
          reason: around.redact(outcome.failure.message),
        },
        'a listener run failed',
      );
    }
    return outcomeParts({
      ground,
      row,
      channel,
      outcome,
      redact: around.redact,
      nowMs,
      pipeline,
      sample: options.trailSample,
      senderId,
      origin,
    });
  };

  interface RunParts {
    readonly keywords: Scope;
    readonly origin: Readonly<Record<string, unknown>>;
    readonly in: Readonly<Record<string, unknown>>;
    readonly error: Readonly<Record<string, unknown>> | undefined;
    readonly around: Around;
    readonly now: string;
    readonly messageId: string | undefined;
  }

  const run = (row: ClaimedRow, entry: PlanPipe, parts: RunParts): Promise<RunOutcome> => {
    const { around, messageId } = parts;
    const { channel } = around;
    return runPlan({
      entry,
      keywords: parts.keywords,
      in: parts.in,
      origin: parts.origin,
      ...(parts.error !== undefined && { error: parts.error }),
      // Before the first pipe nothing was tried yet, however often the row was put back.
      tries: row.pipe === null ? 0 : row.tries,
      channel: channel.document.sid,
      ...(messageId !== undefined && { messageId }),
      now: parts.now,
      outside: around.outside,
      declare: channel.declare,
      decide: (failure, at, tries) =>
        decideRetry({
          failure,
          rule: at.retry,
          tries,
          durable: true,
          ownsMessage: messageId !== undefined,
          unknownPolicy: channel.document.unknown,
          laneOpenForMs: options.laneOpenForMs(row.lane_id),
          random: random(),
        }),
      clock: clock.now,
    });
  };

  return Object.freeze<Perform>({
    row: async (row) => {
      const nowMs = clock.now();
      const pipeline = PIPELINE_OF_CODE.get(row.pipeline);
      try {
        if (pipeline === undefined) return { done: [row.id] };
        return pipeline === 'listener' || (pipeline === 'schedule' && row.message_id === null)
          ? await performListener(row, pipeline, nowMs)
          : await performMessage(row, pipeline, nowMs);
      } catch (thrown) {
        const failure = asFailure(thrown);
        log.error(
          { waiting: row.id, message: row.message_id, code: failure.code, cause: failure.cause },
          failure.message,
        );
        // Nothing was sent yet: a run that has begun never throws.
        if (isOutage(thrown)) return putBack(row, clock.now() + OUTAGE_PAUSE_MS);
        return row.message_id === null
          ? { done: [row.id] }
          : endMessage(row, 'failed', failure.code, failure.message, ids);
      }
    },
  });
}

const NOT_CHOSEN =
  'No sender rule fitted this message when its mailing was opened. Add a rule that does and start the mailing again.';

/** How a run that waited is kept. */
interface ResumedRun {
  readonly in?: Readonly<Record<string, unknown>>;
  readonly error?: Readonly<Record<string, unknown>>;
  readonly origin?: Readonly<Record<string, unknown>>;
  readonly recorded?: Parts;
  /** Something may have been sent before it waited. */
  readonly doubt?: boolean;
}

function recordedParts(row: ClaimedRow, recorded: Parts): Parts {
  return {
    done: [row.id],
    loose: (recorded.loose ?? []).map((event) => ({ ...event, source: row.id })),
    waits: (recorded.waits ?? []).map((wait) => ({ ...wait, source: row.id })),
  };
}
