/** Processor time of processes, from /proc (Linux); elsewhere nothing is told. */
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks are hundredths of a second on Linux. */
const MS_PER_TICK = 10;

/** Milliseconds that a process has computed, or undefined if the system does not tell. */
export function processorMs(pid: number | undefined): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  } catch {
    return undefined;
  }
}

/** Milliseconds that all processes of a name have computed, those that ended in the meantime left out. */
export function processorMsOfName(name: string): number {
  let sum = 0;
  try {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === name) sum += processorMs(Number(pid)) ?? 0;
      } catch {
        // It ended while we looked.
      }
    }
  } catch {
    return 0;
  }
  return sum;
}
