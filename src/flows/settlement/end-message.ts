/** What is settled for a row that was not run, or could not be. */
import type { Ids } from '../../ids.ts';
import { type ClaimedRow, PIPELINE_CODES } from '../../storage/claim.ts';
import { type MessageState, STATE_CODES } from '../../storage/states.ts';
import type { Effects } from './effects.ts';
import { type ModeratedMessage, moderatedWait } from './moderated.ts';

/** What was sent stays sent, whatever becomes of a later run: sending it again would be the greater harm. */
export function wasSent({ state = null }: { readonly state?: number | null }): boolean {
  return state !== null && state >= STATE_CODES.sent && state < STATE_CODES.expired;
}

/** The message of a moderation, as its run's row knows it. */
export function moderatedBy(
  row: Pick<ClaimedRow, 'id' | 'account_id' | 'lane_id' | 'message_id' | 'channel_version_id'>,
  nowMs: number,
): ModeratedMessage {
  return {
    source: row.id,
    accountId: row.account_id,
    laneId: row.lane_id,
    messageId: row.message_id,
    channelVersionId: row.channel_version_id,
    nowMs,
  };
}

/** Ends a message without a run, or after one that could not be made; with `text`, the reason is kept as an attempt. */
export function endMessage(
  row: ClaimedRow,
  state: MessageState,
  reason: string,
  text?: string,
  ids?: Ids,
): Effects {
  const messageId = row.message_id ?? row.id;
  const attempt = row.attempt ?? 1;
  const keeps = state === 'failed' && wasSent(row);
  const kept = text === undefined || ids === undefined ? undefined : { text, ids };
  return {
    done: [row.id],
    ...(row.pipeline === PIPELINE_CODES.moderate &&
      kept !== undefined && {
        waits: [moderatedWait(moderatedBy(row, row.due), kept.ids, false, kept.text)],
      }),
    ...(!keeps && {
      messages: [
        {
          source: row.id,
          id: messageId,
          launchId: row.launch_id,
          attempt,
          state: STATE_CODES[state],
          reason,
          externalId: null,
        },
      ],
    }),
    ...(kept !== undefined && {
      attempts: [
        {
          source: row.id,
          id: kept.ids.next(),
          accountId: row.account_id ?? '',
          messageId,
          number: attempt,
          senderId: row.sender_id,
          outcome: state,
          trail: JSON.stringify([{ error: { code: reason, message: kept.text } }]),
        },
      ],
    }),
  };
}

/** When a row is due again: never at the very time at which it was due, by which settling tells its own work. */
export function dueAgain(row: Pick<ClaimedRow, 'due'>, dueMs: number): number {
  return dueMs === row.due ? dueMs + 1 : dueMs;
}

/** Puts a row back as it was, due at another time. */
export function requeue(row: ClaimedRow, dueMs: number, tries = row.tries): Effects {
  return {
    again: [
      {
        source: row.id,
        id: row.id,
        accountId: row.account_id,
        laneId: row.lane_id,
        dueMs: dueAgain(row, dueMs),
        pipeline: row.pipeline,
        pipe: row.pipe,
        tries,
        messageId: row.message_id,
        channelVersionId: row.channel_version_id,
        payload: row.payload,
      },
    ],
  };
}
