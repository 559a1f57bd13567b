/** Which subscription field is a channel's address, and which of its events put that address on the suppression list. */
import { type ChannelDocument, type Field, fieldsOf, type SuppressRule } from './document.ts';

/** The field that `address` names, or the first required one, or the first; undefined for indirect channels. */
export function addressField(document: Pick<ChannelDocument, 'address' | 'fields'>): Field | undefined {
  const fields = fieldsOf(document.fields.subscription);
  if (document.address !== undefined) return fields.find((field) => field.field === document.address);
  return fields.find((field) => field.required === true) ?? fields[0];
}

/** Where a document says nothing: hard bounces end the address in its channel, complaints end the list. */
export const USUAL_SUPPRESSION: Readonly<Record<string, SuppressRule | undefined>> = Object.freeze({
  hbounce: { scope: 'global' },
  complain: { scope: 'list' },
});

/** What an event does to the address of its message: the rule of its sid, or else of its type. */
export function suppressRuleOf(
  document: ChannelDocument,
  event: { readonly eventId: number | null; readonly type: string },
): SuppressRule | undefined {
  const { suppress } = document;
  if (suppress === undefined) return USUAL_SUPPRESSION[event.type];
  const sid = document.events.find((each) => each.id === event.eventId)?.sid;
  if (sid !== undefined && Object.hasOwn(suppress, sid)) return suppress[sid];
  return Object.hasOwn(suppress, event.type) ? suppress[event.type] : undefined;
}
