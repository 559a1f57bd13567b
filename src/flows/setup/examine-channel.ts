/** Checks a channel that someone gives, against all others and against its version before. */
import { type Checked, checkText } from '../../channel/check.ts';
import type { ChannelDocument, ChannelKind, PipelineName } from '../../channel/document.ts';
import { PIPELINE_NAMES } from '../../channel/document.ts';
import type { Finding } from '../../channel/finding.ts';
import type { SourceText } from '../../channel/source-text.ts';
import { compileChannel } from '../../engine/compile-channel.ts';
import { Failure, type Problem } from '../../errors.ts';
import { planPipeOf } from '../../pipes/catalog.ts';
import type { ChannelRow } from '../../storage/channels.ts';
import { compileListener } from '../listener/compile-listener.ts';

/** A channel as it is given. */
export interface GivenChannel {
  readonly source: SourceText;
  readonly kind: ChannelKind;
  /** Null: shared by all accounts. */
  readonly accountId: string | null;
  /** The name of its folder, which must be its sid. */
  readonly sid?: string;
  /** Ids that other channels are about to have. */
  readonly reserved?: readonly number[];
  readonly pipelines: FindPipelineText;
}

/** The file of a pipeline that is named and not inline. */
export type FindPipelineText = (name: string) => { readonly file: string; readonly text: string } | undefined;

/** A finding as a problem of an answer; the pointer leads into the document. */
export interface FindingProblem extends Problem, Omit<Finding, 'file'> {
  /** Set where it is not in the document itself but in a pipeline that it names. */
  readonly file?: string;
}

/** Findings that say that something changed which never does. */
const IMMUTABLE: ReadonlySet<string> = new Set(['sid-changed', 'id-changed', 'event-id-changed']);

/** Checks a channel as keeping it would. `taken` are the sids and ids of all channels, deleted ones too. */
export function examineChannel(
  given: GivenChannel,
  taken: readonly { readonly sid: string; readonly id: number }[],
  existing: ChannelRow | undefined,
): Checked {
  const { source, accountId: _accountId, reserved = [], ...channel } = given;
  return checkText(
    source,
    { file: source.file, text: '', ...channel },
    {
      others: taken,
      reserved,
      previous: existing && (JSON.parse(existing.document) as ChannelDocument),
    },
  );
}

/** The document of a checked channel. Throws IMMUTABLE or DOCUMENT_INVALID with every finding as a problem. */
export function assertValidDocument(checked: Checked, file: string): ChannelDocument {
  const { document, findings } = checked;
  if (document !== undefined) {
    // Whatever the rules let pass, what is kept can run.
    compileChannel(document, planPipeOf);
    compileListener(document.listener);
    return document;
  }
  const problems = findingProblems(findings, file);
  const errors = findings.filter((finding) => finding.severity === 'error');
  const immutable = errors.find((finding) => IMMUTABLE.has(finding.code));
  if (immutable !== undefined) throw new Failure('IMMUTABLE', immutable.message, { problems });
  const [first] = errors;
  const more = errors.length === 1 ? '' : ` There are ${errors.length - 1} more errors.`;
  const place = first === undefined ? '' : ` at ${first.pointer || '/'}: ${first.message}`;
  throw new Failure('DOCUMENT_INVALID', `The channel document breaks a rule${place}${more}`, { problems });
}

/** Findings as problems of an answer; `file` is the name of the document itself. */
export function findingProblems(findings: readonly Finding[], file: string): readonly FindingProblem[] {
  return findings.map(({ file: place, ...finding }) => ({
    ...finding,
    ...(place !== file && { file: place }),
  }));
}

/** Finds pipelines by the names they have in the database: `<channel sid>/<pipeline>`, in their current version. */
export function pipelinesOf(rows: readonly ChannelRow[]): FindPipelineText {
  const bySid = new Map(rows.map((row) => [row.sid, row]));
  return (name) => {
    const [sid = '', pipeline = ''] = name.split('/');
    const row = bySid.get(sid);
    if (row === undefined || !(PIPELINE_NAMES as readonly string[]).includes(pipeline)) return undefined;
    const document = JSON.parse(row.document) as ChannelDocument;
    const found = document.pipelines[pipeline as PipelineName];
    return found && { file: `${name}.json`, text: JSON.stringify(found, null, 2) };
  };
}
