/** The loop of an import: rows in batches, one write each, a tally of what became of them. */
import { asFailure, type Failure } from '../../../errors.ts';
import type { Row } from './read-rows.ts';

/** What became of one row. */
export type Written = 'created' | 'updated' | Failure;

export interface Tally {
  created: number;
  updated: number;
  failed: number;
  /** The first ones; all are counted. */
  readonly problems: { readonly line: number; readonly message: string }[];
}

const BATCH = 1_000;
const MOST_PROBLEMS = 1_000;

export function newTally(): Tally {
  return { created: 0, updated: 0, failed: 0, problems: [] };
}

/** `write` takes up to 1,000 values and says of each what became of it. Counts into `tally` as it goes. */
export async function importRows(
  source: AsyncIterable<readonly Row[]>,
  write: (values: readonly unknown[]) => Promise<readonly Written[]>,
  tally: Tally,
): Promise<void> {
  let batch: Row[] = [];
  const flush = async () => {
    const sound = batch.filter((row) => row.fault === undefined);
    const written = sound.length === 0 ? [] : await write(sound.map((row) => row.value));
    let next = 0;
    for (const row of batch) {
      const result = row.fault === undefined ? written[next++] : row.fault;
      if (result === 'created' || result === 'updated') tally[result] += 1;
      else {
        tally.failed += 1;
        if (tally.problems.length < MOST_PROBLEMS)
          tally.problems.push({ line: row.line, message: messageOf(result) });
      }
    }
    batch = [];
  };
  for await (const rows of source) {
    for (const row of rows) {
      batch.push(row);
      if (batch.length === BATCH) await flush();
    }
  }
  await flush();
}

/** Every problem of the row, in sentences. */
function messageOf(result: Failure | string | undefined): string {
  if (typeof result === 'string') return result;
  const failure = asFailure(result);
  const sentences = (failure.details.problems ?? []).map((problem) => problem.message);
  return sentences.length === 0 ? failure.message : [...new Set(sentences)].join(' ');
}
