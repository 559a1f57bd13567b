/** Runs one example of a pipe through the real engine, with the outside played from the example. */
import { namedPipes } from '../../src/channel/named-pipes.ts';
import { compilePlan, type PipeSource } from '../../src/engine/plan.ts';
import { runPlan } from '../../src/engine/run.ts';
import type { RunOutcome } from '../../src/engine/run-outcome.ts';
import { isObject, own } from '../../src/json.ts';
import { pipeOf } from '../../src/pipes/catalog.ts';
import {
  type Capabilities,
  definePipe,
  type HttpRequest,
  type Pipe,
  type SqlRequest,
} from '../../src/pipes/contract.ts';
import type { PipeExample } from '../../src/pipes/pipe-example.ts';

const PIPE = 1;
const SUCCESS = 9_001;
const ERROR = 9_002;

export interface Played {
  readonly outcome: RunOutcome;
  /** `success`, `error`, or the id of a pipe. */
  readonly exit: string | number;
  /** The code of the failure, if any. */
  readonly code: string | undefined;
  /** `$in` behind the exit that was taken. */
  readonly in: Readonly<Record<string, unknown>>;
  readonly requests: readonly HttpRequest[];
  readonly statements: readonly SqlRequest[];
  readonly store: Readonly<Record<string, unknown>>;
  /** `$in` of each way that a split started. */
  readonly branches: readonly Readonly<Record<string, unknown>>[];
}

/**
 * Plays an example of `type`: the pipe stands first, and every exit leads to a pipe that notes its `$in`.
 * `http` stands in for the answers of the example.
 */
export async function runExample(
  type: string,
  example: PipeExample,
  http?: Capabilities['http'],
): Promise<Played> {
  const seen: { pipe: number; in: Readonly<Record<string, unknown>> }[] = [];
  const end: Pipe = definePipe({
    type: 'end',
    summary: 'Notes what came.',
    params: {},
    needs: [],
    adds: () => ({}),
    errors: [],
    examples: [],
    run: (_params, context) => {
      seen.push({ pipe: context.pipe, in: context.in });
      return { end: true };
    },
  });
  const pipe = pipeOf(type);
  if (pipe === undefined) throw new Error(`no pipe of type ${type}`);
  const exits = new Set([
    SUCCESS,
    ERROR,
    ...namedPipes(pipe.params, example.params, '', 'exit').map(({ id }) => id),
  ]);
  const sources: PipeSource[] = [
    { id: PIPE, type, params: example.params, outs: { success: SUCCESS, error: ERROR } },
    ...[...exits].map((id) => ({ id, type: 'end' })),
  ];
  const plan = compilePlan('example', sources, (name) => (name === 'end' ? end : pipeOf(name)));
  if (plan.entry === undefined) throw new Error('the plan has no entry');

  const outside = playOutside(example);
  const scope = example.scope ?? {};
  const messageId = own(scope.message, 'id');
  const channel = own(scope.channel, 'sid');
  const now = typeof scope.now === 'string' ? scope.now : '2026-01-01T00:00:00.000Z';
  const outcome = await runPlan({
    entry: plan.entry,
    keywords: { now, ...scope },
    in: example.in ?? {},
    origin: isObject(scope.origin) ? scope.origin : {},
    tries: 0,
    channel: typeof channel === 'string' ? channel : 'example',
    ...(typeof messageId === 'string' && { messageId }),
    now,
    outside: { ...outside.capabilities, ...(http !== undefined && { http }) },
    declare: (event) => ({ ...event, type: event.eventType ?? 'custom', eventId: undefined }),
    decide: () => ({ do: 'exit' }),
    clock: () => 0,
  });
  const last = seen.at(-1);
  const step = outcome.trail[0];
  return {
    outcome,
    exit: last?.pipe === SUCCESS ? 'success' : last?.pipe === ERROR ? 'error' : (last?.pipe ?? 'end'),
    code: step?.failure?.code,
    in: last?.in ?? {},
    requests: outside.requests,
    statements: outside.statements,
    store: Object.fromEntries(outside.records),
    branches: seen.slice(0, -1).map((each) => each.in),
  };
}

function playOutside(example: PipeExample) {
  const requests: HttpRequest[] = [];
  const statements: SqlRequest[] = [];
  const records = new Map(Object.entries(example.store ?? {}));
  const answers = [...(example.answers ?? [])];
  return {
    requests,
    statements,
    records,
    capabilities: {
      http: async (request: HttpRequest) => {
        requests.push(request);
        const answer = answers.shift();
        if (answer === undefined) throw new Error('the example has no answer for this request');
        const headers = Object.entries(answer.headers ?? {}).map(([name, value]) => [
          name.toLowerCase(),
          value,
        ]);
        return { status: answer.status, headers: Object.fromEntries(headers), body: bodyOf(answer.body) };
      },
      store: {
        get: async (key: string) => records.get(key),
        set: async (key: string, value: unknown) => {
          records.set(key, value);
        },
        delete: async (key: string) => {
          records.delete(key);
        },
      },
      sql: async (request: SqlRequest) => {
        statements.push(request);
        return example.rows ?? [];
      },
      module: async () => {
        throw new Error('no author can write the pipe that asks for a module');
      },
    },
  };
}

function bodyOf(body: unknown): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/** A value in which bytes are their text, to be compared. */
export function readable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (Array.isArray(value)) return value.map(readable);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, readable(member)]));
}
