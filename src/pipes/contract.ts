/**
 * What a pipe is. One object in one file: type, summary, params, what it adds to `$in`, examples, and `run`.
 *
 * `run` is called once per passage with rendered params; it never sees a template. It may use the capabilities it
 * names in `needs` and no others. It returns what it adds to `$in` and the exit it takes, or throws a Failure,
 * which is its `error` exit. It must never keep state between calls, read the clock, or do I/O of its own.
 *
 * `http`, `store`, `sql`, `module` act at once. `emit`, `later`, `log`, `result` are collected and committed with the outcome
 * of the run; if the run is lost in a crash, they never happened.
 */

import type { Params, ParamsOf } from './params.ts';
import type { PipeExample } from './pipe-example.ts';

export interface Capabilities {
  /** Sends one request. Throws Failure with `details.kind`, `statusCode`, and `ambiguous` where no answer came after sending. */
  readonly http: (request: HttpRequest) => Promise<HttpAnswer>;
  readonly store: Store;
  readonly sql: (request: SqlRequest) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  /**
   * Sends the message of a built-in channel by its code module. Throws Failure with `details.kind`, `statusCode`, and
   * `ambiguous` where no answer came after sending.
   */
  readonly module: (request: ModuleRequest) => Promise<ModuleAnswer>;
  /** Registers an event of a message. Throws EVENT_UNDECLARED. */
  readonly emit: (event: EmittedEvent) => void;
  /** Hands an event to the Schedule pipeline. */
  readonly later: (event: LaterEvent) => void;
  readonly log: (line: LogLine) => void;
  /** Sets the result of an operation; throws RESULT_TWICE the second time. */
  readonly result: (value: unknown) => void;
  /**
   * Runs the way that starts at a pipe with more in its `$in`; throws what failed it. Once the run has done its share, a
   * pipe returns `pause`.
   */
  readonly branch: (pipe: number, add: Readonly<Record<string, unknown>>) => Promise<void>;
  /** Whether the run has done its share, so that others should have their turn. */
  readonly shareDone: () => boolean;
}

export type CapabilityName = keyof Capabilities;

export interface Store {
  /** The value, or undefined if there is none or it has expired. */
  readonly get: (key: string, table: string) => Promise<unknown>;
  readonly set: (key: string, value: unknown, ttlSeconds: number, table: string) => Promise<void>;
  readonly delete: (key: string, table: string) => Promise<void>;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly redirects: number;
  /** Connections to one host. */
  readonly poolSize?: number | undefined;
  readonly auth?: HttpAuth | undefined;
  readonly limit?: RateLimit | undefined;
}

export type HttpAuth =
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  | { readonly type: 'bearer'; readonly token: string }
  | {
      readonly type: 'api_key';
      readonly name: string;
      readonly value: string;
      readonly place: 'header' | 'query';
    }
  | {
      readonly type: 'oauth2';
      readonly tokenUrl: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly scope?: string;
      /** Set: the refresh grant; otherwise client credentials. */
      readonly refreshToken?: string;
      /** How the client shows who it is. */
      readonly clientAuth: 'body' | 'basic';
      readonly extra?: Readonly<Record<string, string>>;
    }
  | {
      readonly type: 'jwt';
      readonly algorithm: 'RS256' | 'ES256';
      /** PEM, PKCS#8. */
      readonly privateKey: string;
      readonly keyId?: string;
      readonly claims: Readonly<Record<string, unknown>>;
      readonly lifetimeSeconds: number;
      /** Set: the signed token is exchanged there (JWT bearer grant) for an access token. */
      readonly tokenUrl?: string;
    }
  | {
      readonly type: 'hmac';
      readonly algorithm: 'sha1' | 'sha256' | 'sha512';
      readonly secret: string;
      readonly header: string;
      readonly prefix: string;
      readonly encoding: 'hex' | 'base64';
      /** With `{method}`, `{path}`, `{timestamp}`, `{body}`. */
      readonly signed: string;
      /** Set: the header that carries the timestamp, in seconds. */
      readonly timestampHeader?: string;
    };

