/** Runs golden tests with the production compiler, loop and retry rules; only the outside is played. */
import type { ChannelDocument } from '../channel/document.ts';
import { type CompiledChannel, compileChannel } from '../engine/compile-channel.ts';
import type { Plan } from '../engine/plan.ts';
import { asFailure, Failure } from '../errors.ts';
import { compileListener } from '../flows/listener/compile-listener.ts';
import { planPipeOf } from '../pipes/catalog.ts';
import { differences, showDifference } from './compare.ts';
import { type ExitName, exitsOfChannel } from './exits.ts';
import { givenValues } from './given-values.ts';
import type { Expectation, GoldenTest } from './golden-test.ts';
import type { Happened } from './happened.ts';
import { watchPipes } from './played-outside.ts';
import { createRedactValue, secretsOf } from './redact.ts';
import { runGoldenTest, type TestBench } from './run-golden.ts';

export interface TestReport {
  readonly name: string;
  readonly pipeline: string;
  readonly passed: boolean;
  /** Full sentences and differences; secrets are masked. */
  readonly problems: readonly string[];
  /** Secrets are masked. Empty where the test itself is wrong, so that no update writes it down. */
  readonly happened: Happened;
  readonly walked: readonly ExitName[];
}

export interface GoldenReport {
  readonly tests: readonly TestReport[];
  /** Wired exits that no test took. */
  readonly outs: readonly ExitName[];
}

/** Runs all tests of a checked channel. Throws DOCUMENT_INVALID if the channel cannot run. */
export async function runGoldenTests(
  channel: ChannelDocument,
  tests: readonly GoldenTest[],
): Promise<GoldenReport> {
  const { watch, running } = watchPipes();
  const compiled = compileChannel(channel, (type) => {
    const pipe = planPipeOf(type);
    return pipe === undefined ? undefined : watch(pipe);
  });
  const bench: TestBench = { channel: compiled, listener: compileListener(channel.listener), running };
  const reports: TestReport[] = [];
  for (const test of tests) reports.push(await report(bench, test));
  const walked = new Set(reports.flatMap((each) => each.walked));
  return { tests: reports, outs: exitsOfChannel(compiled).filter((exit) => !walked.has(exit)) };
}

async function report(bench: TestBench, test: GoldenTest): Promise<TestReport> {
  const { name, pipeline } = test;
  const redact = createRedactValue(secretsOf(bench.channel.document, givenValues(test)));
  try {
    const plan = planOf(bench.channel, test);
    const { happened, mistakes, walked } = await runGoldenTest(bench, plan, test);
    const shown = redact(happened) as Happened;
    const { exactly = false, ...sections } = redact(test.expect) as Expectation;
    const found = differences(sections, shown, '/expect', exactly);
    const problems = [...mistakes, ...found.map(showDifference)];
    return {
      name,
      pipeline,
      passed: problems.length === 0,
      problems: problems.map((problem) => String(redact(problem))),
      happened: mistakes.length === 0 ? shown : {},
      walked,
    };
  } catch (thrown) {
    const failure = asFailure(thrown);
    const places = (failure.details.problems ?? []).map((each) => `at ${each.pointer}: ${each.message}`);
    const problems = [failure.message, ...places].map((problem) => String(redact(problem)));
    return { name, pipeline, passed: false, problems, happened: {}, walked: [] };
  }
}

function planOf(channel: CompiledChannel, test: GoldenTest): Plan {
  const plans = new Map([...Object.entries(channel.plans), ...channel.operations]);
  const plan = plans.get(test.pipeline);
  if (plan !== undefined) return plan;
  throw new Failure(
    'DOCUMENT_INVALID',
    `Channel "${channel.document.sid}" has no pipeline "${test.pipeline}"; it has: ${[...plans.keys()].join(', ') || 'none'}.`,
  );
}
