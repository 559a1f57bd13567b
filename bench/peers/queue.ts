/** What a peer's queue must do to be measured: the files in queues/ say it in each peer's own words. */
import type { Given, Message } from './message.ts';

export interface Queue {
  /** Adds one batch of jobs by the peer's own way for many; durable when it resolves. */
  readonly enqueue: (jobs: readonly Job[]) => Promise<void>;
  /** Begins to work; resolves when the peer says it works. */
  readonly start: () => Promise<void>;
  /** Ends working, so that jobs can be added and stay; `start` begins again. */
  readonly pause: () => Promise<void>;
  /** Jobs in the store that are not completed. */
  readonly unfinished: () => Promise<number>;
  /** Jobs that the peer says are completed. */
  readonly completed: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** What a peer is opened with: numbers and switches of its row in contestants.ts. */
export type Settings = Readonly<Record<string, number | boolean>>;

/** What a job carries: all values of its message, or only its own, where the person is looked up. */
export type Job = Given | Message;

/** Handles one job; resolves when its outcome is recorded. */
export type Handle = (job: Job) => Promise<void>;

export type OpenQueue = (storeUrl: string, settings: Settings, handle: Handle) => Promise<Queue>;

/** How many jobs or messages are added at a time, and how many such batches at once: the same for everyone. */
export const ENQUEUE_BATCH = 500;
export const ENQUEUE_AT_ONCE = 4;
