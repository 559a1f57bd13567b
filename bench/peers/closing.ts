/** What must be closed however a run ends: in reverse order, once, also on Ctrl-C. */

export interface Closing {
  /** Remembers what closes something that was just opened. Throws once it was stopped, so that nothing goes on. */
  readonly later: (close: () => Promise<void>) => void;
  /** Closes all that is open now. */
  readonly all: () => Promise<void>;
  /** Closes all that is open; what opens at this moment is closed by the next call of `all`. */
  readonly stop: () => Promise<void>;
}

export function openClosing(): Closing {
  const open: (() => Promise<void>)[] = [];
  let stopped = false;
  let closing: Promise<void> | undefined;
  const closeOpen = async () => {
    for (let close = open.pop(); close !== undefined; close = open.pop()) {
      // One that cannot be closed must not keep the others open.
      await close().catch((error: unknown) => console.error(error));
    }
    closing = undefined;
  };
  const all = () => {
    closing ??= closeOpen();
    return closing;
  };
  return {
    later: (close) => {
      open.push(close);
      if (stopped) throw new Error('Stopped.');
    },
    all,
    stop: () => {
      stopped = true;
      return all();
    },
  };
}
