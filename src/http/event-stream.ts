/** Server-sent events: a stream that stays open, tells what happens, and holds nothing once it is closed. */
import type { ApiAnswer } from './route.ts';

export const EVENT_STREAM_TYPE = 'text/event-stream';

/** Proxies cut connections on which nothing comes. */
const KEEP_ALIVE_MS = 15_000;

export interface EventSink {
  /** Sends an event. Of those that the reader has not taken yet, only the last one is kept. */
  readonly send: (name: string, value: unknown) => void;
  /** Ends the stream after what was sent. */
  readonly end: () => void;
}

/** An answer that is told by `subscribe`, which gives a function that is called when the stream is over, however it ends. */
export function eventStream(subscribe: (sink: EventSink) => () => void): ApiAnswer {
  const encoder = new TextEncoder();
  let pending: string | undefined;
  let ending = false;
  let over = false;
  let unsubscribe: (() => void) | undefined;
  let keepAlive: NodeJS.Timeout | undefined;

  const finish = () => {
    over = true;
    clearInterval(keepAlive);
    unsubscribe?.();
  };
  const flush = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    if (over || (controller.desiredSize ?? 0) <= 0) return;
    const text = pending;
    // Enqueuing may ask for more before it returns.
    pending = undefined;
    if (text !== undefined) controller.enqueue(encoder.encode(text));
    if (!ending || over) return;
    finish();
    controller.close();
  };

  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      keepAlive = setInterval(() => {
        pending ??= ': still here\n\n';
        flush(controller);
      }, KEEP_ALIVE_MS);
      unsubscribe = subscribe({
        send: (name, value) => {
          pending = `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`;
          flush(controller);
        },
        end: () => {
          ending = true;
          flush(controller);
        },
      });
      // It may have ended while it subscribed.
      if (over) unsubscribe();
    },
    pull: flush,
    cancel: finish,
  });
  return {
    status: 200,
    contentType: EVENT_STREAM_TYPE,
    headers: { 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
    body,
  };
}
