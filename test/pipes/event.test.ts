import { describe, expect, test } from 'vitest';
import { eventTimeMs, readEventTime, timeNote } from '../../src/flows/run/event-time.ts';
import { event } from '../../src/pipes/event.ts';
import { dueTime } from '../../src/pipes/moment.ts';
import { failureOf } from '../support/failure-of.ts';
import { runExample } from '../support/run-example.ts';

const NOW = Date.UTC(2026, 5, 1);

const play = (params: Readonly<Record<string, unknown>>, scope = {}) =>
  runExample('event', { name: '', params, scope, expect: { exit: 'success' } });

test('empty texts count as not given', async () => {
  const played = await play(
    {
      sid: 'sent',
      event: { send_message_id: '', external_id: '', code: '', message: '', time: '', dedupe_key: '' },
    },
    { message: { id: 'm-1' } },
  );
  expect(played.outcome.events).toEqual([
    { sid: 'sent', sendMessageId: 'm-1', type: 'custom', eventId: undefined },
  ]);
});

const other = '01890a5d-ac96-774b-bcce-b302099a8057';

test('a message named by the author goes before the message of the run', async () => {
  const played = await play({ sid: 'sent', event: { send_message_id: other } }, { message: { id: 'm-1' } });
  expect(played.outcome.events).toMatchObject([{ sendMessageId: other }]);
});

test.each([
  ['x'.repeat(1_000), true],
  ['x'.repeat(1_001), false],
  ['ä'.repeat(500), true],
  ['ä'.repeat(501), false],
])('an external id of at most 1,000 bytes is kept', async (externalId, fits) => {
  const played = await play({ sid: 'sent', event: { external_id: externalId } }, { message: { id: 'm-1' } });
  expect(played.outcome.failure?.code).toBe(fits ? undefined : 'PROVIDER_ID_TOO_LONG');
  expect(played.outcome.failure?.blame).toBe(fits ? undefined : 'provider');
});

describe('what check finds', () => {
  test.each([
    [{ sid: 'sent' }, []],
    [{ event_type: 'send', channel_id: 1, action_type: 2 }, []],
    [{ event_type: 'send', channel_id: 1 }, ['']],
    [{ event_type: 'send' }, ['', '']],
    [{ event: {} }, ['']],
    [{ event_type: 'stop' }, []],
    [{ event_type: 'moderate_pass', channel_id: 1, action_type: 2 }, ['/channel_id', '/action_type']],
  ])('%j', (params, pointers) => {
    expect((event.check?.(params) ?? []).map((problem) => problem.pointer)).toEqual(pointers);
  });
});

describe('times', () => {
  test.each([
    ['2026-03-01T12:00:00Z', '2026-03-01T12:00:00.000Z'],
    ['2026-03-01T12:00:00.5+03:00', '2026-03-01T09:00:00.500Z'],
    ['2026-03-01 12:00:00+0300', '2026-03-01T09:00:00.000Z'],
    ['2026-03-01T12:00', '2026-03-01T12:00:00.000Z'],
    ['2026-03-01', '2026-03-01T00:00:00.000Z'],
  ])('%s is due at %s', (written, due) => {
    expect(dueTime(written, 'at')).toBe(due);
    expect(readEventTime(written, NOW)).toBe(Date.parse(due));
  });

  test.each([
    ['1767225600', 1_767_225_600_000],
    ['1767225600.25', 1_767_225_600_250],
    ['1767225600123', 1_767_225_600_123],
    ['1767225600123456', 1_767_225_600_123],
    ['1767225600123456789', 1_767_225_600_123],
    ['20260101', Date.UTC(2026, 0, 1)],
    ['20260101120000', Date.UTC(2026, 0, 1, 12)],
    ['Thu, 01 Jan 2026 12:00:00 GMT', Date.UTC(2026, 0, 1, 12)],
    ['Thu, 1 Jan 2026 12:00:00 +0200', Date.UTC(2026, 0, 1, 10)],
    ['1 Jan 2026 12:00 UTC', Date.UTC(2026, 0, 1, 12)],
    ['2026-01-01 12:00:00 UTC', Date.UTC(2026, 0, 1, 12)],
    ['2026-01-01T12:00:00+00', Date.UTC(2026, 0, 1, 12)],
    ['2026-01-01 12:00:00 +0000', Date.UTC(2026, 0, 1, 12)],
    ['2026-01-01T12:00:00,5-0130', Date.UTC(2026, 0, 1, 13, 30, 0, 500)],
  ])('%s is read as a time of an event', (written, ms) => {
    expect(readEventTime(written, NOW)).toBe(ms);
  });

  test.each(['tomorrow', '03/01/2026', '2026-13-01', '2026-03-01T25:00:00Z', '', '0', '12', '2999-01-01'])(
    '%j is the time at which the event came, and noted',
    (written) => {
      expect(readEventTime(written, NOW)).toBeUndefined();
      expect(eventTimeMs(written, NOW)).toBe(NOW);
      expect(timeNote(written, NOW)).toBe(
        written === ''
          ? undefined
          : `The time ${JSON.stringify(written)} could not be read, so this is the time at which the event came.`,
      );
    },
  );

  test.each(['20260301', 'tomorrow', '03/01/2026', '2026-13-01', '2026-03-01T25:00:00Z', ''])(
    '%j is no time that something is due',
    async (written) => {
      expect((await failureOf(() => dueTime(written, 'at'))).code).toBe('PIPE_PARAMS');
    },
  );
});
