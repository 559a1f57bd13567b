/**
 * Door 2: a provider's request. It is matched with its channel and sender, verified over the raw bytes, and committed
 * before it is answered; requests that arrive together are committed together. The pipeline runs after.
 */
import { runPlan } from '../../engine/run.ts';
import type { RunOutcome } from '../../engine/run-outcome.ts';
import { Failure } from '../../errors.ts';
import type { Scope } from '../../expression/scope.ts';
import { encodeValue } from '../../json.ts';
import { insertRequests, type NewRequest } from '../../storage/accept.ts';
import { PIPELINE_CODES } from '../../storage/claim.ts';
import type { SenderRow } from '../../storage/entities.ts';
import { isoTime } from '../../time.ts';
import { createBatcher } from '../batcher.ts';
import type { Directory, Opened } from '../directory/directory.ts';
import type { KnownChannel } from '../directory/known-channel.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { Answer } from '../listener/answer.ts';
import type { RequestIn } from '../listener/request-in.ts';
import { createRedact } from '../redact.ts';
import { buildRun } from '../run/build-run.ts';
import { failedRequest } from '../run/failed-request.ts';
import { outcomeEffects } from '../run/outcome.ts';
import type { OpenOutside } from '../run/run-context.ts';
import { writeRunLog } from '../run/run-log.ts';
import type { Runtime } from '../runtime.ts';
import type { Effects } from '../settlement/effects.ts';
import type { RefusalCounts } from './refusals.ts';
import { savedResult, saveResult } from './saved-answers.ts';

export interface ListenerAddress {
  readonly channel: string;
  readonly pipe: number;
  readonly sender: string | undefined;
}

export interface AcceptRequest {
  /** Takes a request in and gives its answer. Throws NOT_FOUND for an unknown channel, pipe or sender, SIGNATURE_INVALID. */
  readonly request: (address: ListenerAddress, request: RequestIn) => Promise<Answer>;
}

const MOST_TOGETHER = 500;

interface Arrived {
  readonly channel: KnownChannel;
  readonly sender: Opened<SenderRow> | undefined;
  readonly scope: Scope;
}

