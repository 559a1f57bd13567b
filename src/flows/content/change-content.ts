/**
 * Moves content along the table of its life (content/lifecycle.ts). Every call reads the item, asks the table, and writes
 * what follows on condition that the item is still as it was read: of calls at the same time one wins, and the others
 * are told what the item is by now.
 */
import { type ContentCall, transitionOf } from '../../content/lifecycle.ts';
import { Failure } from '../../errors.ts';
import { isUuid } from '../../ids.ts';
import { own } from '../../json.ts';
import { writeAudit } from '../../storage/audit.ts';
import { type ItemRow, readItem } from '../../storage/content.ts';
import type { ContentTerms } from '../../storage/content-terms.ts';
import { advanceItem, type ItemValues, type NewVersion } from '../../storage/content-writes.ts';
import type { Runtime } from '../runtime.ts';
import { auditedItem, type ContentAuthor, livingItem, nameTaken } from './item.ts';

/** What a call sets besides the status. */
export interface ContentStep {
  readonly values: ItemValues;
  readonly version?: NewVersion;
  readonly terms?: ContentTerms;
  readonly note?: string | null;
}

export interface ContentRequest {
  readonly call: ContentCall;
  readonly id: string;
  /** The version that the caller saw; the call is refused where another is current. */
  readonly seenVersion?: number | undefined;
  /** Sees the item in a state that the table allows. Throws where the rest is not right. */
  readonly step: (item: ItemRow, nowMs: number) => ContentStep | Promise<ContentStep>;
}

/**
 * Carries out one call. Throws NOT_FOUND, WRONG_STATE, FOUR_EYES, and CONFLICT if somebody else was faster, where the
 * version that was seen is not the current one, and where the name is taken.
 */
export async function changeContent(
  runtime: Runtime,
  by: ContentAuthor,
  request: ContentRequest,
): Promise<ItemRow> {
  const { database, clock } = runtime;
  const { accountId, userId } = by.caller;
  const { call, id } = request;
  const [historyId, auditId] = [by.ids.next(), by.ids.next()];
  const seen = await find(runtime, accountId, id, historyId);
  // A repeat of this very call, whose answer was lost.
  if (seen.done) return seen.item;
  const { to } = transitionOf(call, livingItem(seen.item), userId);
  refuseStale(seen.item, request.seenVersion);
  const nowMs = clock.now();
  const { note = null, ...change } = await request.step(seen.item, nowMs);
  const transition = { historyId, call, to, userId, note, nowMs };
  const moved = await database
    .transaction(async (tx) => {
      if (!(await advanceItem(tx, seen.item, { transition, ...change }))) return false;
      const after = await readItem(tx, accountId, id);
      await writeAudit(tx, {
        id: auditId,
        accountId,
        tokenId: by.caller.tokenId,
        userId,
        action: `content.${call}`,
        subject: `content/${id}`,
        before: auditedItem(seen.item),
        ...(after !== undefined && { after: auditedItem(after.item) }),
        nowMs,
      });
      return true;
    })
    .catch((thrown: unknown) => {
      throw own(thrown, 'code') === UNIQUE_VIOLATION ? nameTaken(String(change.values.name)) : thrown;
    });
  const now = await find(runtime, accountId, id, historyId);
  if (!moved) refuseLost(call, now.item, userId);
  return now.item;
}

const UNIQUE_VIOLATION = '23505';

async function find(runtime: Runtime, accountId: string, id: string, historyId: string) {
  const found = isUuid(id) ? await readItem(runtime.database, accountId, id, historyId) : undefined;
  if (found === undefined) throw new Failure('NOT_FOUND', 'There is no content with this id.');
  return found;
}

function refuseStale(item: ItemRow, seenVersion: number | undefined): void {
  if (seenVersion === undefined || seenVersion === item.version) return;
  const message = `You saw version ${seenVersion} of "${item.name}", and version ${item.version} is current by now. Read it again before you change it.`;
  throw new Failure('CONFLICT', message, { problems: [{ pointer: '/version', message }] });
}

/** The item is in another state by now, or somebody else made the same step. */
function refuseLost(call: ContentCall, now: ItemRow, userId: string): never {
  transitionOf(call, livingItem(now), userId);
  throw new Failure(
    'CONFLICT',
    `Somebody else changed "${now.name}" at the same moment; it is ${now.status} in version ${now.version} by now. Read it again and repeat what is still needed.`,
  );
}
