/** What the demo's counts must come to, from the provider's table alone. */
import type { Behaviour } from './behaviour.ts';

export interface Expected {
  readonly events: Readonly<Record<string, number>>;
  readonly states: Readonly<Record<string, number>>;
  /** Requests that the provider gets. */
  readonly requests: number;
  /** Events in all, each counted once per message. */
  readonly reports: number;
}

/** Counts for people with these behaviours. */
export function expectedCounts(people: readonly Behaviour[]): Expected {
  const count = (holds: (behaviour: Behaviour) => boolean) => people.filter(holds).length;
  const clicked = count((each) => each.clicks);
  const events = {
    accepted: count((each) => each.send !== 'reject'),
    rejected: count((each) => each.send === 'reject'),
    delivered: count((each) => each.report === 'delivered'),
    undelivered: count((each) => each.report === 'undelivered'),
    no_such_number: count((each) => each.report === 'no_such_number'),
    clicked,
  };
  return {
    events,
    states: {
      delivered: events.delivered - clicked,
      clicked,
      undelivered: events.rejected + events.undelivered,
      hard_bounced: events.no_such_number,
    },
    requests: people.length + count((each) => each.send === 'busy_once'),
    reports: Object.values(events).reduce((sum, each) => sum + each, 0),
  };
}
