/** Where the time goes: for each stage of the corridor how often, for how many items, and how long in all. */
export const STAGES = ['accept', 'claim', 'run', 'settle'] as const;
export type Stage = (typeof STAGES)[number];

export interface StageTotal {
  readonly times: number;
  readonly items: number;
  readonly ms: number;
}

export interface Stages {
  readonly add: (stage: Stage, items: number, ms: number) => void;
  readonly totals: () => Readonly<Record<Stage, StageTotal>>;
}

/** Counters of one process. */
export function createStages(): Stages {
  const totals = Object.fromEntries(STAGES.map((stage) => [stage, { times: 0, items: 0, ms: 0 }])) as Record<
    Stage,
    { times: number; items: number; ms: number }
  >;
  return Object.freeze<Stages>({
    add: (stage, items, ms) => {
      const total = totals[stage];
      total.times += 1;
      total.items += items;
      total.ms += ms;
    },
    totals: () => structuredClone(totals),
  });
}
