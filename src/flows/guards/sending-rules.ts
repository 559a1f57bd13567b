/** An account's rules of sending, as people write them, and whether they can work. */
import { Failure, type Problem } from '../../errors.ts';
import type { QuietWindow } from './quiet-hours.ts';
import { createWallClocks } from './wall-clock.ts';

export const WEEK_DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type WeekDay = (typeof WEEK_DAYS)[number];
export const ON_HIT = ['hold', 'drop'] as const;
export type OnHit = (typeof ON_HIT)[number];

export interface QuietHoursRule {
  /** The sid of a channel; left out: every channel. */
  readonly channel?: string;
  /** `22:00`; `to` may be `24:00`. */
  readonly from: string;
  readonly to: string;
  /** On which the hours begin; left out: every day. */
  readonly days?: readonly WeekDay[];
  /** The zone of those whose own is not known. */
  readonly timeZone: string;
  /** The profile field that holds the zone of a person. */
  readonly timeZoneField?: string;
  readonly onHit: OnHit;
}

export interface CapRule {
  readonly channel?: string;
  readonly category?: string;
  readonly messages: number;
  readonly perHours: number;
  readonly onHit: OnHit;
}

export interface SendingRules {
  readonly quietHours: readonly QuietHoursRule[];
  readonly caps: readonly CapRule[];
}

export const NO_RULES: SendingRules = Object.freeze({ quietHours: [], caps: [] });

const NO_TIME =
  'The quiet hours of a channel fill the whole week, so that nothing would ever be sent through it.';

/** Throws REQUEST_INVALID with every rule that cannot work; `isChannel` knows the channels of the account. */
export function checkSendingRules(rules: SendingRules, isChannel: (sid: string) => boolean): void {
  const clockOf = createWallClocks();
  const problems: Problem[] = [];
  const add = (pointer: string, message: string) => problems.push({ pointer, message });
  const channelIsKnown = (pointer: string, sid: string | undefined) => {
    if (sid !== undefined && !isChannel(sid)) add(`${pointer}/channel`, `There is no channel "${sid}".`);
  };
  rules.quietHours.forEach((rule, index) => {
    const pointer = `/quietHours/${index}`;
    channelIsKnown(pointer, rule.channel);
    if (clockOf(rule.timeZone) === undefined) {
      add(
        `${pointer}/timeZone`,
        `"${rule.timeZone}" is no time zone; use a name such as "Europe/Berlin" or "UTC".`,
      );
    }
    if (rule.from === rule.to) {
      add(
        `${pointer}/to`,
        'The hours end when they begin. For whole days write "00:00" to "24:00" and name the days.',
      );
    }
  });
  for (const [index, rule] of rules.caps.entries()) channelIsKnown(`/caps/${index}`, rule.channel);
  if (problems.length === 0) {
    const channels = new Set([undefined, ...rules.quietHours.map((rule) => rule.channel)]);
    const heard = (channel: string | undefined) =>
      rules.quietHours.filter((rule) => rule.channel === undefined || rule.channel === channel);
    if ([...channels].some((channel) => leavesNoTime(heard(channel)))) add('/quietHours', NO_TIME);
  }
  const [first] = problems;
  if (first !== undefined) throw new Failure('REQUEST_INVALID', first.message, { problems });
}

/** Whether every minute of a week is in one of the windows. */
function leavesNoTime(rules: readonly QuietHoursRule[]): boolean {
  const windows = rules.map(windowOf);
  for (let minute = 0; minute < 7 * 1_440; minute += 1) {
    if (!windows.some((window) => coversMinute(window, minute))) return false;
  }
  return true;
}

/** `minute` counts from Sunday midnight. */
function coversMinute({ from, to, days }: QuietWindow, minute: number): boolean {
  const length = to > from ? to - from : to + 1_440 - from;
  return [...days].some((day) => (minute - day * 1_440 - from + 2 * 7 * 1_440) % (7 * 1_440) < length);
}

/** The window of a rule that was checked. */
export function windowOf({ from, to, days }: QuietHoursRule): QuietWindow {
  const minutes = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
  const all = days ?? WEEK_DAYS;
  return { from: minutes(from), to: minutes(to), days: new Set(all.map((day) => WEEK_DAYS.indexOf(day))) };
}
