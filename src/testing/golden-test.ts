/** The documents of golden tests (channel format, section 11). */
import type { Json, JsonObject } from '../json.ts';

export interface GoldenFile {
  readonly $schema?: string;
  readonly tests: readonly GoldenTest[];
}

export interface GoldenTest {
  readonly name: string;
  /** `message`, `listener` …, or `<entity>/<operation>`. */
  readonly pipeline: string;
  /** The pipe where the event enters; the first one where it is left out. */
  readonly entry?: number;
  readonly given?: Given;
  readonly expect: Expectation;
}

/** The world in which a test runs. */
export interface Given {
  /** The message, or for a listener the sender and account that its address names. */
  readonly message?: GivenMessage;
  readonly request?: GivenRequest;
  /** The input of an operation. */
  readonly input?: JsonObject;
  /** `$in` where the event enters; `$origin` where it is left out. */
  readonly in?: JsonObject;
  readonly origin?: JsonObject;
  /** How often the entry pipe was tried before. */
  readonly tries?: number;
  /** Values by key, or by `table/key` for those in a named table. */
  readonly store?: JsonObject;
  /** ISO 8601. */
  readonly now?: string;
  /** By pipe id. */
  readonly answers?: { readonly [pipe: string]: Answer | readonly Answer[] };
  /** Rows of a query, or a list of them for several queries; by pipe id. */
  readonly rows?: { readonly [pipe: string]: readonly JsonObject[] | readonly (readonly JsonObject[])[] };
}

export interface GivenMessage {
  readonly id?: string;
  readonly template?: JsonObject;
  readonly subscription?: JsonObject;
  readonly profile?: JsonObject;
  readonly sender?: JsonObject;
  readonly resource?: JsonObject;
  /** Values of the channel's mailing fields. */
  readonly campaign?: JsonObject;
  readonly camp_schedule?: JsonObject;
  readonly account?: JsonObject;
  readonly offer?: JsonObject;
  readonly attributes?: JsonObject;
  readonly computed?: JsonObject;
}

export interface GivenRequest {
  readonly method?: string;
  readonly path?: string;
  /** The address that the provider called, where it signs it. */
  readonly url?: string;
  readonly headers?: { readonly [name: string]: string };
  readonly query?: { readonly [name: string]: string | readonly string[] };
  readonly json?: Json;
  readonly text?: string;
  readonly form?: { readonly [name: string]: string };
}

export type Answer =
  | { readonly fail: 'network' | 'timeout' }
  | {
      readonly status?: number;
      readonly headers?: { readonly [name: string]: string };
      /** A text is sent as it is, anything else as JSON. */
      readonly body?: Json;
    };

/** What is compared; a section that is left out is not looked at, unless `exactly`. */
export interface Expectation {
  readonly exactly?: boolean;
  readonly status?: string;
  /** `<pipe>:<exit>`, in the order of passing. */
  readonly path?: readonly string[];
  readonly requests?: readonly Json[];
  readonly events?: readonly Json[];
  readonly later?: readonly Json[];
  readonly logs?: readonly Json[];
  readonly result?: Json;
  readonly error?: Json;
  /** The store at the end. */
  readonly store?: JsonObject;
  /** The answer of a listener. */
  readonly response?: Json;
  /** The name by which a listener knows a repeat of the request. */
  readonly dedupe?: string;
  /** Where and for how many seconds the event waits. */
  readonly wait?: Json;
  /** Elements of a split that wait by themselves. */
  readonly branches?: readonly Json[];
}
