/** Keeps entries of a CMS as content. One that cannot be kept is listed with its reason, and the others go on. */
import { unstorable } from '../../channel/unstorable.ts';
import type { SourceEntry } from '../../content/sources/contract.ts';
import { type Mapped, mapEntry } from '../../content/sources/map-entry.ts';
import { type Mapping, readMappings } from '../../content/sources/mappings.ts';
import type { ChannelType } from '../../content/types/contract.ts';
import { Failure } from '../../errors.ts';
import { readSynced, type SyncedRow } from '../../storage/content.ts';
import { refusesValues } from '../../storage/database.ts';
import { readNewer, type SeenEntry, writeEntries } from '../../storage/source-entries.ts';
import {
  isUnchanged,
  type SavedContent,
  type SourcedContent,
  saveFromSource,
  sourcedValues,
} from '../content/save-from-source.ts';
import { unresolvedNames } from '../directory/content-items.ts';
import type { Runtime } from '../runtime.ts';
import type { OpenSource } from './source-settings.ts';
import type { Counts } from './sync-row.ts';

/** Where entries come from, and when. */
export interface EntriesAt {
  /** When the CMS was asked for them: what was kept since then may be newer. */
  readonly askedMs: number;
  /** When the sync began that saw them. */
  readonly seenMs: number;
  /** The page, for naming entries without an id. */
  readonly page: number;
}

/** What became of one entry; `unchanged` also stands for what a newer one has overtaken. */
interface SavedEntry {
  readonly outcome: SavedContent['outcome'] | 'refused';
  readonly problem: string | null;
}

export const NO_COUNTS: Counts = Object.freeze({
  created: 0,
  updated: 0,
  unchanged: 0,
  conflicts: 0,
  withdrawn: 0,
  problems: 0,
});

/** Adds counts. */
export function sumCounts(left: Counts, right: Counts): Counts {
  const names = Object.keys(NO_COUNTS) as (keyof Counts)[];
  return Object.fromEntries(names.map((name) => [name, left[name] + right[name]])) as unknown as Counts;
}

/** Keeps the entries of one answer, and writes what is to be known of each. */
export async function saveEntries(
  runtime: Runtime,
  source: OpenSource,
  entries: readonly SourceEntry[],
  at: EntriesAt,
): Promise<Counts> {
  const { row } = source;
  const { database, ids } = runtime;
  const channelType = row.channel_type as ChannelType;
  const mappings = readMappings(channelType, row.mappings);
  const named = entries.flatMap(({ externalId }) => externalId ?? []);
  // One after the other: the embedded database has one connection.
  const synced = new Map(
    (await readSynced(database, row.account_id, row.id, named)).map((each) => [each.external_id, each]),
  );
  const newer = await readNewer(database, row.id, named, at.askedMs);
  const seen: SeenEntry[] = [];
  let counts = NO_COUNTS;
  for (const [index, entry] of entries.entries()) {
    const { externalId, changedAtMs } = entry;
    const overtaken = externalId !== undefined && (newer.get(externalId) ?? 0) > (changedAtMs ?? 0);
    if (overtaken) {
      counts = sumCounts(counts, { ...NO_COUNTS, unchanged: 1 });
      continue;
    }
    const kept = await saveEntry(runtime, source, mappings, entry, synced);
    counts = sumCounts(counts, countOf(kept));
    seen.push({
      id: ids.next(),
      externalId: externalId ?? `#${at.page}/${index + 1}`,
      changedAtMs: changedAtMs ?? null,
      problem: kept.problem,
      kept: kept.outcome !== 'refused',
      gone: false,
    });
  }
  await writeEntries(database, row.id, seen, at.seenMs, runtime.clock.now());
  return counts;
}

async function saveEntry(
  runtime: Runtime,
  { row, redact }: OpenSource,
  mappings: readonly Mapping[],
  entry: SourceEntry,
  synced: ReadonlyMap<string, SyncedRow>,
): Promise<SavedEntry> {
  const { externalId } = entry;
  if (externalId === undefined) return refusal('The entry has no id that can be used.');
  const mapped = mapEntry(mappings, entry.values);
  const wrong = unstorable(mapped.entry);
  const problems = [...mapped.problems, ...(wrong === undefined ? [] : [`The entry ${wrong.message}.`])];
  if (problems.length > 0) return refusal(problems.join(' '));
  const content: SourcedContent = {
    ...mapped.entry,
    accountId: row.account_id,
    sourceId: row.id,
    sourceType: row.provider,
    externalId,
    channelType: row.channel_type as ChannelType,
    autoPublish: row.auto_publish,
  };
  const known = synced.get(externalId);
  const values = sourcedValues(content);
  if (known !== undefined && known.status !== 'archived' && isUnchanged(known, values)) {
    // What kept it from being published still does.
    const unresolved =
      row.auto_publish && known.status === 'draft' && known.conflict === null
        ? unresolvedNames({ ...values, channelType: content.channelType })
        : [];
    return toldOf('unchanged', known.conflict, unresolved, mapped);
  }
  try {
    const { outcome, item, unresolved } = await saveTwice(runtime, content);
    return toldOf(outcome, item.conflict, unresolved, mapped);
  } catch (thrown) {
    if (refusesValues(thrown))
      return refusal('The database cannot keep it: a value is too large or too odd.');
    if (!(thrown instanceof Failure) || !isOfEntry(thrown)) throw thrown;
    return refusal(redact(wholeMessage(thrown)));
  }
}

/** A conflict of two writes at the same moment is over at once; that of a taken name stays. */
async function saveTwice(runtime: Runtime, content: SourcedContent): Promise<SavedContent> {
  try {
    return await saveFromSource(runtime, content, unresolvedNames);
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.code !== 'CONFLICT') throw thrown;
    return saveFromSource(runtime, content, unresolvedNames);
  }
}

/** All that is wrong with it; the message itself says the first. */
function wholeMessage({ message, details }: Failure): string {
  const others = (details.problems ?? []).slice(1).map((each) => `At ${each.pointer}: ${each.message}`);
  return [message, ...others].join(' ');
}

/** Whether a failure says something about the entry, and not about us. */
function isOfEntry({ blame }: Failure): boolean {
  return blame === 'caller' || blame === 'author';
}

function toldOf(
  outcome: SavedContent['outcome'],
  conflict: string | null,
  unresolved: readonly string[],
  { missing }: Mapped,
): SavedEntry {
  const names = unresolved.map((name) => `{{ ${name} }}`).join(', ');
  const unpublished = `It is not published: ${names} has neither a value nor a fallback.`;
  const told = [...(conflict === null ? [] : [conflict]), ...(names === '' ? [] : [unpublished]), ...missing];
  return { outcome, problem: told.length === 0 ? null : told.join(' ') };
}

function refusal(problem: string): SavedEntry {
  return { outcome: 'refused', problem };
}

function countOf({ outcome, problem }: SavedEntry): Counts {
  return {
    ...NO_COUNTS,
    created: Number(outcome === 'created'),
    updated: Number(outcome === 'updated'),
    unchanged: Number(outcome === 'unchanged' || outcome === 'archived'),
    conflicts: Number(outcome === 'conflict'),
    problems: Number(problem !== null),
  };
}
