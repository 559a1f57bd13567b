/** Operator events of mailings. */
import type { Sql } from '../../storage/database.ts';
import type { MailingRow } from '../../storage/mailings.ts';
import { type ToldEvent, writeOperatorEvent } from '../../storage/operator-events.ts';
import type { OperatorEventName } from '../operator-events/types.ts';

/** Tells operators of a mailing, in the transaction of what happened to it. */
export function tellMailing(
  tx: Sql,
  type: OperatorEventName,
  mailing: MailingRow,
  more: object,
  nowMs: number,
): Promise<ToldEvent[]> {
  const { id, name, channel, sender } = mailing;
  const data = { mailing: id, name, channel, sender, ...more };
  return writeOperatorEvent(tx, { accountId: mailing.account_id, type, data }, nowMs);
}
