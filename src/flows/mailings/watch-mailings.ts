/**
 * Watching mailings: anyone who watches is told how a mailing goes, at once and then each second in which something has
 * changed. All watchers of a mailing in this process share one query each second; without watchers nothing is asked.
 */
import { databaseFailure } from '../../storage/database.ts';
import type { Runtime } from '../runtime.ts';
import { type MailingProgress, progressOf } from './progress.ts';

/** `end` is the last one, and says that nothing goes on; `closed` that this process tells no more. */
export type WatchEvent =
  | { readonly type: 'progress' | 'end'; readonly progress: MailingProgress }
  | { readonly type: 'closed' };

export interface MailingWatch {
  /** Tells about a mailing until its `end`; gives a function that ends it before. */
  readonly watch: (mailingId: string, tell: (event: WatchEvent) => void) => () => void;
  /** How many mailings are watched now. */
  readonly watched: () => number;
  /** Tells everyone `closed`, and nothing after it. */
  readonly close: () => void;
}

const EVERY_MS = 1_000;

interface Watched {
  /** What each watcher was told last. */
  readonly watchers: Map<(event: WatchEvent) => void, string>;
  /** Not older than the time between two queries. */
  last: MailingProgress | undefined;
  timer: NodeJS.Timeout | undefined;
  asking: boolean;
}

export function createMailingWatch(runtime: Runtime): MailingWatch {
  const mailings = new Map<string, Watched>();
  let closed = false;

  const leave = (mailingId: string, watched: Watched, tell: (event: WatchEvent) => void) => {
    watched.watchers.delete(tell);
    if (watched.watchers.size > 0 || mailings.get(mailingId) !== watched) return;
    clearTimeout(watched.timer);
    mailings.delete(mailingId);
  };

  const tellAll = (mailingId: string, watched: Watched, progress: MailingProgress) => {
    watched.last = progress;
    const text = JSON.stringify(progress);
    for (const [tell, before] of [...watched.watchers]) {
      if (progress.ended) {
        leave(mailingId, watched, tell);
        tell({ type: 'end', progress });
      } else if (text !== before) {
        watched.watchers.set(tell, text);
        tell({ type: 'progress', progress });
      }
    }
  };

  const ask = async (mailingId: string, watched: Watched) => {
    clearTimeout(watched.timer);
    if (watched.asking) return;
    watched.asking = true;
    const startedMs = performance.now();
    try {
      const progress = await progressOf(runtime, mailingId);
      if (progress !== undefined && mailings.get(mailingId) === watched)
        tellAll(mailingId, watched, progress);
    } catch (thrown) {
      const failure = databaseFailure(thrown);
      runtime.log.error({ mailing: mailingId, code: failure.code }, `watching failed: ${failure.message}`);
    }
    watched.asking = false;
    if (mailings.get(mailingId) !== watched) return;
    // Slow answers are asked for less often.
    const restMs = Math.max(EVERY_MS, (performance.now() - startedMs) * 10);
    watched.timer = setTimeout(() => void ask(mailingId, watched), restMs);
  };

  return Object.freeze<MailingWatch>({
    watch: (mailingId, tell) => {
      if (closed) {
        tell({ type: 'closed' });
        return () => {};
      }
      const known = mailings.get(mailingId);
      const watched: Watched = known ?? {
        watchers: new Map(),
        last: undefined,
        timer: undefined,
        asking: false,
      };
      watched.watchers.set(tell, watched.last === undefined ? '' : JSON.stringify(watched.last));
      if (known === undefined) {
        mailings.set(mailingId, watched);
        void ask(mailingId, watched);
      }
      if (watched.last !== undefined) tell({ type: 'progress', progress: watched.last });
      return () => leave(mailingId, watched, tell);
    },
    watched: () => mailings.size,
    close: () => {
      closed = true;
      for (const [mailingId, watched] of [...mailings]) {
        for (const tell of [...watched.watchers.keys()]) {
          leave(mailingId, watched, tell);
          tell({ type: 'closed' });
        }
      }
    },
  });
}
