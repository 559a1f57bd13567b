/** What the linter says: one finding, one place, one sentence that says what would be right. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  /** Kebab-case, stable; docs/reference lists them all. */
  readonly code: string;
  readonly message: string;
  /** The file as it was given, or a name such as `(request)` where there is none. */
  readonly file: string;
  /** From 1, in the source text. */
  readonly line: number;
  readonly column: number;
  /** RFC 6901, into that file. */
  readonly pointer: string;
  /** The near name that was probably meant. */
  readonly suggestion?: string;
}
