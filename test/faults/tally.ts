/** Counts runs and faults, for the one line at the end. */
export interface Tally {
  /** A run has ended; whether its books are those of the provider, where no test of it says that they are not. */
  readonly run: (equal?: boolean) => void;
  /** For `afterEach`: what fails is said by the run that ends next. */
  readonly saw: (context: {
    readonly task: { readonly result?: { readonly state: string } | undefined };
  }) => void;
  readonly fault: (kind: string, times?: number) => void;
  /** For example `faults: 2 runs, 7 faults (close 3, hang 4), books equal to the provider's log`. */
  readonly line: () => string;
}

/** A tally that begins at nothing. */
export function createTally(): Tally {
  const kinds = new Map<string, number>();
  let runs = 0;
  let different = 0;
  let failed = false;
  return {
    run: (equal = true) => {
      runs += 1;
      if (!equal || failed) different += 1;
      failed = false;
    },
    saw: ({ task }) => {
      if (task.result?.state === 'fail') failed = true;
    },
    fault: (kind, times = 1) => {
      if (times > 0) kinds.set(kind, (kinds.get(kind) ?? 0) + times);
    },
    line: () => {
      const all = [...kinds.values()].reduce((sum, each) => sum + each, 0);
      const byKind = [...kinds]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([kind, times]) => `${kind} ${times}`)
        .join(', ');
      const books = different === 0 ? 'books equal to' : `${different} with books that differ from`;
      return `faults: ${count(runs, 'run')}, ${count(all, 'fault')} (${byKind}), ${books} the provider's log`;
    },
  };
}

const count = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`;
