/** The printed result: a row for each contestant, medians over the rounds with the least and the most. */
import { OURS } from './contestants.ts';
import type { Figures } from './measure.ts';
import type { Settings } from './queue.ts';

const HEADINGS = ['', 'enqueued/s', 'done/s', 'ours is', 'CPU s: process', 'store'];

/** The rows in the order in which they were measured; `ours is` is how many times as much per second ours does. */
export function printTable(rounds: ReadonlyMap<string, readonly Figures[]>): string {
  const ours = rounds.get(OURS);
  const oursDone = ours === undefined ? undefined : median(ours.map((each) => each.donePerSecond));
  const rows = [...rounds].map(([name, figures]) => {
    const done = figures.map((each) => each.donePerSecond);
    return [
      name,
      spread(figures.map((each) => each.enqueuedPerSecond)),
      spread(done),
      oursDone === undefined || name === OURS ? '' : `${(oursDone / median(done)).toFixed(2)} ×`,
      median(figures.map((each) => each.processSeconds)).toFixed(2),
      median(figures.map((each) => each.storeSeconds)).toFixed(2),
    ];
  });
  const table = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  return table
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

/** Settings as people read them. */
export function printSettings(settings: Settings): string {
  return Object.entries(settings)
    .filter(([, value]) => value !== false)
    .map(([name, value]) => (value === true ? name : `${name} ${value}`))
    .join(', ');
}

/** A rate as people read it. */
export function rate(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function spread(values: readonly number[]): string {
  return `${rate(median(values))} (${rate(Math.min(...values))}–${rate(Math.max(...values))})`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
}
