/** Operator events as lines of the log, with the fields that webhooks and the list have. */
import { own } from '../json.ts';
import type { OperatorEvent } from '../storage/operator-events.ts';
import { OPERATOR_EVENTS, type OperatorEventType } from './operator-event-types.ts';
import type { Log } from './runtime.ts';

/** Writes one line for each event. */
export function logOperatorEvents(log: Log, emitted: readonly OperatorEvent[]): void {
  for (const { id, account, type, data } of emitted) {
    const known = own(OPERATOR_EVENTS, type) as OperatorEventType | undefined;
    log[known?.level ?? 'info']({ event: type, id, account, ...data }, known?.summary ?? type);
  }
}
