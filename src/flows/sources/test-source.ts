/** Tries a source: asks for its first page, says what it found, and changes nothing. */
import { checkContent } from '../../content/check.ts';
import type { SourceEntry } from '../../content/sources/contract.ts';
import { mapEntry } from '../../content/sources/map-entry.ts';
import { readMappings } from '../../content/sources/mappings.ts';
import type { ChannelType } from '../../content/types/contract.ts';
import { Failure } from '../../errors.ts';
import type { SourceRow } from '../../storage/content-sources.ts';
import type { Runtime } from '../runtime.ts';
import { askSource, type Send } from './ask-source.ts';
import { openSource } from './source-settings.ts';

const SHOWN_ENTRIES = 3;

/** What one entry would become. */
export interface TriedEntry {
  readonly externalId: string | null;
  readonly name: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** Why it would not be kept, and what it lacks. */
  readonly problems: readonly string[];
}

export interface TriedSource {
  readonly ok: boolean;
  /** A sentence. */
  readonly message: string;
  /** The code of the failure, where there is one. */
  readonly code: string | null;
  /** Entries in all, where the CMS says so. */
  readonly total: number | null;
  /** The first few. */
  readonly entries: readonly TriedEntry[];
}

/** Never throws for what the CMS or the settings are to blame for. */
export async function testSource(runtime: Runtime, send: Send, row: SourceRow): Promise<TriedSource> {
  try {
    const source = openSource(runtime.vault, row);
    const { adapter, config } = source;
    const request = adapter.page(config, { cursor: null, changedSinceMs: undefined });
    const page = await askSource(send, source, request, null, runtime.clock.now());
    const count = page.entries.length;
    const entries = page.entries.slice(0, SHOWN_ENTRIES).map((entry) => tried(row, entry));
    const found = page.total ?? (page.next === null ? count : `at least ${count}`);
    const message =
      count === 0
        ? `${adapter.title} answered, and has no published entries here. Check the names in the settings, or publish one.`
        : `${adapter.title} answered: ${found} published ${found === 1 ? 'entry' : 'entries'}.`;
    return { ok: true, message, code: null, total: page.total, entries };
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.blame === 'us' || thrown.blame === 'shutdown') throw thrown;
    return { ok: false, message: thrown.message, code: thrown.code, total: null, entries: [] };
  }
}

function tried(row: SourceRow, { externalId, values }: SourceEntry): TriedEntry {
  const channelType = row.channel_type as ChannelType;
  const { entry, problems, missing } = mapEntry(readMappings(channelType, row.mappings), values);
  const findings = problems.length > 0 ? [] : checkContent(channelType, entry.content, 'saved');
  const errors = findings
    .filter(({ severity }) => severity === 'error')
    .map(({ pointer, message }) => `At /content${pointer}: ${message}`);
  const nameless = externalId === undefined ? ['The entry has no id that can be used.'] : [];
  return {
    externalId: externalId ?? null,
    name: entry.name,
    content: entry.content,
    problems: [...nameless, ...problems, ...errors, ...missing],
  };
}
