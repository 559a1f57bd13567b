/** Rules: event pipes register what the channel declares (channel format, sections 3.1 and 6.2). */
import { own, pointerTo } from '../../json.ts';
import { didYouMean, listed, nearName } from '../../near.ts';
import { CONTROL_EVENT_TYPES } from '../../pipes/event-types.ts';
import type { Analysis } from '../analysis.ts';
import type { Draft, EventUse } from '../draft.ts';
import type { PipeUse } from '../read-pipeline.ts';
import type { Report } from '../report.ts';
import type { Rule } from './context.ts';

export const checkEvents: Rule = (draft, report, { analyses }) => {
  for (const analysis of analyses) {
    // An operation has no events at all, which is reported as such.
    if (analysis.pipeline.role === 'operation') continue;
    for (const pipe of analysis.graph.pipes) {
      if (pipe.pipe?.type !== 'event' || !pipe.sound) continue;
      checkDeclared(pipe, analysis, draft, report);
      checkMessage(pipe, analysis, report);
    }
  }
};

/** True where no declared event could be read wrongly, so that a missing one is really missing. */
function allRead({ written, events }: Draft): boolean {
  return (
    written.events === undefined || (Array.isArray(written.events) && written.events.length === events.length)
  );
}

function checkDeclared(pipe: PipeUse, { pipeline }: Analysis, draft: Draft, report: Report): void {
  const { sid, event_type: type, channel_id: channel, action_type: action } = pipe.params;
  const at = (name: string) => ({
    source: pipeline.source,
    pointer: pointerTo(`${pipe.pointer}/params`, name),
  });
  if (CONTROL_EVENT_TYPES.some((each) => each === type)) return;
  const { id } = draft.document;
  if (channel !== undefined && channel !== id && !draft.idAssigned) {
    const message = `The id of this channel is ${id}, not ${String(channel)}; name the event by its "sid" instead of three numbers.`;
    report.add('event-mismatch', at('channel_id'), message);
  }
  if (!allRead(draft)) return;
  const sids = draft.events.map(({ event }) => event.sid);
  let found: EventUse | undefined;
  if (sid !== undefined) {
    found = draft.events.find(({ event }) => event.sid === sid);
    if (found === undefined) {
      const near = nearName(String(sid), sids);
      const message = `The channel declares no event "${String(sid)}".${didYouMean(near) || ` It declares: ${listed(sids)}.`}`;
      report.add('event-undeclared', at('sid'), message, near);
      return;
    }
    if (action !== undefined && action !== found.event.id) {
      const message = `The event "${String(sid)}" has the id ${found.event.id}, not ${String(action)}; "sid" alone is enough.`;
      report.add('event-mismatch', at('action_type'), message);
    }
  } else if (action !== undefined) {
    found = draft.events.find(({ event }) => event.id === action);
    if (found === undefined) {
      const ids = draft.events.map(({ event }) => `${event.id} (${event.sid})`);
      report.add(
        'event-undeclared',
        at('action_type'),
        `The channel declares no event with the id ${String(action)}; it declares: ${ids.join(', ') || 'none'}.`,
      );
      return;
    }
  }
  if (found !== undefined && type !== undefined && type !== found.event.type) {
    const message = `The event "${found.event.sid}" is declared with the type "${found.event.type}", not "${String(type)}".`;
    report.add('event-mismatch', at('event_type'), message);
  }
}

function checkMessage(pipe: PipeUse, { pipeline, carried, names }: Analysis, report: Report): void {
  const state = carried(pipe);
  if (state === undefined || (state.may & names.of(['$message'])) !== 0n) return;
  const event = own(pipe.params, 'event');
  if (own(event, 'send_message_id') !== undefined || own(event, 'external_id') !== undefined) return;
  const place = { source: pipeline.source, pointer: `${pipe.pointer}/params` };
  const message =
    'No message is known here, so the event must name one: give "send_message_id" or "external_id" in "event".';
  report.add('event-without-message', place, message);
}
