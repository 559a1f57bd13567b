/** Proving channels right before they go live: check, dry run and golden tests, saved or not. Nothing leaves. */
import type { Checked } from '../../channel/check.ts';
import type { ChannelDocument } from '../../channel/document.ts';
import { givenSchema } from '../../channel/schema/test.ts';
import { parseSource, type SourceText } from '../../channel/source-text.ts';
import { Failure } from '../../errors.ts';
import type { Directory } from '../../flows/directory/directory.ts';
import type { Runtime } from '../../flows/runtime.ts';
import {
  assertValidDocument,
  examineChannel,
  type FindingProblem,
  findingProblems,
  pipelinesOf,
} from '../../flows/setup/examine-channel.ts';
import { isObject, type JsonObject, own } from '../../json.ts';
import { type ChannelRow, listChannels, takenChannels } from '../../storage/channels.ts';
import { type DryRun, dryRun } from '../../testing/dry-run.ts';
import { runGoldenTests } from '../../testing/golden.ts';
import { parseGoldenFile } from '../../testing/golden-file.ts';
import { innerSource, outward } from '../inner-source.ts';
import { type ApiRequest, type Route, route } from '../route.ts';
import { anyObject, objectSchema, text } from '../schemas.ts';
import { visibleChannel } from '../visible-channel.ts';
import { channelBody, REQUEST_FILE, shownFinding } from './channels.ts';

const MOST_TESTS = 500;

const shownRun = {
  type: 'object',
  properties: {
    status: { enum: ['done', 'failed', 'waiting', 'unknown'] },
    path: { type: 'array', items: { type: 'string' }, description: 'The way, as "<pipe id>:<exit>".' },
    trace: { type: 'array', items: anyObject, description: 'Pipe by pipe: request, answer, error, rule.' },
    notes: { type: 'array', items: { type: 'string' }, description: 'Which answers were made up.' },
  },
  additionalProperties: true,
  description:
    'What the run did: requests, events, log lines and more, in the words of golden tests. Secrets are masked.',
} as const satisfies JsonObject;

const shownTests = objectSchema({
  passed: { type: 'boolean' },
  tests: { type: 'array', items: anyObject, description: 'name, pipeline, passed, problems, happened.' },
  outs: { type: 'array', items: { type: 'string' }, description: 'Wired exits that no test walked.' },
});

type DryRunBody = DryRun & { readonly channel?: unknown };
type TestBody = { readonly channel?: unknown; readonly tests: readonly unknown[] };
type PendingMessage<Body> = Omit<ApiRequest, 'body'> & { readonly body: Body };

