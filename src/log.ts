/** The log: one JSON line per unit of work, on standard error. */
import { pino } from 'pino';
import type { Log } from './flows/runtime.ts';

/** A log of a level; `cause` members are written with their stack, for the log only. */
export function createLog(level: string): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { cause: pino.stdSerializers.err },
    },
    pino.destination({ fd: 2, sync: false }),
  );
}
