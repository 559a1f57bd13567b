/** The verdict of a moderation on its way to the mailing: an event that waits like all others. */
import type { Ids } from '../../ids.ts';
import { encodeValue } from '../../json.ts';
import { PIPELINE_CODES } from '../../storage/claim.ts';
import type { SettledWait } from '../../storage/settlement.ts';

/** The moderated message, and the waiting row that the verdict comes from. */
export interface ModeratedMessage
  extends Pick<SettledWait, 'source' | 'accountId' | 'laneId' | 'messageId' | 'channelVersionId'> {
  readonly nowMs: number;
}

/** `text` says why it did not pass; secrets are masked in it. */
export function moderatedWait(
  { nowMs, ...message }: ModeratedMessage,
  ids: Ids,
  passed: boolean,
  text: string | null,
): SettledWait {
  return {
    ...message,
    id: ids.next(),
    dueMs: nowMs,
    pipeline: PIPELINE_CODES.moderated,
    pipe: null,
    tries: 0,
    payload: encodeValue({ messageId: message.messageId, passed, text }),
  };
}
