/** A message as lists, exports and its own page show it. */
import { MESSAGE_CLASSES } from '../flows/directory/message-request.ts';
import type { MessageRow } from '../storage/messages.ts';
import { STATE_CODES, stateName } from '../storage/states.ts';
import { objectSchema, sid, time, uuid } from './schemas.ts';

export const STATES = Object.keys(STATE_CODES);

export const shownMessage = objectSchema({
  id: uuid,
  state: { enum: STATES },
  reason: { type: ['string', 'null'] },
  channel: sid,
  sender: { type: ['string', 'null'] },
  mailing: { type: ['string', 'null'] },
  profile: { type: ['string', 'null'] },
  externalId: { type: ['string', 'null'] },
  attempt: { type: 'integer' },
  class: { enum: [...MESSAGE_CLASSES] },
  contentItemId: { type: ['string', 'null'] },
  contentVersion: { type: ['integer', 'null'] },
  updatedAt: time,
});

export const CSV_COLUMNS = Object.keys(shownMessage.properties ?? {});

export function showMessage(row: MessageRow) {
  const kept = stateName(row.state);
  return {
    id: row.id,
    state: row.owned && (kept === 'accepted' || kept === 'queued') ? 'sending' : kept,
    reason: row.reason,
    channel: row.channel,
    sender: row.sender,
    mailing: row.mailing_id,
    profile: row.profile,
    externalId: row.external_id,
    attempt: row.attempt,
    class: row.class,
    contentItemId: row.content_item_id,
    contentVersion: row.content_version,
    updatedAt: row.updated_at,
  };
}
