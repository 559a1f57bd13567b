/** Operator events as lines of the log, with the fields that webhooks and the list have. */
import { own } from '../../json.ts';
import type { ToldEvent } from '../../storage/operator-events.ts';
import type { Log } from '../ground.ts';
import { OPERATOR_EVENTS, type OperatorEventType } from './types.ts';

/** Writes one line for each event. */
export function logTold(log: Log, told: readonly ToldEvent[]): void {
  for (const { id, account, type, data } of told) {
    const known = own(OPERATOR_EVENTS, type) as OperatorEventType | undefined;
    log[known?.level ?? 'info']({ event: type, id, account, ...data }, known?.summary ?? type);
  }
}
