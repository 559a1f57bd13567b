/** Runs a synchronous operation of an entity while its caller waits (channel format, section 9). */
import type { ChannelDocument } from '../../channel/document.ts';
import { compileFields, type FieldCheck } from '../../channel/values.ts';
import { runPlan } from '../../engine/run.ts';
import type { Outside, RunOutcome } from '../../engine/run-outcome.ts';
import { Failure } from '../../errors.ts';
import { isObject, setOwn } from '../../json.ts';
import { findEntity, firstEntities } from '../../storage/entities.ts';
import { isoTime } from '../../time.ts';
import type { Directory } from '../directory/directory.ts';
import { refused } from '../directory/find-channel.ts';
import type { KnownChannel } from '../directory/known-channel.ts';
import { invalid, placed } from '../directory/stored-fields.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { createRedact, type Redact } from '../redact.ts';
import type { Runtime } from '../runtime.ts';
import { buildRun } from './build-run.ts';
import type { OpenOutside } from './run-context.ts';

/** How long a user waits, in milliseconds. */
export const OPERATION_LIMIT_MS = 30_000;

export interface OperationRequest {
  readonly entity: string;
  readonly operation: string;
  /** Sids; may be left out where there is exactly one. */
  readonly sender?: string;
  readonly resource?: string;
  readonly input?: Readonly<Record<string, unknown>>;
}

/**
 * Returns the result. Throws NOT_FOUND, VALUES_INVALID for the input, OPERATION_ERROR if the `error` pipe ended it,
 * OPERATION_UNFINISHED, RUN_TIMEOUT, and what failed a pipe whose error exit is not wired. Secrets are masked in all of it.
 */
export type RunOperation = (
  accountId: string,
  channel: KnownChannel,
  request: OperationRequest,
) => Promise<unknown>;

export function createRunOperation(
  runtime: Runtime,
  directory: Directory,
  lanes: Lanes,
  open: OpenOutside,
  limitMs: number = OPERATION_LIMIT_MS,
): RunOperation {
  const { clock, database, random } = runtime;
  const forms = new WeakMap<object, FieldCheck>();

  const inputOf = (document: ChannelDocument, { entity, operation, input = {} }: OperationRequest) => {
    const declared = document.entities
      .find((each) => each.sid === entity)
      ?.operations.find((each) => each.sid === operation);
    if (declared === undefined) return {};
    const form = forms.get(declared) ?? compileFields(declared.input, 'input');
    forms.set(declared, form);
    const { values, problems } = form.check(input, 'final');
    if (problems.length > 0) throw invalid(placed(problems, '/input'));
    return values;
  };

  const idOf = async (
    table: 'sender' | 'resource',
    accountId: string,
    sid: string | undefined,
    channelId?: number,
  ) => {
    if (sid !== undefined) {
      const row = await findEntity(database, table, accountId, sid, channelId);
      if (row === undefined)
        throw refused(
          `/${table}`,
          `There is no ${table} "${sid}"${channelId === undefined ? '' : ' in this channel'}.`,
        );
      return row.id;
    }
    const rows = await firstEntities(database, table, accountId, channelId);
    return rows.length === 1 ? rows[0]?.id : undefined;
  };

  return async (accountId, channel, request) => {
    const { document } = channel;
    const name = `${request.entity}/${request.operation}`;
    const entry = channel.operations.get(name)?.entry;
    if (entry === undefined) {
      const known = [...channel.operations.keys()].join(', ') || 'none';
      throw new Failure(
        'NOT_FOUND',
        `Channel "${document.sid}" has no operation "${name}"; it has: ${known}.`,
      );
    }
    const origin = Object.freeze(inputOf(document, request));
    const [senderId, resourceId] = await Promise.all([
      idOf('sender', accountId, request.sender, document.id),
      idOf('resource', accountId, request.resource),
    ]);
    const [sender, resource, account, lane] = await Promise.all([
      senderId === undefined ? undefined : directory.sender(senderId),
      resourceId === undefined ? undefined : directory.resource(resourceId, document.sid),
      directory.account(accountId, document.id),
      lanes.laneOf({
        document,
        accountId,
        senderId: senderId ?? null,
        resourceId: resourceId ?? null,
        urgent: false,
        inbound: false,
      }),
    ]);
    const place = {
      laneId: lane.id,
      accountId,
      channelId: document.id,
      senderId: senderId ?? null,
      resourceId: resourceId ?? null,
      limits: document.limits,
    };
    const now = isoTime(clock.now());
    const deadline = createDeadline(name, limitMs);
    const redact = createRedact([sender, resource, account].flatMap((each) => each?.secrets ?? []));
    try {
      const outcome = await deadline.within(
        runPlan(
          buildRun({
            entry,
            channel,
            keywords: {
              account: account.values,
              channel: { sid: document.sid, id: document.id },
              now,
              ...(sender !== undefined && { sender: sender.values }),
              ...(resource !== undefined && { resource: resource.values }),
            },
            in: origin,
            origin,
            now,
            outside: deadline.guard(open(place)),
            mayWait: () => false,
            random,
            clock: clock.now,
          }),
        ),
      );
      return resultOf(name, outcome, redact);
    } finally {
      deadline.end();
    }
  };
}

function resultOf(name: string, { result, ended }: RunOutcome, redact: Redact): unknown {
  const failure = ended?.failure;
  if (failure !== undefined) {
    const extra = failure.details.extra;
    throw new Failure(failure.code, redact(failure.message), {
      ...(extra !== undefined && { extra: redactTexts(extra, redact) as Readonly<Record<string, unknown>> }),
      cause: failure.details.cause,
    });
  }
  if (result === undefined) {
    throw new Failure(
      'OPERATION_UNFINISHED',
      `Operation "${name}" ended without a result. Let every way of its pipeline end in a result or an error pipe.`,
    );
  }
  return redactTexts(result.value, redact);
}

/** A provider may answer with what it was sent. */
function redactTexts(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (value instanceof Uint8Array) return redact(Buffer.from(value).toString('utf8'));
  if (Array.isArray(value)) return value.map((each) => redactTexts(each, redact));
  if (!isObject(value)) return value;
  const shown: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) setOwn(shown, key, redactTexts(member, redact));
  return shown;
}

interface Deadline {
  /** What comes first: the run, or RUN_TIMEOUT. */
  readonly within: <T>(run: Promise<T>) => Promise<T>;
  /** The same outside until the time is over; then it throws, so that a run left behind does nothing more. */
  readonly guard: (outside: Outside) => Outside;
  readonly end: () => void;
}

function createDeadline(name: string, limitMs: number): Deadline {
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = () =>
    new Failure('RUN_TIMEOUT', `Operation "${name}" took longer than ${limitMs / 1_000} s and was given up.`);
  const checked =
    <A extends readonly unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      if (over) throw tooLate();
      return call(...args);
    };
  return {
    within: (run) =>
      Promise.race([
        run,
        new Promise<never>((_, reject) => {
          timer = setTimeout(() => {
            over = true;
            reject(tooLate());
          }, limitMs);
        }),
      ]),
    guard: ({ http, store, sql, module }) => ({
      http: checked((request, place) =>
        http({ ...request, timeoutMs: Math.min(request.timeoutMs, limitMs) }, place),
      ),
      store: { get: checked(store.get), set: checked(store.set), delete: checked(store.delete) },
      sql: checked(sql),
      module: checked(module),
    }),
    end: () => clearTimeout(timer),
  };
}
