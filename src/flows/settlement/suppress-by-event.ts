/** Suppressions that events bring: which of them, and what is settled for them. */
import { isSealed } from '../../access/vault.ts';
import { addressField, suppressRuleOf } from '../../channel/address.ts';
import type { ChannelDocument, SuppressRule } from '../../channel/document.ts';
import { Failure } from '../../errors.ts';
import { own } from '../../json.ts';
import type { SettledSuppression } from '../../storage/settlement.ts';
import { addressesOfMessages, type MessageAddress } from '../../storage/suppressions.ts';
import type { Runtime } from '../runtime.ts';
import { type AddressKey, type AddressKeys, readAddressKeys } from './address-keys.ts';

/** What an event does to the address of its message, whichever that will turn out to be. */
export interface SuppressBy extends SuppressRule {
  /** The address field, and whether it is secret. */
  readonly field: string;
  readonly secret: boolean;
  readonly reason: string;
}

/** A suppression of which the address is still to be looked up. */
export interface SuppressWish {
  readonly source: string;
  readonly messageId: string;
  readonly by: SuppressBy;
}

const DAY_MS = 86_400_000;

/** What the channel says about an event; undefined if it suppresses nothing. */
export function suppressBy(
  document: ChannelDocument,
  event: { readonly eventId: number | null; readonly type: string },
): SuppressBy | undefined {
  const rule = suppressRuleOf(document, event);
  const field = rule && addressField(document);
  if (rule === undefined || field === undefined) return undefined;
  const sid = document.events.find((each) => each.id === event.eventId)?.sid;
  const reason = event.type === 'custom' ? (sid ?? event.type) : event.type;
  return { ...rule, field: field.field, secret: field.secret === true, reason };
}

/**
 * Looks the addresses of messages up, as their subscriptions say now; those that go to no person have none. What cannot
 * be read for want of a key is logged and left out: it must not keep anything else from being settled.
 */
export async function suppressionsOf(
  runtime: Runtime,
  wishes: readonly SuppressWish[],
): Promise<SettledSuppression[]> {
  const { database, vault, log } = runtime;
  const rows = await addressesOfMessages(database, [...new Set(wishes.map((wish) => wish.messageId))]);
  if (rows.length === 0) return [];
  const found = new Map(rows.map((row) => [row.message_id, row]));
  const unreadable = (thrown: unknown, messages: readonly string[]) => {
    if (!(thrown instanceof Failure)) throw thrown;
    log.error({ code: thrown.code, messages }, `an address could not be suppressed: ${thrown.message}`);
    return [];
  };
  let keys: AddressKeys;
  try {
    keys = await readAddressKeys(runtime);
  } catch (thrown) {
    return unreadable(thrown, [...found.keys()]);
  }
  return wishes.flatMap((wish) => {
    const row = found.get(wish.messageId);
    if (row === undefined) return [];
    try {
      const stored = own(row.fields, wish.by.field);
      const address = keys.of(isSealed(stored) ? vault.open(stored) : stored);
      return address === undefined ? [] : suppressionOf(runtime, wish, row, address);
    } catch (thrown) {
      return unreadable(thrown, [wish.messageId]);
    }
  });
}

function suppressionOf(
  { clock, ids }: Runtime,
  { source, messageId, by }: SuppressWish,
  row: MessageAddress,
  address: AddressKey,
): SettledSuppression {
  return {
    source,
    id: ids.next(),
    accountId: row.account_id,
    key: by.secret ? address.hash : address.plain,
    address: by.secret ? null : address.address,
    channelId: row.channel_id,
    resourceId: by.scope === 'list' ? row.resource_id : null,
    reason: by.reason,
    messageId,
    expiresMs: by.days === undefined ? null : clock.now() + by.days * DAY_MS,
  };
}