/** Routes that prove channels. */
export function channelCheckRoutes(runtime: Runtime, directory: Directory): Route[] {
  const check = async (
    accountId: string,
    source: SourceText,
    changed: ChannelRow | undefined,
  ): Promise<Checked> => {
    const [taken, rows] = await Promise.all([
      takenChannels(runtime.database),
      listChannels(runtime.database, accountId),
    ]);
    const sid = own(source.value, 'sid');
    const existing = changed ?? rows.find((row) => row.sid === sid && row.account_id === accountId);
    const kind = existing?.kind ?? 'custom';
    return examineChannel({ source, kind, accountId, pipelines: pipelinesOf(rows) }, taken, existing);
  };

  /** The document that a request brings, or the one that its path names. */
  const documentOf = async ({
    caller,
    params,
    body,
    text,
  }: PendingMessage<{ readonly channel?: unknown }>) => {
    const saved =
      params.sid === undefined ? undefined : await visibleChannel(directory, caller.accountId, params.sid);
    if (saved !== undefined && body.channel === undefined) return saved.channel.document;
    const source = innerSource(REQUEST_FILE, text, 'channel');
    return soundInBody(await check(caller.accountId, source, saved?.row));
  };

  const dryRunOf = async (request: PendingMessage<DryRunBody>) => {
    const { channel: _channel, ...given } = request.body;
    const { happened, trace, notes } = await dryRun(await documentOf(request), given);
    return { status: 200, body: { ...happened, trace, notes } };
  };

  const testOf = async (request: PendingMessage<TestBody>) => {
    const { tests } = parseGoldenFile(JSON.stringify({ tests: request.body.tests }), REQUEST_FILE);
    const report = await runGoldenTests(await documentOf(request), tests);
    const shown = report.tests.map(({ walked: _walked, ...each }) => each);
    return {
      status: 200,
      body: { passed: shown.every((each) => each.passed), tests: shown, outs: report.outs },
    };
  };

  const dryRunRoute = (path: string, summary: string, required: readonly string[]): Route =>
    route<DryRunBody>({
      method: 'POST',
      path,
      action: 'operations.run',
      tag: 'channels',
      summary,
      body: objectSchema(
        {
          channel: channelBody,
          pipeline: text(
            'message where it is left out; or schedule, listener, moderate, stop, <entity>/<operation>.',
          ),
          entry: {
            type: 'integer',
            minimum: 1,
            description: 'The pipe where the event enters; the first one where it is left out.',
          },
          ...givenProperties(),
        },
        required,
        'The world of the run as in golden tests: `message` with values by group, `answers` by pipe id. Answers that are not given are made up.',
      ),
      answers: { 200: { description: 'The run.', schema: shownRun } },
      run: dryRunOf,
    });

  const testRoute = (path: string, summary: string, required: readonly string[]): Route =>
    route<TestBody>({
      method: 'POST',
      path,
      action: 'operations.run',
      tag: 'channels',
      summary,
      body: objectSchema(
        {
          channel: channelBody,
          tests: {
            type: 'array',
            items: anyObject,
            minItems: 1,
            maxItems: MOST_TESTS,
            description: 'As in docs/schemas/channel-test.schema.json.',
          },
        },
        required,
      ),
      answers: { 200: { description: 'How each test went.', schema: shownTests } },
      run: testOf,
    });

  return [
    route({
      method: 'POST',
      path: '/channels/check',
      action: 'operations.run',
      tag: 'channels',
      summary: 'Check a channel document without saving it.',
      body: channelBody,
      answers: {
        200: {
          description: 'Everything that is to be said about it.',
          schema: objectSchema({
            valid: { type: 'boolean', description: 'True where no finding is an error.' },
            findings: { type: 'array', items: shownFinding },
          }),
        },
      },
      run: async ({ caller, text: written }) => {
        const checked = await check(caller.accountId, parseSource(REQUEST_FILE, written), undefined);
        const findings = findingProblems(checked.findings, REQUEST_FILE);
        return { status: 200, body: { valid: checked.document !== undefined, findings } };
      },
    }),
    dryRunRoute('/channels/dry-run', 'Run a channel that is not saved once, with a trace. Nothing leaves.', [
      'channel',
    ]),
    dryRunRoute(
      '/channels/{sid}/dry-run',
      'Run a channel, or a change of it, once, with a trace. Nothing leaves.',
      [],
    ),
    testRoute('/channels/test', 'Run golden tests of a channel that is not saved.', ['channel', 'tests']),
    testRoute('/channels/{sid}/test', 'Run golden tests of a channel, or of a change of it.', ['tests']),
  ];
}

/** The document in the member `channel` of a body; pointers of problems lead into the body. */
function soundInBody(checked: Checked): ChannelDocument {
  try {
    return assertValidDocument(checked, REQUEST_FILE);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    const problems = (thrown.details.problems ?? []) as readonly FindingProblem[];
    throw new Failure(thrown.code, thrown.message, { problems: outward(problems, REQUEST_FILE, 'channel') });
  }
}

function givenProperties(): JsonObject {
  const { properties } = givenSchema();
  return isObject(properties) ? (properties as JsonObject) : {};
}
