/** The statement of a settlement: few texts, whatever comes together, and each of them one that both databases take. */
import { describe, expect, it } from 'vitest';
import { createIds } from '../../src/ids.ts';
import { PARKED_DUE_MS } from '../../src/storage/launches.ts';
import { settle } from '../../src/storage/settle.ts';
import { settleStatement } from '../../src/storage/settle-statement.ts';
import type { Settlement } from '../../src/storage/settlement.ts';
import { databaseKinds, openTestDatabase } from '../support/database.ts';

const kinds = await databaseKinds();
const ids = createIds({ now: Date.now });
const id = ids.next();
const of = { source: id, messageId: id };
const row = { source: id, id, accountId: id, laneId: 1, pipeline: 1, pipe: null, tries: 0, payload: null };
const wait = { ...row, dueMs: 0, messageId: id, channelVersionId: 1 };
const event = {
  ...{ ...of, id, accountId: id, channelId: 1, launchId: null, eventId: 1, type: 'send', attempt: 1 },
  ...{ timeMs: 0, externalId: null, code: null, text: null, value: null, dedupeKey: null },
};
const message = { source: id, id, launchId: null, attempt: 1, state: 40, reason: null, externalId: null };

/** What may be in a settlement or not: every subset of these is one. */
const PARTS: readonly Partial<Settlement>[] = [
  { again: [wait] },
  { again: [{ ...wait, dueMs: PARKED_DUE_MS }] },
  { waits: [wait] },
  { messages: [message] },
  { messages: [{ ...message, next: { senderId: id, laneId: 1 } }] },
  { events: [event] },
  { events: [{ ...event, dedupeKey: 'k' }] },
  { attempts: [{ ...of, id, accountId: id, number: 1, outcome: 'done', trail: '[]' }] },
  { externalIds: [{ ...of, channelId: 1, externalId: 'x', attempt: 1 }] },
  {
    parked: [
      {
        ...{ source: id, id, channelId: 1, accountId: id, senderId: null, externalId: 'x' },
        ...{ messageId: null, event: '{}' },
      },
    ],
  },
  { subscriptions: [{ ...of, status: 'unsubscribed', reason: 'x' }] },
  {
    suppressions: [
      {
        ...{ ...of, id, accountId: id, key: 'k', address: null, channelId: 1, resourceId: null },
        ...{ reason: 'x', expiresMs: null },
      },
    ],
  },
  { exhausted: [{ ...of, state: 'failed', reason: 'x' }] },
];

const NOTHING: Settlement = {
  ...{ node: 1, nowMs: Date.now(), done: [id], again: [], waits: [], messages: [], events: [] },
  ...{
    attempts: [],
    externalIds: [],
    parked: [],
    subscriptions: [],
    suppressions: [],
    exhausted: [],
    failedRequests: [],
    doneRequests: [],
  },
};

function settlements(): Settlement[] {
  return Array.from({ length: 2 ** PARTS.length }, (_, subset) => {
    const chosen = PARTS.filter((_part, place) => (subset >> place) % 2 === 1);
    return Object.assign({}, NOTHING, ...chosen, chosen.some((part) => part.again) ? { done: [] } : {});
  });
}

describe('the statement of a settlement', () => {
  const byText = new Map(settlements().map((each) => [settleStatement(each).text, each]));

  it('has few texts', () => {
    expect(byText.size).toBeLessThanOrEqual(192);
  });

  describe.each(kinds)('on the %s database', (kind) => {
    it('is one that the database takes, whichever it is', async () => {
      const { database, end } = await openTestDatabase(kind, Date.now());
      try {
        for (const each of byText.values()) {
          // Nothing is held by this node, so that nothing is written.
          expect(await settle(database, each)).toEqual({ held: [], emitted: [] });
        }
      } finally {
        await end();
      }
    });
  });
});
