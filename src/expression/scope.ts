/**
 * What an expression can see. A scope holds one value per keyword; values are read by own properties only.
 */
export const KEYWORDS = [
  'in',
  'origin',
  'error',
  'template',
  'sender',
  'resource',
  'campaign',
  'subscription',
  'account',
  'camp_schedule',
  'profile',
  'message',
  'channel',
  'now',
] as const;

export type Keyword = (typeof KEYWORDS)[number];

export type Scope = { readonly [K in Keyword]?: unknown };

const keywords: ReadonlySet<string> = new Set(KEYWORDS);

export function isKeyword(name: string): name is Keyword {
  return keywords.has(name);
}

/** One place where an expression reads a keyword; the linter compares it with the declarations. */
export interface Reference {
  readonly keyword: Keyword;
  /** Member names and array positions after the keyword. */
  readonly path: readonly (string | number)[];
  /** The reference as the author wrote it. */
  readonly text: string;
  /** Where in the document it stands. */
  readonly pointer: string;
  /** `$#`: the value keeps its type. */
  readonly typed: boolean;
  /** `?`: a missing value is no error. */
  readonly optional: boolean;
}
