/** What a CMS of the tests holds, is asked, and answers. */

/** What a test keeps in the CMS. */
export interface CmsEntry {
  readonly id: string;
  readonly title?: string | undefined;
  readonly body?: unknown;
  /** ISO 8601; entries without one were changed long ago. */
  readonly changedAt?: string;
  readonly draft?: boolean;
  /** Sent as it is, instead of an entry. */
  readonly raw?: unknown;
}

export interface CmsAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, unless it is a text. */
  readonly body: unknown;
}

export interface CmsRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
}

/** When an entry was changed there. */
export function changedOf(entry: CmsEntry): string {
  return entry.changedAt ?? '2020-01-01T00:00:00.000Z';
}
