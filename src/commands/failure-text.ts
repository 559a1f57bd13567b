/** A failure as a command tells it: its sentence, and every problem that the sentence does not name. */
import type { Failure } from '../errors.ts';

export function failureText({ message, details }: Failure): string {
  const more = (details.problems ?? []).filter((problem) => !message.includes(problem.message));
  return [message, ...more.map((problem) => `  ${problem.pointer || '/'}: ${problem.message}`)].join('\n');
}
