/** Turns an entry of a CMS into the values of an item, by the mappings of its source. */
import { isObject, own, setOwn } from '../../json.ts';
import type { Content } from '../types/contract.ts';
import type { Mapping } from './mappings.ts';
import { plainText } from './plain-text.ts';

const MOST_NAME = 255;
const MOST_DESCRIPTION = 1_000;
const MOST_TAGS = 50;
const MOST_TAG = 50;

/** What an entry becomes. */
export interface MappedEntry {
  readonly name: string;
  readonly description: string | null;
  readonly content: Content;
  readonly tags: readonly string[];
  readonly blocks: readonly unknown[] | null;
}

export interface Mapped {
  readonly entry: MappedEntry;
  /** Why it cannot become an item, as sentences. */
  readonly problems: readonly string[];
  /** Mapped values that were not there and that an item can be without. */
  readonly missing: readonly string[];
}

/** Follows every mapping. What is missing or does not fit is said, never guessed. */
export function mapEntry(mappings: readonly Mapping[], values: Readonly<Record<string, unknown>>): Mapped {
  const item: Record<string, unknown> = { content: {} };
  const problems: string[] = [];
  const missing: string[] = [];
  for (const mapping of mappings) {
    const found = valueAt(values, mapping.from);
    if (found === undefined || found === null || found === '') {
      if (mapping.required)
        problems.push(`The entry has no value at "${mapping.from}", which becomes ${mapping.to}.`);
      else missing.push(`The entry has no value at "${mapping.from}", so ${mapping.to} is left out.`);
      continue;
    }
    const fitted = inForm(found, mapping);
    if (fitted === undefined) {
      problems.push(
        `The value at "${mapping.from}" is ${kindOf(found)}, and ${mapping.to} takes ${mapping.type === 'string' ? 'a text' : `an ${mapping.type}`}.`,
      );
    } else put(item, mapping.place, fitted);
  }
  const entry = {
    name: String(item.name ?? '').trim(),
    description: item.description === undefined ? null : String(item.description),
    content: item.content as Content,
    tags: (item.tags as readonly string[] | undefined) ?? [],
    blocks: (item.blocks as readonly unknown[] | undefined) ?? null,
  };
  return { entry, problems: [...problems, ...tooLong(entry)], missing };
}

function valueAt(values: unknown, path: string): unknown {
  return path.split('.').reduce((inner: unknown, step) => own(inner, step), values);
}

/** The value in the form that its place takes, or undefined if it has none. */
function inForm(found: unknown, { from, to, type }: Mapping): unknown {
  if (to === 'tags') return tagsOf(found);
  if (type === 'array') return Array.isArray(found) ? found : undefined;
  if (type === 'object') return isObject(found) ? found : undefined;
  if (type !== 'string') return found;
  // WordPress keeps what it shows beside what was written; where a path ends before that, what it shows is meant.
  const rendered = own(found, 'rendered');
  const value = typeof rendered === 'string' ? rendered : found;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return undefined;
  const html = typeof rendered === 'string' || from.endsWith('.rendered');
  return html && to !== 'content.html' ? plainText(value) : value;
}

/** Names of tags: texts, or objects that have a name. */
function tagsOf(found: unknown): readonly string[] | undefined {
  const list = Array.isArray(found) ? found : [found];
  const names = list.map((each) => own(each, 'name') ?? each);
  if (!names.every((name) => typeof name === 'string' || typeof name === 'number')) return undefined;
  return [...new Set(names.map((name) => String(name).trim()).filter((name) => name !== ''))];
}

function put(item: Record<string, unknown>, place: readonly string[], value: unknown): void {
  const last = place.at(-1) ?? '';
  let inner = item;
  for (const step of place.slice(0, -1)) {
    const known = own(inner, step);
    const next = isObject(known) ? known : {};
    setOwn(inner, step, next);
    inner = next;
  }
  setOwn(inner, last, value);
}

function tooLong({ name, description, tags }: MappedEntry): string[] {
  const long: string[] = [];
  if (name.length > MOST_NAME)
    long.push(`The name has ${name.length} characters, and at most ${MOST_NAME} are kept.`);
  if ((description?.length ?? 0) > MOST_DESCRIPTION) {
    long.push(
      `The description has ${description?.length} characters, and at most ${MOST_DESCRIPTION} are kept.`,
    );
  }
  if (tags.length > MOST_TAGS || tags.some((tag) => tag.length > MOST_TAG)) {
    long.push(`At most ${MOST_TAGS} tags of at most ${MOST_TAG} characters are kept.`);
  }
  return long;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