/** At most `requests` in any `perSeconds`; counted per `scope` over all processes. */
export interface RateLimit {
  readonly requests: number;
  readonly perSeconds: number;
  readonly scope: 'channel' | 'sender' | 'resource' | 'account';
  readonly burst?: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface SqlRequest {
  readonly connector: string;
  /** Statement text whose values stand as `?`, to be bound in order. */
  readonly text: string;
  readonly values: readonly unknown[];
  readonly connectionTimeoutMs: number;
  readonly queryTimeoutMs: number;
}

/** The code modules that control built-in channels. */
export const MODULES = ['smtp', 'smpp', 'push'] as const;
export type ModuleName = (typeof MODULES)[number];

/** One message of a built-in channel, with the values of its fields as they are sent. */
export interface ModuleRequest {
  readonly module: ModuleName;
  readonly messageId: string;
  readonly sender: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly subscription: Readonly<Record<string, unknown>>;
  readonly template: Readonly<Record<string, unknown>>;
}

export interface ModuleAnswer {
  /** Of this message, by the `sid` that the channel declares. */
  readonly events: readonly EmittedEvent[];
  /** What went out and what came back, in words for the trail; without secrets. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly response: Readonly<Record<string, unknown>>;
}

export interface EmittedEvent {
  readonly sid?: string;
  readonly eventType?: string;
  readonly channelId?: number;
  readonly actionType?: number;
  readonly sendMessageId?: string;
  readonly externalId?: string;
  /** ISO 8601, or epoch seconds or milliseconds as text. */
  readonly time?: string;
  readonly code?: string;
  readonly message?: string;
  readonly data?: unknown;
  readonly dedupeKey?: string;
}

export interface LaterEvent {
  /** The pipe of the Schedule pipeline where it enters. */
  readonly pipe: number;
  readonly delaySeconds?: number;
  /** ISO 8601. */
  readonly at?: string;
  readonly value: unknown;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly prefix: string;
}

export interface PipeContext<C extends CapabilityName = never> {
  /** What came from the previous pipe. Read only. */
  readonly in: Readonly<Record<string, unknown>>;
  readonly can: Pick<Capabilities, C>;
  /** Of the channel, and the id of this pipe. */
  readonly channel: string;
  readonly pipe: number;
  /** The message this run belongs to, if any. */
  readonly messageId: string | undefined;
  /** The time of the run, ISO 8601. */
  readonly now: string;
  /** How far this pipe had come when it paused. */
  readonly progress?: unknown;
}

export interface PipeOutput {
  /** Members to add to `$in`. */
  readonly add?: Readonly<Record<string, unknown>>;
  /** Another pipe to go to instead of `outs.success`. */
  readonly exit?: number;
  /** The run ends here, well. */
  readonly end?: true;
  /** The run waits here until others had their turn, and continues from this progress: JSON. */
  readonly pause?: unknown;
}

/** What a member added to `$in` looks like, for the linter: `data` is known only when running, `bytes` need an unpack. */
export type Shape = 'bytes' | 'text' | 'number' | 'object' | 'any';

/** When a failed pipe is tried again. `on` holds failure kinds (`network`, `timeout`), statuses, and ranges (`5xx`). */
export interface RetryRule {
  /** Tries in all, the first included. */
  readonly attempts: number;
  readonly on: readonly (string | number)[];
  /** Set: the waits between tries, the last one repeated; otherwise exponential with full jitter. */
  readonly delaysMs?: readonly number[];
  readonly baseMs: number;
  readonly maxMs: number;
  /** Repeating does no harm even when the first try may have arrived. */
  readonly safe: boolean;
}

/** The parts of a pipe that do not depend on the types of its params. */
export interface PipeSpec {
  readonly type: string;
  /** Older names, accepted with a warning. */
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly params: Params;
  readonly needs: readonly CapabilityName[];
  /** The members it adds to `$in`, by its params as written. */
  readonly adds: (params: Readonly<Record<string, unknown>>) => Readonly<Record<string, Shape>>;
  /** True for exits that leave the run: an event waiting there is no circle. */
  readonly waits?: boolean;
  /** True where the pipe has no `success` exit because the run ends with it. */
  readonly ends?: boolean;
  /** Its own failure codes, for the docs; TEMPLATE_VALUE_MISSING belongs to every pipe. */
  readonly errors: readonly string[];
  readonly examples: readonly PipeExample[];
  /** For a pipe whose failures may be tried again later: its rule, from the params as written. */
  readonly retry?: (params: Readonly<Record<string, unknown>>) => RetryRule;
  /** What the rules of params cannot say, as sentences with a pointer into the params; checked when the document is. */
  readonly check?: (
    params: Readonly<Record<string, unknown>>,
  ) => readonly { pointer: string; message: string }[];
}

export interface Pipe extends PipeSpec {
  readonly run: (
    params: never,
    context: PipeContext<CapabilityName>,
  ) => PipeOutput | undefined | Promise<PipeOutput | undefined>;
}

/** Declares a pipe; the types of `run` follow from `params` and `needs`. */
export function definePipe<S extends Params, const C extends CapabilityName>(
  pipe: Omit<PipeSpec, 'params' | 'needs'> & {
    readonly params: S;
    readonly needs: readonly C[];
    readonly run: (
      params: ParamsOf<S>,
      context: PipeContext<C>,
    ) => PipeOutput | undefined | Promise<PipeOutput | undefined>;
  },
): Pipe {
  return Object.freeze(pipe) as unknown as Pipe;
}