/** `wakeLanes` gets the lanes that have work; `open` is for listeners that answer with their result. */
export function createAcceptRequest(
  runtime: Runtime,
  directory: Directory,
  lanes: Lanes,
  open: OpenOutside,
  refusals: RefusalCounts,
  wakeLanes: (laneIds: readonly number[]) => void,
): AcceptRequest {
  const { database, clock, ids, log } = runtime;

  const gatherer = createBatcher<NewRequest>(async (requests) => {
    await insertRequests(database, requests, clock.now());
    wakeLanes([...new Set(requests.map((request) => request.laneId))]);
    return undefined;
  }, MOST_TOGETHER);

  const arrive = async (address: ListenerAddress, request: RequestIn): Promise<Arrived> => {
    const known = await directory.channel(address.channel);
    const pipe = known?.channel.plans.listener?.pipes.get(address.pipe);
    if (known === undefined || pipe === undefined) {
      if (known !== undefined) refusals.add(known.channel.document.id, 'PIPE_UNKNOWN', request);
      throw new Failure(
        'NOT_FOUND',
        'No listener exists at this address: it must name a channel and one of its listener pipes.',
      );
    }
    const { channel } = known;
    const sender =
      address.sender === undefined
        ? undefined
        : await directory.senderBySid(channel.document.id, address.sender);
    if (address.sender !== undefined && sender === undefined) {
      refusals.add(channel.document.id, 'SENDER_UNKNOWN', request);
      throw new Failure(
        'NOT_FOUND',
        'No listener exists at this address: it names a sender that does not exist.',
      );
    }
    const account =
      sender === undefined ? undefined : await directory.account(sender.row.account_id, channel.document.id);
    const scope: Scope = {
      channel: { sid: channel.document.sid, id: channel.document.id },
      now: isoTime(clock.now()),
      ...(sender !== undefined && { sender: sender.values }),
      ...(account !== undefined && { account: account.values }),
    };
    return { channel, sender, scope };
  };

  /** Runs the pipeline while the provider waits, for channels with `answer: "result"`. */
  const runNow = async (
    arrived: Arrived,
    address: ListenerAddress,
    origin: Readonly<Record<string, unknown>>,
    laneId: number,
  ) => {
    const { channel, sender } = arrived;
    const entry = channel.plans.listener?.pipes.get(address.pipe);
    if (entry === undefined) return undefined;
    const outcome = await runPlan(
      buildRun({
        entry,
        channel,
        keywords: arrived.scope,
        in: origin,
        origin,
        now: isoTime(clock.now()),
        outside: open({
          laneId,
          accountId: sender?.row.account_id ?? null,
          channelId: channel.document.id,
          senderId: sender?.row.id ?? null,
          resourceId: null,
          limits: channel.document.limits,
        }),
        mayWait: () => false,
        random: runtime.random,
        clock: clock.now,
      }),
    );
    const redact = createRedact(sender?.secrets ?? []);
    writeRunLog(log, outcome, redact, { channel: channel.document.sid, message: null });
    if (outcome.failure !== undefined) {
      log.warn(
        { channel: channel.document.sid, pipe: outcome.pipe, code: outcome.failure.code },
        redact(outcome.failure.message),
      );
    }
    return outcome;
  };

  return Object.freeze<AcceptRequest>({
    request: async (address, request) => {
      const arrived = await arrive(address, request);
      const { channel, sender, scope } = arrived;
      const { listener } = channel;
      const nowMs = clock.now();
      const note = (problem: Failure | undefined) => {
        if (problem === undefined) return;
        log.warn({ channel: channel.document.sid, pipe: address.pipe, code: problem.code }, problem.message);
      };
      const early = await listener.early(request, scope, nowMs);
      note(early.problem);
      if (early.answer !== undefined) return early.answer;
      const verified = listener.verify(request, scope, nowMs);
      if (verified !== true) {
        if (verified instanceof Failure) note(verified);
        refusals.add(
          channel.document.id,
          verified instanceof Failure ? verified.code : 'SIGNATURE_INVALID',
          request,
        );
        throw new Failure('SIGNATURE_INVALID', 'The signature of the request is missing or wrong.');
      }
      const origin = originOfRequest(request);
      const accountId = sender?.row.account_id ?? null;
      const senderId = sender?.row.id ?? null;
      const lane = await lanes.laneOf({
        document: channel.document,
        accountId,
        senderId,
        resourceId: null,
        urgent: false,
        inbound: true,
      });
      const name = listener.dedupeKey(request, scope);
      const named =
        name === undefined ? undefined : { channelId: channel.document.id, accountId, senderId, name };
      const kept =
        listener.answersResult && named !== undefined ? await savedResult(runtime, named) : undefined;
      if (kept !== undefined) {
        const repeated = await listener.resultAnswer(kept.value, request, scope);
        note(repeated.problem);
        return repeated.answer;
      }
      const outcome = listener.answersResult ? await runNow(arrived, address, origin, lane.id) : undefined;
      const id = ids.next();
      await gatherer.add({
        id,
        accountId,
        laneId: lane.id,
        channelId: channel.document.id,
        channelVersionId: channel.versionId,
        pipe: address.pipe,
        senderId,
        payload: encodeValue(
          outcome === undefined
            ? { origin, senderId }
            : { recorded: record(arrived, address, origin, outcome, lane.id, id) },
        ),
        dedupeKey: name ?? null,
      });
      if (outcome !== undefined && named !== undefined) {
        await saveResult(runtime, named, outcome.result?.value, createRedact(sender?.secrets ?? []));
      }
      const given =
        outcome === undefined
          ? await listener.answer(request, scope)
          : await listener.resultAnswer(outcome.result?.value, request, scope);
      note(given.problem);
      return given.answer;
    },
  });

  /** What a run that was answered with its result leaves, to be settled by the corridor like all others. */
  function record(
    arrived: Arrived,
    address: ListenerAddress,
    origin: Readonly<Record<string, unknown>>,
    outcome: RunOutcome,
    laneId: number,
    id: string,
  ): Effects {
    const { channel, sender } = arrived;
    const redact = createRedact(sender?.secrets ?? []);
    const effects = outcomeEffects({
      runtime,
      row: {
        id,
        account_id: sender?.row.account_id ?? null,
        lane_id: laneId,
        due: clock.now(),
        pipeline: PIPELINE_CODES.listener,
        pipe: null,
        tries: 0,
        message_id: null,
        channel_version_id: channel.versionId,
        payload: null,
      },
      channel,
      outcome,
      redact,
      nowMs: clock.now(),
      pipeline: 'listener',
      sample: 1,
      senderId: sender?.row.id ?? null,
    });
    const left = { unmatched: effects.unmatched ?? [], waits: effects.waits ?? [] };
    const { failure, events } = outcome;
    if (failure === undefined) return left;
    const row = {
      id,
      account_id: sender?.row.account_id ?? null,
      lane_id: laneId,
      pipeline: PIPELINE_CODES.listener,
      pipe: address.pipe,
      channel_version_id: channel.versionId,
    };
    const run = { origin, senderId: sender?.row.id ?? null };
    return { ...left, failedRequests: [failedRequest(runtime, row, run, { failure, events }, redact)] };
  }
}

/** `$origin` of the Listener pipeline (format, section 4). */
export function originOfRequest(request: RequestIn): Readonly<Record<string, unknown>> {
  return {
    form: request.form,
    body: request.body,
    headers: request.headers,
    method: request.method,
    path: request.path,
  };
}
