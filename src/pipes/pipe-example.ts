/** An example of a pipe: what it is given, and what comes of it. Docs and tests read the same ones. */

export interface PipeExample {
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly in?: Readonly<Record<string, unknown>>;
  /** Further keywords of the scope. */
  readonly scope?: Readonly<Record<string, unknown>>;
  readonly store?: Readonly<Record<string, unknown>>;
  readonly answers?: readonly {
    readonly status: number;
    readonly headers?: Record<string, string>;
    readonly body?: unknown;
  }[];
  readonly rows?: readonly Readonly<Record<string, unknown>>[];
  readonly expect: {
    /** `success`, `error`, or the id of a pipe. */
    readonly exit: 'success' | 'error' | 'end' | number;
    /** Compared as a subset; bytes are compared as text. */
    readonly add?: Readonly<Record<string, unknown>>;
    readonly code?: string;
    readonly requests?: readonly Readonly<Record<string, unknown>>[];
    readonly events?: readonly Readonly<Record<string, unknown>>[];
    readonly later?: readonly Readonly<Record<string, unknown>>[];
    readonly logs?: readonly Readonly<Record<string, unknown>>[];
    readonly result?: unknown;
    readonly branches?: readonly unknown[];
    /** All the default table of the store holds afterwards. */
    readonly store?: Readonly<Record<string, unknown>>;
    /** SqlRequests. */
    readonly statements?: readonly Readonly<Record<string, unknown>>[];
  };
}
