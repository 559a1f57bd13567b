/** What run.ts and a peer's process say to each other: an opening first, then questions; each is answered by a number. */
import type { Settings } from './queue.ts';

export interface Opening {
  readonly library: 'graphile-worker' | 'pg-boss' | 'bullmq' | 'bare';
  /** A database of PostgreSQL or an address of Redis, empty. */
  readonly storeUrl: string;
  readonly providerUrl: string;
  /** Connections to the provider, so many requests at a time. */
  readonly requests: number;
  readonly settings: Settings;
  /** Where an event row per job is written; undefined where none is. */
  readonly eventsUrl: string | undefined;
  /** The database in which people are looked up, and how many there are; undefined where jobs carry all values. */
  readonly people: { readonly url: string; readonly count: number } | undefined;
}

export type Question =
  | { readonly ask: 'enqueue'; readonly from: number; readonly to: number }
  | { readonly ask: 'start' | 'pause' | 'unfinished' | 'completed' | 'events' | 'close' };
