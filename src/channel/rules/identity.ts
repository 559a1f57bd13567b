/** Rules: sids and ids are unique, in their range, and never change (channel format, sections 3 and 3.1). */
import { pointerTo } from '../../json.ts';
import { FIRST_EVENT_ID, ID_RANGES } from '../assign-ids.ts';
import type { Draft } from '../draft.ts';
import type { Place, Report } from '../report.ts';
import type { Rule, RuleContext } from './context.ts';

export const checkIdentity: Rule = (draft, report, context) => {
  checkChannelIds(draft, report, context);
  checkEventIds(draft, report);
  if (context.previous !== undefined) checkUnchanged(draft, report, context.previous);
};

function checkChannelIds(draft: Draft, report: Report, { others, previous, folder }: RuleContext): void {
  const { sid, id, kind } = draft.document;
  const at = (name: string): Place => ({ source: draft.source, pointer: `/${name}` });
  if (folder !== undefined && sid !== '' && sid !== folder) {
    report.add(
      'folder-name',
      at('sid'),
      `The folder is "${folder}", but the channel in it is "${sid}"; both must be the same.`,
    );
  }
  if (sid !== '' && others.some((other) => other.sid === sid)) {
    report.add('sid-taken', at('sid'), `Another channel has the sid "${sid}"; choose another one.`);
  }
  if (draft.idAssigned) {
    if (kind !== 'custom' && previous === undefined) {
      report.add(
        'id-missing',
        at('id'),
        `A ${kind.replace('_', '-')} channel names its "id", because it must be the same everywhere.`,
      );
    }
    return;
  }
  const other = others.find((each) => each.id === id);
  if (other !== undefined) {
    report.add(
      'id-taken',
      at('id'),
      `The channel "${other.sid}" has the id ${id}; take another one, or leave "id" out.`,
    );
  }
  const [first, last] = ID_RANGES[kind];
  if (id < first || id > last) {
    const message = `The id of a ${kind.replace('_', '-')} channel is from ${first} to ${last}, but this one is ${id}.`;
    report.add('id-range', at('id'), message);
  }
}

function checkEventIds(draft: Draft, report: Report): void {
  const { kind } = draft.document;
  const sids = new Map<string, string>();
  const ids = new Map<number, string>();
  for (const { event, pointer, assigned } of draft.events) {
    const at = (name: string): Place => ({ source: draft.source, pointer: pointerTo(pointer, name) });
    if (sids.has(event.sid)) {
      report.add(
        'event-sid-twice',
        at('sid'),
        `Two events have the sid "${event.sid}"; give one of them another.`,
      );
    }
    sids.set(event.sid, pointer);
    const same = ids.get(event.id);
    if (same !== undefined) {
      report.add(
        'event-id-twice',
        at('id'),
        `The events "${same}" and "${event.sid}" have the same id ${event.id}.`,
      );
    }
    ids.set(event.id, event.sid);
    if (assigned && kind !== 'custom') {
      report.add('id-missing', at('id'), `An event of a ${kind.replace('_', '-')} channel names its "id".`);
    }
    if (!assigned && kind === 'custom' && event.id < FIRST_EVENT_ID) {
      const message = `Event ids of custom channels start at ${FIRST_EVENT_ID}, but "${event.sid}" has ${event.id}; leave "id" out to have one assigned.`;
      report.add('event-id-range', at('id'), message);
    }
  }
}

function checkUnchanged(draft: Draft, report: Report, previous: NonNullable<RuleContext['previous']>): void {
  const { sid, id } = draft.document;
  const place = (pointer: string): Place => ({ source: draft.source, pointer });
  if (sid !== previous.sid) {
    report.add(
      'sid-changed',
      place('/sid'),
      `The sid never changes: it is "${previous.sid}", not "${sid}". Create another channel instead.`,
    );
  }
  if (id !== previous.id) {
    report.add('id-changed', place('/id'), `The id never changes: it is ${previous.id}, not ${id}.`);
  }
  const now = new Map(draft.events.map(({ event }) => [event.sid, event.id]));
  const byId = new Map(previous.events.map((event) => [event.id, event.sid]));
  for (const { event, pointer } of draft.events) {
    const before = byId.get(event.id);
    if (before !== undefined && before !== event.sid) {
      const message = `The id ${event.id} belongs to the event "${before}" for good; give "${event.sid}" another one, or leave "id" out.`;
      report.add('event-id-changed', place(pointerTo(pointer, 'id')), message);
    }
  }
  for (const event of previous.events) {
    const current = now.get(event.sid);
    const reused = draft.events.some((each) => each.event.id === event.id);
    if (current === undefined && reused) continue;
    if (current === undefined) {
      const message = `The event "${event.sid}" is gone; what was counted for it stays, but without its name and colour.`;
      report.add('event-removed', place('/events'), message);
    } else if (current !== event.id && byId.get(current) === undefined) {
      const index = draft.events.findIndex((each) => each.event.sid === event.sid);
      const pointer = pointerTo(draft.events[index]?.pointer ?? '', 'id');
      report.add(
        'event-id-changed',
        place(pointer),
        `The id of the event "${event.sid}" never changes: it is ${event.id}, not ${current}.`,
      );
    }
  }
}
