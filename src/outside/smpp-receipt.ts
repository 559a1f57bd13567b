/** Delivery receipts: what an SMS centre tells about a text it took (SMPP 3.4, appendix B and 5.3.2.35). */
import { isObject } from '../json.ts';
import type { EmittedEvent } from '../pipes/contract.ts';

/** The fields of a `deliver_sm`. */
type Delivered = Readonly<Record<string, unknown>>;

export interface Receipt {
  /** The id under which the SMS centre took the text. */
  readonly id: string;
  readonly state: string;
  /** Undefined for states on the way: nothing is decided yet. */
  readonly event: EmittedEvent | undefined;
}

const STATES: ReadonlyMap<number, string> = new Map([
  [1, 'ENROUTE'],
  [2, 'DELIVRD'],
  [3, 'EXPIRED'],
  [4, 'DELETED'],
  [5, 'UNDELIV'],
  [6, 'ACCEPTD'],
  [7, 'UNKNOWN'],
  [8, 'REJECTD'],
]);
const EVENTS: Readonly<Record<string, string>> = {
  DELIVRD: 'delivered',
  EXPIRED: 'undelivered',
  DELETED: 'undelivered',
  UNDELIV: 'undelivered',
  REJECTD: 'undelivered',
};

/** The receipt in a `deliver_sm`; undefined for what is none, such as a text that a person sent. */
export function readReceipt(pdu: Delivered): Receipt | undefined {
  const text = textIn(pdu.short_message) || textIn(pdu.message_payload);
  const id = withoutEnd(pdu.receipted_message_id) || (/\bid:\s*(?<id>\S+)/i.exec(text)?.groups?.id ?? '');
  const written = /\bstat:\s*(?<state>[A-Z]{5,7})/i.exec(text)?.groups?.state?.toUpperCase();
  const state =
    (typeof pdu.message_state === 'number' ? STATES.get(pdu.message_state) : undefined) ?? written;
  if (id === '' || state === undefined) return undefined;
  const error = /\berr:\s*(?<error>\w{1,16})/i.exec(text)?.groups?.error;
  const sid = Object.hasOwn(EVENTS, state) ? EVENTS[state] : undefined;
  const failed = sid !== undefined && sid !== 'delivered';
  const code = error === undefined || /^0*$/.test(error) ? state : `${state}_${error}`;
  return {
    id,
    state,
    event: sid === undefined ? undefined : { sid, externalId: id, ...(failed && { code }) },
  };
}

function textIn(value: unknown): string {
  const inner = isObject(value) ? value.message : value;
  if (typeof inner === 'string') return inner;
  return inner instanceof Uint8Array ? Buffer.from(inner).toString('latin1') : '';
}

/** Some SMS centres count the final zero byte as part of the id. */
function withoutEnd(value: unknown): string {
  return typeof value === 'string' ? value.replace(/\0+$/, '').trim() : '';
}
