/** Progress of something that takes its time: one line that is rewritten on a terminal, otherwise a line now and then. */
import type { Writable } from 'node:stream';
import type { Clock } from '../time.ts';

export interface Progress {
  /** Says how it is now; most of what is said in between is left out. */
  readonly show: (line: string) => void;
  /** Says something that stays. */
  readonly say: (line: string) => void;
  /** Ends the rewritten line. */
  readonly end: () => void;
}

const TERMINAL_MS = 100;
const LINES_MS = 5_000;
const WIDTH = 80;

/** Silent where the command answers in JSON. */
export function createProgress(stdout: Writable, clock: Clock, silent: boolean): Progress {
  const terminal = 'isTTY' in stdout && stdout.isTTY === true;
  const width = 'columns' in stdout && typeof stdout.columns === 'number' ? stdout.columns : WIDTH;
  let shownMs = Number.NEGATIVE_INFINITY;
  let open = false;
  const end = () => {
    if (open) stdout.write('\r\x1b[K');
    open = false;
  };
  if (silent) return { show: () => {}, say: () => {}, end: () => {} };
  return {
    show: (line) => {
      const nowMs = clock.now();
      if (nowMs - shownMs < (terminal ? TERMINAL_MS : LINES_MS)) return;
      shownMs = nowMs;
      open = terminal;
      stdout.write(terminal ? `\r\x1b[K${line.slice(0, width - 1)}` : `${line}\n`);
    },
    say: (line) => {
      end();
      stdout.write(`${line}\n`);
    },
    end,
  };
}
