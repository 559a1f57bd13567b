/**
 * The life of a content item: one table of transitions. The API, the documentation and the tests read it; nothing else
 * decides what may follow what. What a call does to the pointers is in `effect`; `storage/content.ts` carries it out.
 */
import { Failure } from '../errors.ts';

export const STATUSES = ['draft', 'in_review', 'approved', 'published', 'archived'] as const;
export type ContentStatus = (typeof STATUSES)[number];

export type ContentCall =
  | 'create'
  | 'edit'
  | 'submit'
  | 'approve'
  | 'reject'
  | 'publish'
  | 'revert'
  | 'archive'
  | 'sync'
  | 'sync_publish'
  | 'sync_withdraw';

/** Anyone who asks: an editor or admin through the API, or the content source that an item comes from. */
export type Actor = 'editor' | 'admin' | 'source';

export interface Transition {
  readonly call: ContentCall;
  /** Null: there was no item. */
  readonly from: ContentStatus | null;
  readonly to: ContentStatus;
  readonly who: readonly Actor[];
  /** Four eyes: the user who submitted may not do this, whatever the role and the token. */
  readonly notSubmitter?: true;
  /** Whether it records a version. */
  readonly version: boolean;
  readonly effect: string;
}

const PEOPLE = ['editor', 'admin'] as const;
const SOURCE = ['source'] as const;
const row = (
  call: ContentCall,
  from: ContentStatus | null,
  to: ContentStatus,
  who: readonly Actor[],
  effect: string,
  more: { version?: boolean; notSubmitter?: true } = {},
): Transition => Object.freeze({ call, from, to, who, effect, version: false, ...more });
const VERSION = { version: true } as const;

/** The table. What has no row here is refused. */
export const TRANSITIONS: readonly Transition[] = Object.freeze([
  row('create', null, 'draft', PEOPLE, 'Version 1, with the note "Initial version".', VERSION),
  row('edit', 'draft', 'draft', PEOPLE, 'A new version.', VERSION),
  row('edit', 'approved', 'draft', PEOPLE, 'A new version; the approval is void.', VERSION),
  row('edit', 'published', 'draft', PEOPLE, 'A new version; the published one goes on serving.', VERSION),
  row('submit', 'draft', 'in_review', PEOPLE, 'Locked until it is approved or rejected.'),
  row('approve', 'in_review', 'approved', PEOPLE, 'Bound to the version that was reviewed.', {
    notSubmitter: true,
  }),
  row('reject', 'in_review', 'draft', PEOPLE, 'The feedback is kept in the history.'),
  row('publish', 'approved', 'published', PEOPLE, 'A new version, which is live from now on.', VERSION),
  row('revert', 'draft', 'draft', PEOPLE, "A new version with the old one's content.", VERSION),
  row(
    'revert',
    'approved',
    'draft',
    PEOPLE,
    "A new version with the old one's content; the approval is void.",
    VERSION,
  ),
  row(
    'revert',
    'published',
    'draft',
    PEOPLE,
    "A new version with the old one's content; the published one goes on serving.",
    VERSION,
  ),
  row('archive', 'draft', 'archived', PEOPLE, 'No longer delivered; the history stays.'),
  row('archive', 'approved', 'archived', PEOPLE, 'No longer delivered; the history stays.'),
  row('archive', 'published', 'archived', PEOPLE, 'No longer delivered; the history stays.'),
  row('sync', null, 'draft', SOURCE, 'Version 1, as the source has it.', VERSION),
  row('sync', 'draft', 'draft', SOURCE, 'A new version.', VERSION),
  row('sync', 'approved', 'draft', SOURCE, 'A new version; the approval is void.', VERSION),
  row('sync', 'published', 'draft', SOURCE, 'A new version; the published one goes on serving.', VERSION),
  row('sync_publish', null, 'published', SOURCE, 'Version 1, live at once.', VERSION),
  row('sync_publish', 'draft', 'published', SOURCE, 'A new version, live at once.', VERSION),
  row('sync_publish', 'approved', 'published', SOURCE, 'A new version, live at once.', VERSION),
  row('sync_publish', 'published', 'published', SOURCE, 'A new version, live at once.', VERSION),
  row('sync_withdraw', 'draft', 'draft', SOURCE, 'No longer delivered, because the source no longer has it.'),
  row('sync_withdraw', 'approved', 'draft', SOURCE, 'No longer delivered; the approval is void.'),
  row('sync_withdraw', 'published', 'draft', SOURCE, 'No longer delivered; the history stays.'),
]);

/** What the rules need to know of an item. */
export interface LivingItem {
  readonly name: string;
  readonly status: ContentStatus;
  /** The user who submitted the version that is in review. */
  readonly submittedBy: string | null;
}

/**
 * The transition that a call means for an item as it is. `userId` is the user who asks, or null for a source.
 * Throws WRONG_STATE naming both states, and FOUR_EYES.
 */
export function transitionOf(call: ContentCall, item: LivingItem, userId: string | null): Transition {
  const rows = TRANSITIONS.filter((each) => each.call === call && each.from !== null);
  const found = rows.find((each) => each.from === item.status);
  if (found === undefined) {
    const from = rows.map((each) => each.from).join(' or ');
    throw new Failure(
      'WRONG_STATE',
      `"${item.name}" is ${item.status}, and only an item that is ${from} can be changed by "${call}". ${ADVICE[item.status]}`,
    );
  }
  // An approval that nobody answers for is none.
  if (found.notSubmitter === true && (userId === null || userId === item.submittedBy)) {
    throw new Failure(
      'FOUR_EYES',
      `You submitted "${item.name}" for review yourself, so somebody else has to approve it. Ask another user.`,
    );
  }
  return found;
}

const ADVICE: Readonly<Record<ContentStatus, string>> = {
  draft: 'Submit it for review first.',
  in_review: 'Approve or reject it first.',
  approved: 'Publish it, or edit it to make it a draft again.',
  published: 'Edit it to make a new draft; the published version goes on serving in the meantime.',
  archived: 'It stays archived; create a new item instead.',
};
