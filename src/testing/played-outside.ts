/** The outside of a golden test: answers, rows and a store from the test instead of a network. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Failure } from '../errors.ts';
import type { TokenCache } from '../outside/authorize.ts';
import type {
  HttpAnswer,
  HttpRequest,
  ModuleAnswer,
  ModuleRequest,
  Pipe,
  SqlRequest,
  Store,
} from '../pipes/contract.ts';
import type { Answer, Given } from './golden-test.ts';

/** Knows which pipe is running, so that what it asks for can be found under its id. */
export interface PipeWatch {
  readonly watch: (pipe: Pipe) => Pipe;
  readonly running: () => number;
}

/** Watches pipes; a watched pipe is the same but for that. */
export function watchPipes(): PipeWatch {
  const here = new AsyncLocalStorage<number>();
  return {
    watch: (pipe) => ({
      ...pipe,
      run: (params, context) => here.run(context.pipe, () => pipe.run(params, context)),
    }),
    running: () => here.getStore() ?? 0,
  };
}

export interface PlayedOutside {
  readonly send: (request: HttpRequest) => Promise<HttpAnswer>;
  readonly sql: (request: SqlRequest) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Shows what a code module would have been given; nothing is made up about what came of it. */
  readonly module: (request: ModuleRequest) => Promise<ModuleAnswer>;
  readonly store: Store;
  /** Empty at the start of a test, so that a token is asked for. */
  readonly tokens: TokenCache;
  /** In the order of sending, as they would have left. */
  readonly requests: readonly HttpRequest[];
  /** What was asked for and is not in the test, and what is in the test and was not asked for. */
  readonly mistakes: () => readonly string[];
  /** By key, or `table/key`. */
  readonly stored: () => Record<string, unknown>;
}

/** Answers what a test gives no answer to; `pipe` is the one that asks. */
export type Otherwise = (request: HttpRequest, pipe: number) => Promise<HttpAnswer>;

/** Plays the outside that a test gives. */
export function playOutside(given: Given, running: () => number, otherwise?: Otherwise): PlayedOutside {
  const requests: HttpRequest[] = [];
  const asked: string[] = [];
  const answers = queues<Answer>(given.answers, (value) => (Array.isArray(value) ? value : [value]));
  const rows = queues<readonly Record<string, unknown>[]>(given.rows, (value) =>
    Array.isArray(value) && value.length > 0 && value.every(Array.isArray) ? value : [value],
  );
  const records = new Map<string, unknown>(Object.entries(given.store ?? {}));
  const refuse = (mistake: string): Failure => {
    asked.push(mistake);
    return new Failure('BUG', mistake);
  };
  return {
    send: async (request) => {
      requests.push(request);
      const pipe = running();
      const answer = answers.get(pipe)?.shift();
      if (answer !== undefined) return playAnswer(answer, request);
      if (otherwise !== undefined) return otherwise(request, pipe);
      throw refuse(
        `Pipe ${pipe} sent ${request.method} ${request.url} and got no answer; give one in given.answers."${pipe}".`,
      );
    },
    sql: async (request) => {
      const pipe = running();
      const found = rows.get(pipe)?.shift();
      if (found !== undefined) return found;
      throw refuse(
        `Pipe ${pipe} asked connector "${request.connector}" and got no rows; give them in given.rows."${pipe}".`,
      );
    },
    module: async ({ sender: _sender, ...request }) => ({ events: [], request, response: {} }),
    store: playStore(records),
    tokens: playTokens(),
    requests,
    mistakes: () => [...asked, ...unasked('answers', answers), ...unasked('rows', rows)],
    stored: () => Object.fromEntries(records),
  };
}

function queues<T>(
  source: Readonly<Record<string, unknown>> | undefined,
  list: (value: unknown) => unknown[],
): ReadonlyMap<number, T[]> {
  return new Map(
    Object.entries(source ?? {}).map(([pipe, value]) => [Number(pipe), [...list(value)] as T[]]),
  );
}

function unasked(name: string, left: ReadonlyMap<number, readonly unknown[]>): readonly string[] {
  return [...left]
    .filter(([, queue]) => queue.length > 0)
    .map(([pipe, queue]) => `given.${name}."${pipe}" has ${queue.length} that nobody asked for; remove it.`);
}

/** The answer that a test gives, as the HTTP client would give it. Throws bad weather. */
export function playAnswer(answer: Answer, { method, url }: HttpRequest): HttpAnswer {
  if ('fail' in answer) {
    throw answer.fail === 'timeout'
      ? new Failure('HTTP_TIMEOUT', `${method} ${url} had no answer in time.`, {
          kind: 'timeout',
          statusCode: 0,
          ambiguous: true,
        })
      : new Failure('HTTP_NETWORK', `${method} ${url} could not be sent.`, {
          kind: 'network',
          statusCode: 0,
        });
  }
  const { status = 200, headers = {}, body } = answer;
  const isJson = body !== undefined && typeof body !== 'string';
  const named = Object.entries(headers).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  return {
    status,
    headers: { ...(isJson && { 'content-type': 'application/json' }), ...Object.fromEntries(named) },
    body: Buffer.from(isJson ? JSON.stringify(body) : String(body ?? '')),
  };
}

/** The table of keys that name none. */
const DEFAULT_TABLE = 'default';

/** In a test no time passes, so nothing expires. */
function playStore(records: Map<string, unknown>): Store {
  const name = (key: string, table: string) => (table === DEFAULT_TABLE ? key : `${table}/${key}`);
  return {
    get: async (key, table) => records.get(name(key, table)),
    set: async (key, value, _ttlSeconds, table) => {
      records.set(name(key, table), value);
    },
    delete: async (key, table) => {
      records.delete(name(key, table));
    },
  };
}

function playTokens(): TokenCache {
  const tokens = new Map<string, { token: string; expiresAtMs: number }>();
  return {
    get: async (key) => tokens.get(key),
    set: async (key, token, expiresAtMs) => {
      tokens.set(key, { token, expiresAtMs });
    },
  };
}
