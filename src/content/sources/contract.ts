/**
 * What a content source is. One adapter in one file says how to ask one CMS and how to read its answers; it is pure.
 *
 * The flow (`flows/sources`) sends each request through the guarded HTTP client, reads the answer as JSON, turns what is
 * no success into a Failure (`read-answer.ts`), and only then hands it to `readPage`. An adapter never sends, waits or
 * remembers. `page` is asked with a null cursor first and with `next` of the page before after that, also after a
 * restart, so a cursor must be a short text that stands for a place and not for a session. `byIds` asks the same
 * list, narrowed to some entries: an entry that is not in a list that did come is deleted or unpublished there, while
 * an address that is gone altogether is a failure and takes nothing away. Nothing but what the public may see is asked for.
 */
import type { JsonObject } from '../../json.ts';

export const PROVIDERS = ['wordpress', 'contentful', 'strapi', 'sanity'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** Connection details as the adapter's schema allows them, with secrets in the clear. */
export type SourceConfig = Readonly<Record<string, unknown>>;

/** A GET request. */
export interface SourceRequest {
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer with a status of success. */
export interface SourceAnswer {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly json: unknown;
}

export interface SourceEntry {
  /** Its id there; undefined if there is none that can be used. */
  readonly externalId: string | undefined;
  /** When it was changed there last, where it says so. */
  readonly changedAtMs: number | undefined;
  /** What mappings look into: the entry as the CMS sent it, with the members of its fields beside its own. */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface SourcePage {
  readonly entries: readonly SourceEntry[];
  /** Where the next page begins; null: this was the last. */
  readonly next: string | null;
  /** Of all pages, where the CMS says so. */
  readonly total: number | null;
}

/** Which part of the list is asked for. */
export interface PagePlace {
  readonly cursor: string | null;
  /** Set: only what was changed there since then. */
  readonly changedSinceMs: number | undefined;
}

export interface SourceAdapter {
  readonly provider: Provider;
  /** As people call it. */
  readonly title: string;
  /** JSON Schema of `config`, with defaults. */
  readonly config: JsonObject;
  /** Members of `config` that are kept encrypted. */
  readonly secrets: ReadonlySet<string>;
  readonly page: (config: SourceConfig, place: PagePlace) => SourceRequest;
  /** Asks for at most MOST_IDS entries, in one answer that `readPage` reads. */
  readonly byIds: (config: SourceConfig, ids: readonly string[]) => SourceRequest;
  /** Throws PARSE_FAILED if the answer is no list of entries. */
  readonly readPage: (config: SourceConfig, answer: SourceAnswer, cursor: string | null) => SourcePage;
  /** Whether a refusal only says that the list has become shorter while it was read. */
  readonly isPastEnd?: (status: number, json: unknown) => boolean;
  /** The provider's own words about a refusal. */
  readonly reason: (json: unknown) => string | undefined;
  /** The id of the entry that a webhook speaks of; undefined if the body names none. */
  readonly externalIdOf: (config: SourceConfig, body: unknown) => string | undefined;
}

/** Entries in a page. */
export const PAGE_ENTRIES = 100;
/** Ids in one `byIds`, so that the address stays short enough for every server on the way. */
export const MOST_IDS = 50;
