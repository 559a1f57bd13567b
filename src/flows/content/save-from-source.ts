/**
 * Keeps what a content source sent. The source edits like a person without a user: locked and archived items are not
 * touched, an approval of what changed is void. What people changed here since the last sync is never overwritten: then
 * what the source sent is recorded as a version beside theirs, and the item becomes a draft with a note.
 */
import { transitionOf } from '../../content/lifecycle.ts';
import type { ChannelType, Content } from '../../content/types/contract.ts';
import { Failure } from '../../errors.ts';
import { own } from '../../json.ts';
import { writeAudit } from '../../storage/audit.ts';
import { findSourced, type ItemRow, readItem, type SourcedRow } from '../../storage/content.ts';
import { advanceItem, type ItemChange, insertItem } from '../../storage/content-writes.ts';
import type { UnresolvedVariables } from '../directory/content-items.ts';
import type { Runtime } from '../runtime.ts';
import { assertValidContent, auditedItem, livingItem, nameTaken, newVersion, termsOfItem } from './item.ts';
import { canonical, type SourcedValues, sourcedStep } from './sourced-step.ts';

/** What a source sent, mapped to an item. */
export interface SourcedContent {
  readonly accountId: string;
  readonly sourceId: string;
  /** The kind of source, for example `wordpress`. */
  readonly sourceType: string;
  /** Its own id there. */
  readonly externalId: string;
  readonly channelType: ChannelType;
  readonly name: string;
  readonly content: Content;
  readonly description?: string | null;
  readonly blocks?: readonly unknown[] | null;
  readonly personalization?: readonly unknown[] | null;
  readonly tags?: readonly string[];
  /** Straight to customers, without review. */
  readonly autoPublish: boolean;
}

/** What was kept of it. */
export interface SavedContent {
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'conflict' | 'archived';
  readonly item: ItemRow;
  /** Variables that kept it from being published. */
  readonly unresolved: readonly string[];
}

/**
 * Creates or edits the item of an external id; the same again changes nothing.
 * Throws REQUEST_INVALID if the content breaks a rule, CONFLICT if the name is taken, WRONG_STATE in review.
 */
export async function saveFromSource(
  runtime: Runtime,
  given: SourcedContent,
  unresolvedVariables: UnresolvedVariables,
): Promise<SavedContent> {
  const values = sourcedValues(given);
  const known = await findSourced(runtime.database, given.accountId, given.sourceId, given.externalId);
  if (known?.status === 'archived') return { outcome: 'archived', item: known, unresolved: [] };
  if (known !== undefined && isUnchanged(known, values)) {
    return { outcome: 'unchanged', item: known, unresolved: [] };
  }
  assertValidContent(given.channelType, values, '/content');
  const unresolved = given.autoPublish
    ? unresolvedVariables({ ...given, personalization: values.personalization })
    : [];
  const publish = given.autoPublish && unresolved.length === 0;
  const saved =
    known === undefined
      ? await create(runtime, given, values, publish)
      : await edit(runtime, given, known, values, publish);
  return { ...saved, unresolved };
}

/** What travels from the source, complete. */
export function sourcedValues(given: Omit<SourcedContent, 'accountId' | 'sourceId'>): SourcedValues {
  const { name, content, description = null, blocks = null, personalization = null, tags = [] } = given;
  return { name, description, content, blocks, personalization, tags };
}

/** Whether the source sent just this before. What was withdrawn since is new again when it comes back. */
export function isUnchanged(
  known: { readonly synced: unknown; readonly synced_version: number | null },
  values: SourcedValues,
): boolean {
  return known.synced_version !== null && canonical(known.synced) === canonical(values);
}

type SavedItem = Pick<SavedContent, 'outcome' | 'item'>;

