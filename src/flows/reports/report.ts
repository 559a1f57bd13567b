/**
 * Reports: what happened in a channel or a mailing, event by event over time, under the channel's own names and colours.
 * Every declared event is there, also with nothing to count; what a channel no longer declares keeps only its number.
 */
import type { ChannelDocument, ChannelEvent } from '../../channel/document.ts';
import {
  countEvents,
  countMessages,
  countSkipped,
  type EventCount,
  type ReportScope,
  type Step,
} from '../../storage/reports.ts';
import { stateName } from '../../storage/states.ts';
import { isoTime } from '../../time.ts';
import { refused } from '../directory/find-channel.ts';
import type { Runtime } from '../runtime.ts';

const STEP_MS = { hour: 3_600_000, day: 86_400_000 } as const satisfies Record<Step, number>;
/** More points than this are no picture. */
const MOST_STEPS = 1_000;

export interface ReportStep {
  /** Where the step begins, ISO 8601, UTC. */
  readonly time: string;
  /** Messages whose first occurrence of the event is in this step. */
  readonly count: number;
  /** All occurrences. */
  readonly total: number;
}

export interface EventReport {
  readonly sid: string;
  readonly name: string;
  readonly type: string;
  readonly color: string | null;
  readonly count: number;
  readonly total: number;
  readonly series: readonly ReportStep[];
}

export interface Report {
  readonly from: string;
  readonly to: string;
  readonly step: Step;
  /** Messages by state. */
  readonly messages: Readonly<Record<string, number>>;
  /** Suppressed messages by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly events: readonly EventReport[];
}

/** The step that shows a range well. */
export function stepOf(fromMs: number, toMs: number): Step {
  return toMs - fromMs <= 3 * STEP_MS.day ? 'hour' : 'day';
}

/** Counts a scope. Throws REQUEST_INVALID for a range that is empty or has too many steps. */
export async function makeReport(
  runtime: Runtime,
  document: ChannelDocument,
  scope: ReportScope,
  step: Step,
): Promise<Report> {
  const { fromMs, toMs } = scope;
  const steps = stepsOf(fromMs, toMs, step);
  const [events, messages, skipped] = await Promise.all([
    countEvents(runtime.database, scope, step),
    countMessages(runtime.database, scope),
    countSkipped(runtime.database, scope),
  ]);
  return {
    from: isoTime(fromMs),
    to: isoTime(toMs),
    step,
    messages: Object.fromEntries(messages.map(({ state, count }) => [stateName(state), count])),
    skipped: Object.fromEntries(skipped.map(({ reason, count }) => [reason, count])),
    events: [
      ...document.events.map((event) =>
        eventReport(
          event,
          events.filter((each) => each.event_id === event.id),
          steps,
        ),
      ),
      ...undeclared(document.events, events).map(({ event, counts }) => eventReport(event, counts, steps)),
    ],
  };
}

function stepsOf(fromMs: number, toMs: number, step: Step): readonly number[] {
  const wide = STEP_MS[step];
  const first = Math.floor(fromMs / wide) * wide;
  const count = Math.ceil((toMs - first) / wide);
  if (toMs <= fromMs) throw refused('/query/to', '"to" must be later than "from".');
  if (count > MOST_STEPS) {
    throw refused(
      '/query/step',
      `The range has ${count} steps, and at most ${MOST_STEPS} are shown; use a shorter range${step === 'hour' ? ', or step=day' : ''}.`,
    );
  }
  return Array.from({ length: count }, (_, index) => first + index * wide);
}

type Named = Omit<ChannelEvent, 'id' | 'type' | 'color'> & {
  readonly type: string;
  readonly color: string | null;
};

function eventReport(event: Named, counts: readonly EventCount[], steps: readonly number[]): EventReport {
  const byStep = new Map(counts.map((each) => [each.at, each]));
  const sum = (of: (each: EventCount) => number) => counts.reduce((all, each) => all + of(each), 0);
  return {
    sid: event.sid,
    name: event.name,
    type: event.type,
    color: event.color,
    count: sum((each) => each.count),
    total: sum((each) => each.total),
    series: steps.map((at) => {
      const found = byStep.get(at);
      return { time: isoTime(at), count: found?.count ?? 0, total: found?.total ?? 0 };
    }),
  };
}

/** Events that drive moderation and stopping, and those that an older version declared. */
function undeclared(
  declared: readonly ChannelEvent[],
  counts: readonly EventCount[],
): { event: Named; counts: EventCount[] }[] {
  const known = new Set<number | null>(declared.map((event) => event.id));
  const others = new Map<string, EventCount[]>();
  for (const each of counts.filter(({ event_id: id }) => !known.has(id))) {
    const sid = each.event_id === null ? each.type : String(each.event_id);
    others.set(sid, [...(others.get(sid) ?? []), each]);
  }
  return [...others].map(([sid, each]) => ({
    event: { sid, name: sid, type: each[0]?.type ?? 'custom', color: null },
    counts: each,
  }));
}
