/** A bell for one sleeper: ringing wakes it, and is remembered if it is awake. */
export interface Bell {
  readonly ring: () => void;
  /** Resolves when the bell rings, at once if it rang since the last sleep, or after `ms` milliseconds. */
  readonly sleep: (ms: number) => Promise<void>;
}

export function createBell(): Bell {
  let wake: () => void = () => {};
  let rung = false;
  return Object.freeze<Bell>({
    ring: () => {
      rung = true;
      wake();
    },
    sleep: (ms) =>
      new Promise<void>((resolve) => {
        if (rung) {
          rung = false;
          resolve();
          return;
        }
        const timer = setTimeout(done, ms);
        wake = done;
        function done() {
          clearTimeout(timer);
          wake = () => {};
          rung = false;
          resolve();
        }
      }),
  });
}
