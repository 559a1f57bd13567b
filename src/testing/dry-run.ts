/** One run of a checked channel with a trace, by the production engine; nothing leaves. */
import type { ChannelDocument } from '../channel/document.ts';
import { compileChannel } from '../engine/compile-channel.ts';
import { Failure } from '../errors.ts';
import { compileListener } from '../flows/listener/compile-listener.ts';
import { createRedact } from '../flows/redact.ts';
import { trailOf } from '../flows/run/trail.ts';
import { planPipeOf } from '../pipes/catalog.ts';
import type { HttpRequest } from '../pipes/contract.ts';
import { givenValues } from './given-values.ts';
import type { Answer, Given, GoldenTest } from './golden-test.ts';
import type { Happened } from './happened.ts';
import { type Otherwise, playAnswer, watchPipes } from './played-outside.ts';
import { createRedactValue, secretsOf } from './redact.ts';
import { runGoldenTest, type TestBench } from './run-golden.ts';

export interface DryRun extends Given {
  /** `message` where it is left out. */
  readonly pipeline?: string;
  /** The pipe where the event enters. */
  readonly entry?: number;
}

export interface DryRunReport {
  /** What the run did, in the words of golden tests; secrets are masked. */
  readonly happened: Happened;
  /** Pipe by pipe: what would have gone out, what was answered, which rule decided. */
  readonly trace: readonly unknown[];
  /** What is to be known about the run: answers that were made up, answers that nobody asked for. */
  readonly notes: readonly string[];
}

/** Where requests go that the given answers do not answer. */
export interface DryRunOutside {
  readonly answer: Otherwise;
  /** Texts that came in on the way and must not be shown; asked for after the run. */
  readonly secrets: () => readonly string[];
  readonly randomId?: () => string;
}

/**
 * Runs a pipeline once; without `outside` answers are made up and said so.
 * Throws DOCUMENT_INVALID if the channel has no such pipeline or pipe.
 */
export async function dryRun(
  channel: ChannelDocument,
  given: DryRun,
  outside?: DryRunOutside,
): Promise<DryRunReport> {
  const { pipeline = 'message', entry, ...world } = given;
  const { watch, running } = watchPipes();
  const compiled = compileChannel(channel, (type) => {
    const pipe = planPipeOf(type);
    return pipe && watch(pipe);
  });
  const plans = new Map([...Object.entries(compiled.plans), ...compiled.operations]);
  const plan = plans.get(pipeline);
  if (plan === undefined) {
    const known = [...plans.keys()].join(', ') || 'none';
    throw new Failure(
      'DOCUMENT_INVALID',
      `Channel "${channel.sid}" has no pipeline "${pipeline}"; it has: ${known}.`,
    );
  }
  const test: GoldenTest = {
    name: 'dry run',
    pipeline,
    given: world,
    expect: {},
    ...(entry !== undefined && { entry }),
  };
  const madeUp = new Set<number>();
  const makeUp: Otherwise = async (request, pipe) => {
    madeUp.add(pipe);
    return playAnswer(asksForToken(request) ? TOKEN_ANSWER : OTHER_ANSWER, request);
  };
  const bench: TestBench = {
    channel: compiled,
    listener: compileListener(channel.listener),
    running,
    ...(outside?.randomId !== undefined && { randomId: outside.randomId }),
  };
  const run = await runGoldenTest(bench, plan, test, outside?.answer ?? makeUp);
  const { happened, mistakes, outcome } = run;
  const secrets = [...secretsOf(channel, givenValues(test)), ...(outside?.secrets() ?? [])];
  const redact = createRedactValue(secrets);
  const trail = outcome === undefined ? [] : trailOf(outcome, createRedact(secrets));
  // No time passes in a dry run, so durations would say nothing.
  const trace = trail.map(({ ms: _ms, ...step }) => step);
  const notes = [
    ...[...madeUp].map(
      (pipe) =>
        `The answer to pipe ${pipe} is made up (200 and {}); give one in answers."${pipe}" to play another.`,
    ),
    ...mistakes.map((mistake) => mistake.replace('given.', '')),
  ];
  return {
    happened: redact(happened) as Happened,
    trace: redact(trace) as unknown[],
    notes: redact(notes) as string[],
  };
}

const OTHER_ANSWER: Answer = { status: 200, body: {} };
const TOKEN_ANSWER: Answer = {
  status: 200,
  body: { access_token: 'made-up', token_type: 'Bearer', expires_in: 3_600 },
};

/** True for a request to a token endpoint. */
export function asksForToken({ headers, body }: HttpRequest): boolean {
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  return (
    isForm && body !== undefined && new URLSearchParams(Buffer.from(body).toString('utf8')).has('grant_type')
  );
}
