/**
 * What content is found by: words, and terms that no word can be because they begin with `=`. Items and queries are put
 * together from the same pieces, so that one index answers all filters at once.
 */

/** What an item is found by besides its status, which changes by itself. */
export interface ContentTerms {
  readonly accountId: string;
  readonly channelType: string;
  readonly isTemplate: boolean;
  readonly sourceType: string;
  readonly tags: readonly string[];
  /** Letters and digits only, lower case. */
  readonly words: readonly string[];
  /** Of the name, which can be found by its first letters too. */
  readonly nameWords: readonly string[];
}

export interface ContentFilter {
  readonly status?: string | undefined;
  readonly channelType?: string | undefined;
  readonly isTemplate?: boolean | undefined;
  readonly sourceType?: string | undefined;
  readonly tag?: string | undefined;
  /** Each begins a word of the item. */
  readonly words?: readonly string[] | undefined;
}

/** Words shorter than this begin too many others to look for them all; they are found whole, or in names. */
const PREFIX_LETTERS = 3;

/** All terms of an item but its status, for `array_to_tsvector`. */
export function termsOf(item: ContentTerms): string[] {
  const { accountId, channelType, isTemplate, sourceType, tags, words, nameWords } = item;
  const terms = [`=a${accountId}`, `=c${channelType}`, `=i${isTemplate}`, `=o${sourceType}`];
  for (const tag of tags) terms.push(tagTerm(tag));
  for (const word of nameWords) {
    const letters = [...word];
    for (let count = 1; count < PREFIX_LETTERS; count += 1)
      terms.push(`=p${letters.slice(0, count).join('')}`);
  }
  return [...new Set([...terms, ...words, ...nameWords])];
}

/** The query of a filter, as `tsquery` reads it; what it is made of needs no quoting inside its quotes. */
export function queryOf(accountId: string, filter: ContentFilter): string {
  const { status, channelType, isTemplate, sourceType, tag, words = [] } = filter;
  const parts = [`'=a${accountId}'`];
  if (status !== undefined) parts.push(`'=s${status}'`);
  if (channelType !== undefined) parts.push(`'=c${channelType}'`);
  if (isTemplate !== undefined) parts.push(`'=i${isTemplate}'`);
  if (sourceType !== undefined) parts.push(`'=o${sourceType}'`);
  if (tag !== undefined) parts.push(`'${tagTerm(tag)}'`);
  for (const word of words) {
    parts.push([...word].length < PREFIX_LETTERS ? `('${word}' | '=p${word}')` : `'${word}':*`);
  }
  return parts.join(' & ');
}

/** Tags are free text; in hexadecimal nothing in them can mean anything. */
function tagTerm(tag: string): string {
  return `=t${Buffer.from(tag, 'utf8').toString('hex')}`;
}
