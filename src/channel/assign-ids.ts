/** Gives ids to channels and events that name none: the same ones for the same document, whenever it is read. */
import type { ChannelKind } from './document.ts';

/** The ids that each kind of channel may have; the last one is the greatest id of all. */
export const ID_RANGES: { readonly [K in ChannelKind]: readonly [first: number, last: number] } = {
  built_in: [1, 99],
  system: [100, 9_999],
  custom: [10_000, 2_147_483_647],
};

/** Events of custom channels have ids from here on. */
export const FIRST_EVENT_ID = 100_000;

interface Identified {
  readonly id?: number;
  readonly events: readonly { readonly sid: string; readonly id?: number }[];
}

export interface Taken {
  /** Ids of all other channels, deleted ones too. */
  readonly ids?: Iterable<number>;
  /** The version before, whose ids stay. */
  readonly previous?: Identified | undefined;
}

/** The id of the channel and those of its events, in the order of the document. */
export function assignIds(
  document: Identified,
  kind: ChannelKind,
  taken: Taken = {},
): { readonly id: number; readonly eventIds: readonly number[] } {
  const { ids = [], previous } = taken;
  const [first, last] = ID_RANGES[kind];
  const inRange = [...ids].filter((id) => id >= first && id <= last);
  const id = document.id ?? previous?.id ?? greatest(inRange, first - 1) + 1;
  const before = new Map(previous?.events.map((event) => [event.sid, event.id]));
  const known = [...document.events, ...(previous?.events ?? [])].flatMap((event) => event.id ?? []);
  let next = greatest(known, FIRST_EVENT_ID - 1);
  const eventIds = document.events.map((event) => {
    const fixed = event.id ?? before.get(event.sid);
    if (fixed !== undefined) return fixed;
    next += 1;
    return next;
  });
  return { id, eventIds };
}

function greatest(numbers: readonly number[], least: number): number {
  return numbers.reduce((left, right) => Math.max(left, right), least);
}