async function create(
  runtime: Runtime,
  given: SourcedContent,
  values: SourcedValues,
  publish: boolean,
): Promise<SavedItem> {
  const { clock, ids } = runtime;
  const nowMs = clock.now();
  const id = ids.next();
  const item = {
    account_id: given.accountId,
    name: values.name,
    description: values.description,
    channel_type: given.channelType,
    tags: values.tags,
    is_template: false,
    source_type: given.sourceType,
  };
  const change = {
    transition: {
      ...historyOf(publish),
      to: publish ? 'published' : 'draft',
      historyId: ids.next(),
      note: null,
      nowMs,
    },
    values: {
      ...item,
      tags: { json: JSON.stringify(values.tags) },
      source_id: given.sourceId,
      external_id: given.externalId,
      version: 1,
      newest_version: 1,
      synced_version: 1,
      synced: { json: JSON.stringify(values) },
      ...(publish && { published_version: 1, published_at: new Date(nowMs) }),
    },
    version: newVersion(1, values, 'Initial version'),
    terms: termsOfItem(item, values.content),
  };
  const made = await write(runtime, { id, account_id: given.accountId }, change, undefined, (tx) =>
    insertItem(tx, { id, account_id: given.accountId }, change),
  );
  if (made !== undefined) return { outcome: 'created', item: made };
  const { database } = runtime;
  // Somebody else brought it in at the same moment, which is as good.
  const other = await findSourced(database, given.accountId, given.sourceId, given.externalId);
  if (other === undefined) throw nameTaken(given.name);
  return { outcome: 'unchanged', item: other };
}

async function edit(
  runtime: Runtime,
  given: SourcedContent,
  known: SourcedRow,
  values: SourcedValues,
  publish: boolean,
): Promise<SavedItem> {
  const { clock, ids } = runtime;
  if (known.channel_type !== given.channelType) {
    throw new Failure(
      'IMMUTABLE',
      `"${known.name}" is ${known.channel_type} and cannot become ${given.channelType}. Archive it, or set the channel type of the source back.`,
    );
  }
  const nowMs = clock.now();
  const { conflict, ...step } = sourcedStep(known, values, publish, nowMs);
  const transition = historyOf(publish && !conflict);
  const { to } = transitionOf(transition.call, livingItem(known), null);
  const change = {
    ...step,
    transition: { ...transition, to, historyId: ids.next(), note: step.version.note, nowMs },
  };
  const moved = await write(runtime, known, change, known, (tx) => advanceItem(tx, known, change)).catch(
    (thrown: unknown) => {
      throw own(thrown, 'code') === '23505' ? nameTaken(values.name) : thrown;
    },
  );
  if (moved === undefined) {
    throw new Failure(
      'CONFLICT',
      `Somebody changed "${known.name}" at the same moment. The next sync brings it again.`,
    );
  }
  return { outcome: conflict ? 'conflict' : 'updated', item: moved };
}

function historyOf(publish: boolean) {
  return { call: publish ? ('sync_publish' as const) : ('sync' as const), userId: null };
}

/** Writes with the audit; gives the item as it is then, or undefined if nothing was written. */
function write(
  runtime: Runtime,
  { id, account_id: accountId }: { readonly id: string; readonly account_id: string },
  { transition }: ItemChange,
  before: ItemRow | undefined,
  act: (tx: Parameters<typeof insertItem>[0]) => Promise<boolean>,
): Promise<ItemRow | undefined> {
  const auditId = runtime.ids.next();
  return runtime.database.transaction(async (tx) => {
    if (!(await act(tx))) return undefined;
    const after = await readItem(tx, accountId, id);
    if (after === undefined) throw new Failure('BUG', 'Content was written and is not there.');
    await writeAudit(tx, {
      id: auditId,
      accountId,
      tokenId: null,
      action: `content.${transition.call}`,
      subject: `content/${id}`,
      ...(before !== undefined && { before: auditedItem(before) }),
      after: auditedItem(after.item),
      nowMs: transition.nowMs,
    });
    return after.item;
  });
}
