/** An account's rules of sending, compiled for the corridor: pure functions of a message and a moment. */
import { own } from '../../json.ts';
import { quietUntil } from './quiet-hours.ts';
import { type CapRule, type OnHit, type SendingRules, windowOf } from './sending-rules.ts';
import type { WallClock } from './wall-clock.ts';

/** Who or what a message is, as rules look at it. */
export interface LookupResult {
  readonly channel: string;
  readonly category: string;
  readonly profile: Readonly<Record<string, unknown>> | null;
}

/** What a rule says to a message. */
export interface Verdict {
  readonly onHit: OnHit;
  readonly untilMs: number;
  /** Which rule it was, in words. */
  readonly rule: string;
}

export interface CompiledRules {
  /** The first rule of quiet hours that blocks sending now. */
  readonly quiet: (message: LookupResult, nowMs: number) => Verdict | undefined;
  /** Places of the caps that apply to a message. */
  readonly capsOf: (message: LookupResult) => readonly number[];
  readonly caps: readonly CapRule[];
}

/** Compiles checked rules. A zone that does not exist, in a profile, is the rule's own. */
export function compileSendingRules(
  rules: SendingRules,
  clockOf: (zone: string) => WallClock | undefined,
): CompiledRules {
  const quiet = rules.quietHours.map((rule, index) => ({ rule, index, window: windowOf(rule) }));
  return Object.freeze<CompiledRules>({
    quiet: ({ channel, profile }, nowMs) => {
      for (const { rule, index, window } of quiet) {
        if (rule.channel !== undefined && rule.channel !== channel) continue;
        const named = rule.timeZoneField === undefined ? undefined : own(profile, rule.timeZoneField);
        const zone = typeof named === 'string' && clockOf(named) !== undefined ? named : rule.timeZone;
        const clock = clockOf(zone);
        const untilMs = clock && quietUntil(window, clock, nowMs);
        if (untilMs === undefined) continue;
        const words = `quietHours/${index}: ${rule.from} to ${rule.to} in ${zone}`;
        return { onHit: rule.onHit, untilMs, rule: words };
      }
      return undefined;
    },
    capsOf: ({ channel, category }) =>
      rules.caps.flatMap((cap, index) =>
        (cap.channel === undefined || cap.channel === channel) &&
        (cap.category === undefined || cap.category === category)
          ? [index]
          : [],
      ),
    caps: rules.caps,
  });
}

/** A cap in words, with its place among the rules. */
export function capWords({ channel, category, messages, perHours }: CapRule, index: number): string {
  const of = [
    category !== undefined && ` of category ${category}`,
    channel !== undefined && ` in channel ${channel}`,
  ];
  return `caps/${index}: ${messages} messages${of.filter(Boolean).join('')} in ${perHours} hours`;
}
