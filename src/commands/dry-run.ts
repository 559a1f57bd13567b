/** `sluiceway dry-run <channel> --message file.json [--answers file.json] [--live]`: one run with its trace. */
import { givenSchema } from '../channel/schema/test.ts';
import { compileShape } from '../channel/shape.ts';
import { readConfig } from '../config.ts';
import { Failure } from '../errors.ts';
import { createIds } from '../ids.ts';
import { isObject, type JsonObject } from '../json.ts';
import { type DryRunReport, dryRun } from '../testing/dry-run.ts';
import type { Given } from '../testing/golden-test.ts';
import { sendForReal, stopBeforeSending } from '../testing/live-outside.ts';
import { isoTime, systemClock } from '../time.ts';
import { readArguments } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { dryRunText, type ShownRun } from './dry-run-text.ts';
import { findChannel } from './find-channel.ts';
import { readJsonFile } from './read-json.ts';

/** Gives exit code 1 where the run failed or could not be finished. */
export async function runDryRun(args: readonly string[], context: CommandContext): Promise<number> {
  const { places, options } = readArguments('dry-run', args);
  const channel = await findChannel(places[0] ?? '', context.environment);
  const given = await readGiven(options.message, options.answers);
  const ids = createIds(systemClock);
  const now = given.now ?? isoTime(systemClock.now());
  // Each live run is a message of its own, or a provider would take it for a repeat of the one before.
  const id = options.live ? { id: ids.next() } : {};
  const world = { ...given, now, pipeline: options.pipeline, message: { ...id, ...given.message } };
  const run = options.live
    ? await runLive(readConfig(context.environment).allowAddresses, ids.next, (outside) =>
        dryRun(channel, world, outside),
      )
    : await runStopping((outside) => dryRun(channel, world, outside));
  const shown = { channel: channel.sid, pipeline: options.pipeline, ...run };
  context.stdout.write(options.json ? `${JSON.stringify(shown, null, 2)}\n` : dryRunText(shown));
  return run.status === 'done' || run.status === 'stopped' || run.status === undefined ? 0 : 1;
}

async function runLive(
  allow: readonly string[],
  randomId: () => string,
  run: (outside: ReturnType<typeof sendForReal>) => Promise<DryRunReport>,
): Promise<ShownRun> {
  const outside = sendForReal(allow, randomId);
  try {
    return shownRun(await run(outside), new Set());
  } finally {
    await outside.close();
  }
}

async function runStopping(
  run: (outside: ReturnType<typeof stopBeforeSending>) => Promise<DryRunReport>,
): Promise<ShownRun> {
  const outside = stopBeforeSending();
  return shownRun(await run(outside), outside.stopped);
}

/** The report, in which a stop is called a stop: the engine made it a wait. */
function shownRun({ happened, trace, notes }: DryRunReport, stopped: ReadonlySet<number>): ShownRun {
  const steps = trace.filter(isObject) as unknown as JsonObject[];
  const status = typeof happened.status === 'string' ? happened.status : undefined;
  if (stopped.size === 0) return { status, happened, trace: steps, notes };
  const { error: _error, wait: _wait, branches: _branches, ...rest } = happened;
  return {
    status: 'stopped',
    happened: { ...rest, status: 'stopped' },
    trace: steps.map((step) => (step.exit === 'wait' ? stoppedStep(step) : step)),
    notes: [
      ...[...stopped].map(
        (pipe) =>
          `Nothing was sent. Give pipe ${pipe} an answer in --answers { "${pipe}": { "status": 200, "body": {} } }, or send with --live.`,
      ),
      ...notes,
    ],
  };
}

function stoppedStep({ error, rule: _rule, ...step }: JsonObject): JsonObject {
  const message = isObject(error) && typeof error.message === 'string' ? error.message : '';
  return { ...step, exit: 'stopped', stopped: message };
}

/** Members that stand in a whole `given` and not in its message. */
const GIVEN_MEMBERS = [
  'message',
  'request',
  'input',
  'in',
  'origin',
  'tries',
  'store',
  'now',
  'answers',
  'rows',
];

async function readGiven(messageFile: string, answersFile: string | undefined): Promise<Given> {
  const written = await readJsonFile(messageFile);
  const whole = Object.keys(written).some((name) => GIVEN_MEMBERS.includes(name));
  const given = whole ? written : { message: written };
  checkGiven(given, messageFile, whole ? '' : '/message');
  if (answersFile === undefined) return given as Given;
  const answers = await readJsonFile(answersFile);
  checkGiven({ answers }, answersFile, '/answers');
  return { ...(given as Given), answers: answers as NonNullable<Given['answers']> };
}

/** Throws DOCUMENT_INVALID; the file holds what stands at `inside` of the value. */
function checkGiven(value: JsonObject, file: string, inside: string): void {
  const problems = compileShape(givenSchema())(value).map(({ pointer, message }) => ({
    pointer: pointer.startsWith(inside) ? pointer.slice(inside.length) : pointer,
    message,
  }));
  if (problems.length === 0) return;
  const lines = problems.map(({ pointer, message }) => `at ${pointer || '/'}: ${message}`);
  throw new Failure('DOCUMENT_INVALID', `${file} is not right: ${lines.join(' ')}`, { problems });
}
