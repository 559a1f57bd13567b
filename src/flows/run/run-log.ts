/** The lines of log pipes on their way into the log of the process, beside the trail that keeps them with their run. */
import type { RunOutcome } from '../../engine/run-outcome.ts';
import type { Redact } from '../redact.ts';
import type { Log } from '../runtime.ts';

/** Writes the lines of a run, secrets masked. */
export function writeRunLog(
  log: Log,
  outcome: RunOutcome,
  redact: Redact,
  of: { readonly channel: string; readonly message: string | null },
): void {
  for (const { level, prefix, message, pipe } of outcome.logs) {
    // A method of the log, called as one: the library's own need their `this`.
    log[level === 'trace' ? 'debug' : level]({ ...of, pipe }, redact(`${prefix} ${message}`));
  }
}
