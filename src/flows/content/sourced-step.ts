/** What a source's new values do to an item that is here already. Pure. */
import { isObject, own } from '../../json.ts';
import type { ContentRow, SourcedRow } from '../../storage/content.ts';
import type { ItemValues, NewVersion } from '../../storage/content-writes.ts';
import { newVersion, termsOfItem, UNREVIEWED } from './item.ts';

/** What travels from a source, complete. */
export interface SourcedValues extends ContentRow {
  readonly name: string;
  readonly description: string | null;
  readonly tags: readonly string[];
}

/** Whether people's own edits are kept, what is set, and the version that is recorded. */
export interface SourcedStep {
  readonly conflict: boolean;
  readonly values: ItemValues;
  readonly version: NewVersion;
  readonly terms: ReturnType<typeof termsOfItem>;
}

/** The step for an item: an edit, or beside an edit that was made here, a conflict. */
export function sourcedStep(
  known: SourcedRow,
  values: SourcedValues,
  publish: boolean,
  nowMs: number,
): SourcedStep {
  const conflict = canonical(bodyOf(known)) !== canonical(bodyOf(known.synced));
  const number = known.newest_version + 1;
  // What people named, described and tagged otherwise than the source did stays as they want it.
  const kept = <Name extends 'name' | 'description' | 'tags'>(name: Name): SourcedValues[Name] =>
    canonical(known[name]) === canonical(own(known.synced, name)) ? values[name] : known[name];
  const item = { ...known, name: kept('name'), description: kept('description'), tags: kept('tags') };
  const note = conflict
    ? `The source changed this too, while version ${known.version} was edited here. What it sent is version ${number}: compare the two, and revert to ${number} to take it over.`
    : 'From the source';
  return {
    conflict,
    values: {
      ...UNREVIEWED,
      name: item.name,
      description: item.description,
      tags: { json: JSON.stringify(item.tags) },
      newest_version: number,
      ...(!conflict && { version: number }),
      synced_version: number,
      synced: { json: JSON.stringify(values) },
      conflict: conflict ? note : null,
      ...(publish && !conflict && { published_version: number, published_at: new Date(nowMs) }),
    },
    version: { ...newVersion(number, values, note), name: values.name },
    terms: termsOfItem(item, conflict ? known.content : values.content),
  };
}

function bodyOf(value: unknown): unknown[] {
  return [own(value, 'content'), own(value, 'blocks'), own(value, 'personalization')];
}

/** The same text for equal JSON values, whatever the order of their members. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, member: unknown) =>
      isObject(member)
        ? Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1)))
        : member,
    ) ?? ''
  );
}
