/** A provider's request as the listener keeps it. */
export interface RequestIn {
  readonly method: string;
  /** The path below the listener's address, with its query left out. */
  readonly path: string;
  /** The query, repeated names as arrays. */
  readonly form: Readonly<Record<string, string | readonly string[]>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The whole public address as the provider called it, with its query; some signatures cover it. */
  readonly url?: string;
}
