/** Counts runs and faults, for the one line at the end. */
export interface Tally {
  readonly run: () => void;
  readonly fault: (kind: string, times?: number) => void;
  /** For example `faults: 2 runs, 7 faults (close 3, hang 4), books equal to the provider's log`. */
  readonly line: () => string;
}

/** A tally that begins at nothing. */
export function createTally(): Tally {
  const kinds = new Map<string, number>();
  let runs = 0;
  return {
    run: () => {
      runs += 1;
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
      return `faults: ${count(runs, 'run')}, ${count(all, 'fault')} (${byKind}), books equal to the provider's log`;
    },
  };
}

const count = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`;
