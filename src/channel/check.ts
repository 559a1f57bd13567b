/**
 * Checks a channel as a whole: its text, its members, and what its parts mean for each other. Says everything that is
 * wrong, each at its place, and gives the document with its pipelines and defaults where nothing is.
 */

import { own } from '../json.ts';
import { analyse } from './analysis.ts';
import { declaredMembers } from './declared.ts';
import type { ChannelDocument, ChannelKind } from './document.ts';
import { readDraft } from './draft.ts';
import type { Finding } from './finding.ts';
import { createReport } from './report.ts';
import { RULES } from './rules/rules.ts';
import { parseSource, type SourceText } from './source-text.ts';

/** A channel as it is found: the text of its document, and the way to its named pipelines. */
export interface ChannelSource {
  readonly file: string;
  readonly text: string;
  readonly kind: ChannelKind;
  /** The name of its folder, which must be its sid. */
  readonly sid?: string;
  readonly pipelines: (name: string) => { readonly file: string; readonly text: string } | undefined;
}

/** What is known of another channel. */
export interface KnownChannel {
  readonly sid: string;
  readonly id: number;
}

export interface CheckOptions {
  /** All other channels, deleted ones too: their sids and ids are taken. */
  readonly others?: readonly KnownChannel[];
  /** The version before, whose sid and ids never change. */
  readonly previous?: ChannelDocument | undefined;
  /** Ids that must not be assigned, although no other channel has them yet. */
  readonly reserved?: readonly number[];
}

export interface Checked {
  /** By file, from top to bottom. */
  readonly findings: readonly Finding[];
  /** Frozen; given where no finding is an error. */
  readonly document?: ChannelDocument;
}

/** Checks a channel. Never throws because of what the documents say. */
export function checkChannel(channel: ChannelSource, options: CheckOptions = {}): Checked {
  return checkText(parseSource(channel.file, channel.text), channel, options);
}

/** Checks a channel whose text was read already. */
export function checkText(source: SourceText, channel: ChannelSource, options: CheckOptions = {}): Checked {
  const report = createReport();
  report.take(source.findings);
  if (source.value === undefined) return { findings: report.findings() };
  const { previous, others = [], reserved = [] } = options;
  const strangers = others.filter((other) => other.sid !== previous?.sid || other.id !== previous.id);
  const draft = readDraft(
    source,
    {
      kind: channel.kind,
      find: finder(channel),
      ids: [...reserved, ...strangers.map(({ id }) => id)],
      previous,
    },
    report,
  );
  if (draft === undefined) return { findings: report.findings() };
  const analyses = analyse(draft.pipelines, draft.forms);
  const context = {
    folder: channel.sid,
    others: strangers,
    previous,
    analyses,
    members: declaredMembers(draft),
  };
  for (const rule of RULES) rule(draft, report, context);
  const findings = report.findings();
  return report.sound() ? { findings, document: frozen(draft.document) } : { findings };
}

/** A channel and what was found in it. */
export interface CheckedChannel extends Checked {
  readonly source: ChannelSource;
}

/** Checks channels together: no two have the same sid or id. `options` is asked for what each must agree with. */
export function checkAll(
  sources: readonly ChannelSource[],
  options: {
    readonly others?: readonly KnownChannel[];
    readonly previous?: (sid: string) => ChannelDocument | undefined;
  } = {},
): readonly CheckedChannel[] {
  const texts = sources.map((source) => parseSource(source.file, source.text));
  const written = texts.map(({ value }) => ({ sid: own(value, 'sid'), id: own(value, 'id') }));
  const known: KnownChannel[] = [...(options.others ?? [])];
  return sources.map((source, index) => {
    const sid = written[index]?.sid;
    const previous = typeof sid === 'string' ? options.previous?.(sid) : undefined;
    // Ids that are written further on are taken too, so that none of them is assigned; only the later of two is told.
    const later = written.slice(index + 1).flatMap(({ id }) => (typeof id === 'number' ? [id] : []));
    const checked = checkText(texts[index] ?? parseSource(source.file, source.text), source, {
      others: known,
      reserved: later,
      previous,
    });
    if (checked.document !== undefined) known.push(checked.document);
    else if (typeof sid === 'string') known.push({ sid, id: Number(written[index]?.id ?? 0) });
    return { source, ...checked };
  });
}

/** Reads each named pipeline once. */
function finder(channel: ChannelSource): (name: string) => SourceText | undefined {
  const known = new Map<string, SourceText | undefined>();
  return (name) => {
    if (!known.has(name)) {
      const found = channel.pipelines(name);
      known.set(name, found && parseSource(found.file, found.text));
    }
    return known.get(name);
  };
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}
