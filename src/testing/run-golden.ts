/** Runs one golden test: the same steps as production, with a played outside. */
import type { CompiledChannel } from '../engine/compile-channel.ts';
import type { Plan, PlanPipe } from '../engine/plan.ts';
import { runPlan } from '../engine/run.ts';
import type { RunOutcome } from '../engine/run-outcome.ts';
import { asFailure, Failure } from '../errors.ts';
import type { Answer } from '../flows/listener/answer.ts';
import type { CompiledListener } from '../flows/listener/compile-listener.ts';
import { buildRun } from '../flows/run/build-run.ts';
import { authorize } from '../outside/authorize.ts';
import { type ExitName, exitsWalked } from './exits.ts';
import { requestOf } from './given-request.ts';
import { completeValues, renderTemplate } from './given-values.ts';
import { type GivenWorld, ownsMessage, timeOf, worldOf } from './given-world.ts';
import type { GoldenTest } from './golden-test.ts';
import { type Happened, present, showOutcome } from './happened.ts';
import { type Otherwise, type PlayedOutside, playOutside } from './played-outside.ts';

/** What the tests of a channel share. */
export interface TestBench {
  readonly channel: CompiledChannel;
  readonly listener: CompiledListener;
  /** The pipe that is running. */
  readonly running: () => number;
  /** Ids of signed tokens; where it is left out they all have the same. */
  readonly randomId?: () => string;
}

export interface GoldenRun {
  readonly happened: Happened;
  readonly mistakes: readonly string[];
  readonly walked: readonly ExitName[];
  /** The run itself, where it came to one; its secrets are not masked. */
  readonly outcome?: RunOutcome;
}

/** Runs a test from its door to the end of its run; `otherwise` gives the answers that it does not give. */
export async function runGoldenTest(
  bench: TestBench,
  plan: Plan,
  test: GoldenTest,
  otherwise?: Otherwise,
): Promise<GoldenRun> {
  const outside = playOutside(test.given ?? {}, bench.running, otherwise);
  const run =
    test.pipeline === 'listener'
      ? await receive(bench, plan, test, outside)
      : await perform(bench, plan, test, outside);
  return { ...run, mistakes: outside.mistakes() };
}

type Run = Omit<GoldenRun, 'mistakes'>;

/** A message, an operation, or an event that comes back. */
async function perform(bench: TestBench, plan: Plan, test: GoldenTest, outside: PlayedOutside): Promise<Run> {
  const { channel } = bench;
  const values = completeValues(channel.document, test);
  let template = values.template;
  if (ownsMessage(test)) {
    try {
      template = renderTemplate(channel.document, test, values);
    } catch (thrown) {
      // As in production, what cannot be rendered never enters the pipeline.
      return {
        happened: { status: 'failed', ...present({ error: refusal(asFailure(thrown)) }) },
        walked: [],
      };
    }
  }
  const outcome = await run(bench, plan, test, worldOf(channel, test, { ...values, template }), outside);
  return {
    happened: await showOutcome(
      channel,
      outcome,
      outside,
      Date.parse(timeOf(test)),
      channel.operations.has(test.pipeline),
    ),
    walked: exitsWalked(plan, outcome.trail),
    outcome,
  };
}

function refusal({ code, message, details }: Failure): Readonly<Record<string, unknown>> {
  return { code, message, pointer: details.problems?.[0]?.pointer };
}

/** A provider's request: handshake, verification, run, answer, in the order of the listener's door. */
async function receive(bench: TestBench, plan: Plan, test: GoldenTest, outside: PlayedOutside): Promise<Run> {
  const { channel, listener } = bench;
  const { sid } = channel.document;
  const entry = entryOf(plan, test);
  const request = requestOf(test.given?.request ?? {}, `/fbp/v1/${sid}/${entry.id}/sender`);
  const { form, headers, method, path, body } = request;
  const given = worldOf(channel, test, completeValues(channel.document, test));
  const origin = { form, headers, method, path, body };
  const world = { ...given, origin, in: origin };
  const nowMs = Date.parse(world.now);

  const early = await listener.early(request, world.keywords, nowMs);
  if (early.answer !== undefined) return { happened: { response: showAnswer(early.answer) }, walked: [] };
  const verified = listener.verify(request, world.keywords, nowMs);
  if (verified !== true) {
    const status = verified === false ? 401 : verified.status;
    return { happened: { response: { status } }, walked: [] };
  }
  const outcome = await run(bench, plan, test, world, outside);
  const { answer } = listener.answersResult
    ? await listener.resultAnswer(outcome.result?.value, request, world.keywords)
    : await listener.answer(request, world.keywords);
  return {
    happened: {
      ...(await showOutcome(channel, outcome, outside, Date.parse(timeOf(test)))),
      response: showAnswer(answer),
      ...present({ dedupe: listener.dedupeKey(request, world.keywords) }),
    },
    walked: exitsWalked(plan, outcome.trail),
    outcome,
  };
}

async function run(
  bench: TestBench,
  plan: Plan,
  test: GoldenTest,
  world: GivenWorld,
  outside: PlayedOutside,
): Promise<RunOutcome> {
  const { channel } = bench;
  const { store, sql, module, send, tokens } = outside;
  const authorization = {
    send,
    tokens,
    now: () => Date.parse(world.now),
    randomId: bench.randomId ?? (() => TOKEN_ID),
  };
  return runPlan(
    buildRun({
      entry: entryOf(plan, test),
      channel,
      keywords: world.keywords,
      in: world.in,
      origin: world.origin,
      tries: test.given?.tries ?? 0,
      messageId: world.messageId,
      now: world.now,
      outside: { http: (request) => authorize(request, authorization), store, sql, module },
      // What stops a dry run stops an operation too, which could not wait for an answer.
      mayWait: ({ blame }) => !channel.operations.has(test.pipeline) || blame === 'shutdown',
      ownsMessage: ownsMessage(test),
      random: () => MIDDLE,
      clock: () => 0,
    }),
  );
}

/** Where chance would be, a test takes the middle. */
const MIDDLE = 0.5;
/** The id of the tokens that a test signs. */
const TOKEN_ID = '00000000-0000-7000-8000-00000000000f';

function entryOf(plan: Plan, { entry }: GoldenTest): PlanPipe {
  const pipe = entry === undefined ? plan.entry : plan.pipes.get(entry);
  if (pipe !== undefined) return pipe;
  throw new Failure(
    'DOCUMENT_INVALID',
    entry === undefined
      ? `Pipeline "${plan.name}" is empty, so a test has nowhere to enter.`
      : `Pipeline "${plan.name}" has no pipe ${entry} where the test could enter; it has: ${[...plan.pipes.keys()].join(', ')}.`,
  );
}

function showAnswer({ status, headers, body }: Answer): Happened {
  return { status, ...present({ headers }), ...(body.length > 0 && { body: body.toString() }) };
}
