/**
 * Takes from customers what a content source no longer has. The item becomes a draft with a note and is not archived,
 * because what was only unpublished there may come back; its versions and its history stay.
 */
import { transitionOf } from '../../content/lifecycle.ts';
import { Failure } from '../../errors.ts';
import { writeAudit } from '../../storage/audit.ts';
import { findSourced, type ItemRow } from '../../storage/content.ts';
import { advanceItem } from '../../storage/content-writes.ts';
import type { Runtime } from '../runtime.ts';
import { auditedItem, livingItem, UNREVIEWED } from './item.ts';

const NOTE =
  'The source no longer has this entry: it was deleted or unpublished there, so it is not delivered any more. Archive it, or publish it again as your own.';

/**
 * Withdraws the item of an entry. `none`: there is no item to withdraw, or it is withdrawn already. Throws WRONG_STATE in
 * review, and CONFLICT if somebody changed it at the same moment.
 */
export async function withdrawFromSource(
  runtime: Runtime,
  place: { readonly accountId: string; readonly sourceId: string; readonly externalId: string },
): Promise<'withdrawn' | 'none'> {
  const { database, clock, ids } = runtime;
  const { accountId, sourceId, externalId } = place;
  const known = await findSourced(database, accountId, sourceId, externalId);
  if (known === undefined || known.status === 'archived' || known.synced_version === null) return 'none';
  const call = 'sync_withdraw';
  const { to } = transitionOf(call, livingItem(known), null);
  const [historyId, auditId, nowMs] = [ids.next(), ids.next(), clock.now()];
  const values = { ...UNREVIEWED, published_version: null, synced_version: null, conflict: NOTE };
  const transition = { historyId, call, to, userId: null, note: NOTE, nowMs };
  const after: ItemRow = { ...known, ...values, status: to };
  await database.transaction(async (tx) => {
    if (!(await advanceItem(tx, known, { transition, values }))) {
      throw new Failure(
        'CONFLICT',
        `Somebody changed "${known.name}" at the same moment. The next sync takes it away.`,
      );
    }
    await writeAudit(tx, {
      id: auditId,
      accountId,
      tokenId: null,
      action: `content.${call}`,
      subject: `content/${known.id}`,
      before: auditedItem(known),
      after: auditedItem(after),
      nowMs,
    });
  });
  return 'withdrawn';
}
