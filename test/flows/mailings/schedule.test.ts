/** Times of schedules: with an offset, or as a clock on the wall shows them. */
import { describe, expect, it } from 'vitest';
import { createScheduler, startMsOf, stopMsOf } from '../../../src/flows/mailings/schedule.ts';
import { failureOf } from '../../support/failure-of.ts';

const momentsOf = createScheduler();
const startOf = (startAt: string, timeZone?: string) =>
  momentsOf({ startAt, ...(timeZone !== undefined && { timeZone }) }).startAtUtc;
const refusal = (schedule: Parameters<typeof momentsOf>[0]) => failureOf(() => momentsOf(schedule));

describe('a time with an offset', () => {
  it('is that moment, whatever zone stands beside it', () => {
    expect(startOf('2026-12-01T09:00:00+01:00')).toBe('2026-12-01T08:00:00.000Z');
    expect(startOf('2026-12-01T09:00:00.25Z')).toBe('2026-12-01T09:00:00.250Z');
    expect(startOf('2026-12-01T09:00-05:30')).toBe('2026-12-01T14:30:00.000Z');
    expect(startOf('2026-12-01T09:00:00+01:00', 'America/New_York')).toBe('2026-12-01T08:00:00.000Z');
  });
});

describe('a time without one', () => {
  it('is what the clock shows there, in summer and in winter', () => {
    expect(startOf('2026-12-01T09:00:00', 'Europe/Berlin')).toBe('2026-12-01T08:00:00.000Z');
    expect(startOf('2026-07-01T09:00', 'Europe/Berlin')).toBe('2026-07-01T07:00:00.000Z');
    expect(startOf('2026-07-01T09:00:00', 'Asia/Kathmandu')).toBe('2026-07-01T03:15:00.000Z');
    expect(startOf('2026-12-31T23:30:00', 'Pacific/Kiritimati')).toBe('2026-12-31T09:30:00.000Z');
  });

  it('that the clock skips is meant as if it had not been put forward', () => {
    // 29 March 2026, 02:00 becomes 03:00.
    expect(startOf('2026-03-29T01:59:59', 'Europe/Berlin')).toBe('2026-03-29T00:59:59.000Z');
    expect(startOf('2026-03-29T02:30:00', 'Europe/Berlin')).toBe('2026-03-29T01:30:00.000Z');
    expect(startOf('2026-03-29T03:00:00', 'Europe/Berlin')).toBe('2026-03-29T01:00:00.000Z');
    // A zone that goes by half an hour.
    expect(startOf('2026-10-04T02:15:00', 'Australia/Lord_Howe')).toBe('2026-10-03T15:45:00.000Z');
  });

  it('that the clock shows twice is the first of the two', () => {
    // 25 October 2026, 03:00 becomes 02:00.
    expect(startOf('2026-10-25T02:30:00', 'Europe/Berlin')).toBe('2026-10-25T00:30:00.000Z');
    expect(startOf('2026-10-25T03:00:00', 'Europe/Berlin')).toBe('2026-10-25T02:00:00.000Z');
    expect(startOf('2026-11-01T01:30:00', 'America/New_York')).toBe('2026-11-01T05:30:00.000Z');
  });

  it('needs its zone, and one that there is', async () => {
    expect((await refusal({ startAt: '2026-12-01T09:00:00' })).details.problems?.[0]).toMatchObject({
      pointer: '/schedule/startAt',
      message: expect.stringContaining('timeZone'),
    });
    const { details } = await refusal({ startAt: '2026-12-01T09:00:00', timeZone: 'Europe/Berlim' });
    const { problems } = details;
    expect(problems?.[0]?.pointer).toBe('/schedule/timeZone');
  });
});

describe('a schedule', () => {
  it('keeps what was written beside the moments', () => {
    const given = {
      startAt: '2026-12-01T09:00:00',
      stopAt: '2026-12-01T18:00:00Z',
      timeZone: 'Europe/Berlin',
    };
    const kept = momentsOf(given);
    expect(kept).toEqual({
      ...given,
      startAtUtc: '2026-12-01T08:00:00.000Z',
      stopAtUtc: '2026-12-01T18:00:00.000Z',
    });
    expect(startMsOf(kept)).toBe(Date.UTC(2026, 11, 1, 8));
    expect(stopMsOf(kept)).toBe(Date.UTC(2026, 11, 1, 18));
    expect(startMsOf(null)).toBeUndefined();
    // What was kept before there were zones.
    expect(startMsOf({ startAt: '2026-12-01T09:00:00Z' })).toBe(Date.UTC(2026, 11, 1, 9));
  });

  it('that stops before it starts is refused, compared as moments', async () => {
    const schedule = { startAt: '2026-12-01T09:00:00+01:00', stopAt: '2026-12-01T08:00:00Z' };
    expect((await refusal(schedule)).details.problems?.[0]?.pointer).toBe('/schedule/stopAt');
    expect(momentsOf({ ...schedule, stopAt: '2026-12-01T08:00:01Z' }).stopAtUtc).toBeDefined();
  });

  it.each([
    'tomorrow',
    '2026-02-30T09:00:00Z',
    '2026-12-01T24:00:00Z',
    '2026-12-01T09:60:00Z',
    '2026-12-01',
    '2026-12-01T09:00:00+01',
    '2026-12-01T09:00:00+99:00',
    ' 2026-12-01T09:00:00Z',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59-10:00',
  ])('with the time "%s" is refused', async (startAt) => {
    expect((await refusal({ startAt })).code).toBe('REQUEST_INVALID');
  });
});
