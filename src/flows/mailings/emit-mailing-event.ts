/** Operator events of mailings. */
import type { Sql } from '../../storage/database.ts';
import type { MailingRow } from '../../storage/mailings.ts';
import { type OperatorEvent, writeOperatorEvent } from '../../storage/operator-events.ts';
import type { OperatorEventName } from '../operator-event-types.ts';

/** Tells operators of a mailing, in the transaction of what happened to it. */
export function emitMailingEvent(
  tx: Sql,
  type: OperatorEventName,
  mailing: MailingRow,
  more: object,
  nowMs: number,
): Promise<OperatorEvent[]> {
  const { id, name, channel, sender } = mailing;
  const data = { mailing: id, name, channel, sender, ...more };
  return writeOperatorEvent(tx, { accountId: mailing.account_id, type, data }, nowMs);
}
