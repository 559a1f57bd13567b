import { describe, expect, test } from 'vitest';
import { event } from '../../src/pipes/event.ts';
import { dueTime, eventTime } from '../../src/pipes/moment.ts';
import { failureOf } from '../support/failure-of.ts';
import { runExample } from '../support/run-example.ts';

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
    expect(eventTime(written, 'at')).toBe(due);
  });

  test.each(['1767225600', '1767225600.25', '1767225600123'])('%s is epoch time of an event', (written) => {
    expect(eventTime(written, 'time')).toBe(written);
  });

  test.each([
    '20260301',
    '20260301120000',
    'tomorrow',
    '03/01/2026',
    '2026-13-01',
    '2026-03-01T25:00:00Z',
    '',
  ])('%j is no time', async (written) => {
    const failure = await failureOf(() => eventTime(written, 'event.time'));
    expect(failure.code).toBe('PIPE_PARAMS');
    expect(failure.message).toContain('"event.time"');
    expect((await failureOf(() => dueTime(written, 'at'))).code).toBe('PIPE_PARAMS');
  });
});
