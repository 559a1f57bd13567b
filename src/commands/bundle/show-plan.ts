/** A plan in lines for people, and as JSON. */
import type { JsonObject } from '../../json.ts';
import type { Difference } from '../../testing/compare.ts';
import type { Step } from './step.ts';

const MOST_LINES = 12;
const LONGEST = 60;
const MARKS = { create: '+', change: '~', keep: '=' } as const;

/** `~ sender acme/main` and its differences below it. */
export function planText(steps: readonly Step[]): string {
  const lines = steps.flatMap(({ kind, name, change, differences }) => [
    `${MARKS[change]} ${kind} ${name}`,
    ...(change === 'change' && differences.length === 0 ? ['    (only the order of members)'] : []),
    ...differences.slice(0, MOST_LINES).map((each) => `    ${differenceText(each)}`),
    ...(differences.length > MOST_LINES ? [`    and ${differences.length - MOST_LINES} more`] : []),
  ]);
  const { created, changed, unchanged } = countSteps(steps);
  return [...lines, `${created} to create, ${changed} to change, ${unchanged} unchanged`, ''].join('\n');
}

export function countSteps(steps: readonly Step[]) {
  const count = (change: Step['change']) => steps.filter((step) => step.change === change).length;
  return { created: count('create'), changed: count('change'), unchanged: count('keep') };
}

/** For programs; what is not there is left out. */
export function planJson(steps: readonly Step[]): JsonObject {
  return {
    ...countSteps(steps),
    members: steps.map(({ kind, name, change, differences }) => ({
      kind,
      name,
      change: { create: 'created', change: 'changed', keep: 'unchanged' }[change],
      differences: differences.map(({ pointer, expected, actual }) => ({
        pointer,
        ...(expected !== undefined && { to: JSON.parse(JSON.stringify(expected)) }),
        ...(actual !== undefined && { from: JSON.parse(JSON.stringify(actual)) }),
      })),
    })),
  };
}

function differenceText({ pointer, expected, actual }: Difference): string {
  if (actual === undefined) return `+ ${pointer}: ${short(expected)}`;
  if (expected === undefined) return `- ${pointer}: ${short(actual)}`;
  return `~ ${pointer}: ${short(actual)} → ${short(expected)}`;
}

function short(value: unknown): string {
  const text = typeof value === 'string' && value.startsWith('(') ? value : JSON.stringify(value);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}
