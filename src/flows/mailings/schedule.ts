/**
 * When a mailing starts and stops. A time is written with its offset (`2026-12-01T09:00:00+01:00`), or as local time
 * (`2026-12-01T09:00:00`) together with a time zone. Which moment that is is decided when the mailing is saved. A time that the clock skips is taken as if it had not been put forward (02:30 becomes 03:30); of a time that
 * it shows twice the first is meant. RFC 5545 reads such times in the same way.
 */
import type { MailingSchedule } from '../../storage/mailings.ts';
import { isKeepable, isoTime } from '../../time.ts';
import { refused } from '../directory/find-channel.ts';
import { createWallClocks, type WallClock } from '../guards/wall-clock.ts';

const DAY_MS = 86_400_000;
const TIME =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?(?:(Z)|([+-])(\d\d):(\d\d))?$/i;

/** Returns a function that finds out which moments a schedule means; it throws REQUEST_INVALID with the member. */
export function createScheduler(): (schedule: MailingSchedule) => MailingSchedule {
  const clockOf = createWallClocks();
  return (schedule) => {
    const { startAt, stopAt, timeZone } = schedule;
    const clock = timeZone === undefined ? undefined : clockOf(timeZone);
    if (timeZone !== undefined && clock === undefined) {
      throw refused(
        '/schedule/timeZone',
        `"${timeZone}" is no time zone; use a name such as "Europe/Berlin" or "UTC".`,
      );
    }
    const startMs = startAt === undefined ? undefined : keepable('startAt', startAt, clock);
    const stopMs = stopAt === undefined ? undefined : keepable('stopAt', stopAt, clock);
    if (startMs !== undefined && stopMs !== undefined && stopMs <= startMs) {
      throw refused(
        '/schedule/stopAt',
        `stopAt (${isoTime(stopMs)}) is not after startAt (${isoTime(startMs)}), so that nothing would be sent.`,
      );
    }
    return {
      ...schedule,
      ...(startMs !== undefined && { startAtUtc: isoTime(startMs) }),
      ...(stopMs !== undefined && { stopAtUtc: isoTime(stopMs) }),
    };
  };
}

/** Milliseconds at which a mailing starts; undefined: when it is told to. */
export function startMsOf(schedule: MailingSchedule | null): number | undefined {
  return momentIn(schedule?.startAtUtc ?? schedule?.startAt);
}

/** Milliseconds at which a mailing stops by itself; undefined: never. */
export function stopMsOf(schedule: MailingSchedule | null): number | undefined {
  return momentIn(schedule?.stopAtUtc ?? schedule?.stopAt);
}

function momentIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}

/** The moment that a time means, where the database can keep it. */
function keepable(name: 'startAt' | 'stopAt', text: string, clock: WallClock | undefined): number {
  const ms = momentOf(name, text, clock);
  if (isKeepable(ms)) return ms;
  throw refused(`/schedule/${name}`, `"${text}" is not between the years 1900 and 9999.`);
}

function momentOf(name: 'startAt' | 'stopAt', text: string, clock: WallClock | undefined): number {
  const wrong = (message: string) => refused(`/schedule/${name}`, message);
  const match = TIME.exec(text);
  const wallMs = match === null ? undefined : wallOf(match);
  if (match === null || wallMs === undefined) {
    throw wrong(`${name} is a date and time such as 2026-12-01T09:00:00+01:00; "${text}" is not one.`);
  }
  const [zulu, sign, hours, minutes] = match.slice(8);
  if (zulu !== undefined) return wallMs;
  if (sign !== undefined) {
    const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000;
    if (Number(minutes) > 59 || offsetMs > DAY_MS) throw wrong(`"${text}" has an offset that no place has.`);
    return sign === '-' ? wallMs + offsetMs : wallMs - offsetMs;
  }
  if (clock === undefined) {
    throw wrong(
      `${name} has no offset; add one ("${text}+01:00"), or say the "timeZone" beside it ("Europe/Berlin").`,
    );
  }
  return clock.momentOf(wallMs);
}

/** The time as it is written, in milliseconds as if it were UTC; undefined if there is no such day or hour. */
function wallOf(match: RegExpExecArray): number | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((each) => Number(each ?? 0));
  const ms = Number((match[7] ?? '').padEnd(3, '0'));
  const at = new Date(Date.UTC(year, month - 1, day, hour, minute, second, ms));
  // Years below 100 would be taken for those of the last century.
  if (year < 100) at.setUTCFullYear(year, month - 1, day);
  const same = at.getUTCMonth() === month - 1 && at.getUTCDate() === day && at.getUTCHours() === hour;
  return same && minute < 60 && second < 60 ? at.getTime() : undefined;
}
