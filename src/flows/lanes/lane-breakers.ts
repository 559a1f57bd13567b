/** The breakers of all lanes as one process sees them: counts here, states in the database, so that every node sees the same. */
import { databaseFailure } from '../../storage/database.ts';
import { closeBreaker, type LaneRow, openBreaker, probeBreaker } from '../../storage/lanes.ts';
import { logOperatorEvents } from '../log-operator-events.ts';
import type { Runtime } from '../runtime.ts';
import { beatPulse, newPulse, openForMs, type Pulse, type RunHealth } from './breaker.ts';

/** What is due in an open lane is not claimed: it needs no longer wait than that, and is there when the lane closes. */
const ASIDE_MS = 1_000;
/** A probe that gives no answer in this time is given to anyone who asks next. */
const PROBE_MS = 60_000;

/** PostgreSQL looks into the JSON of a fault, and takes neither NUL nor half a character there. */
function plainTexts(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\u0000', '\ufffd').toWellFormed() : value;
}

export interface LaneBreakers {
  /** Takes over what the database says, and asks to probe what is due. */
  readonly refresh: (rows: readonly LaneRow[]) => void;
  /** How much of a lane may be claimed: everything, one probe, or nothing. */
  readonly mayClaim: (laneId: number) => 'all' | 'one' | 'none';
  /** Counts what a run said about its lane. */
  readonly note: (laneId: number, health: RunHealth) => void;
  /** For so long a run that failed in an open lane gets out of the way; 0 where the lane is closed. */
  readonly openForMs: (laneId: number) => number;
}

interface Known {
  state: LaneRow['breaker'];
  probeAtMs: number;
  timesOpened: number;
  key: string;
  pulse: Pulse;
  /** This process probes. */
  probing: boolean;
}

/** `closed` gets the lane that may be claimed again. */
export function createLaneBreakers(runtime: Runtime, closed: (laneId: number) => void): LaneBreakers {
  const { database, clock, log } = runtime;
  const lanes = new Map<number, Known>();

  const guarded = (work: Promise<unknown>) => {
    work.catch((thrown: unknown) => {
      const failure = databaseFailure(thrown);
      log.error({ code: failure.code }, `a breaker could not be kept: ${failure.message}`);
    });
  };

  const open = async (laneId: number, known: Known, fault: RunHealth['fault']) => {
    const nowMs = clock.now();
    known.state = 'open';
    known.probing = false;
    known.timesOpened += 1;
    known.probeAtMs = nowMs + openForMs(known.timesOpened);
    known.pulse = newPulse(nowMs);
    const text = fault === undefined ? null : JSON.stringify(fault, plainTexts);
    const emitted = await openBreaker(database, laneId, nowMs, known.probeAtMs, text);
    if (emitted === undefined) return;
    logOperatorEvents(log, emitted);
    // What many accounts see says little; anyone who reads the log may know it all.
    if (emitted.every(({ account }) => account === null)) {
      const probeInMs = known.probeAtMs - nowMs;
      log.warn({ lane: known.key, probeInMs, ...fault }, 'a lane is open: what is let through fails');
    }
  };

  const close = async (laneId: number, known: Known) => {
    known.state = 'closed';
    known.probing = false;
    known.timesOpened = 0;
    known.pulse = newPulse(clock.now());
    logOperatorEvents(log, (await closeBreaker(database, laneId, clock.now())) ?? []);
    closed(laneId);
  };

  const probe = async (laneId: number, known: Known) => {
    const nowMs = clock.now();
    if (!(await probeBreaker(database, laneId, nowMs, nowMs + PROBE_MS))) return;
    known.state = 'half_open';
    known.probing = true;
    known.probeAtMs = nowMs + PROBE_MS;
    closed(laneId);
  };

  return Object.freeze<LaneBreakers>({
    refresh: (rows) => {
      const nowMs = clock.now();
      for (const row of rows) {
        let known = lanes.get(row.id);
        if (known === undefined) {
          known = {
            state: 'closed',
            probeAtMs: 0,
            timesOpened: 0,
            key: row.key,
            pulse: newPulse(nowMs),
            probing: false,
          };
          lanes.set(row.id, known);
        }
        known.state = row.breaker;
        known.timesOpened = row.times_opened;
        known.probeAtMs = row.probe_at?.getTime() ?? 0;
        if (row.breaker === 'closed') known.probing = false;
        else if (known.probeAtMs <= nowMs) guarded(probe(row.id, known));
      }
    },
    mayClaim: (laneId) => {
      const known = lanes.get(laneId);
      if (known === undefined || known.state === 'closed') return 'all';
      return known.probing ? 'one' : 'none';
    },
    note: (laneId, { health, fault }) => {
      const known = lanes.get(laneId);
      if (known === undefined) return;
      if (known.probing) {
        guarded(health === 'good' ? close(laneId, known) : open(laneId, known, fault));
      } else if (known.state === 'closed' && beatPulse(known.pulse, health, clock.now())) {
        guarded(open(laneId, known, fault));
      }
    },
    openForMs: (laneId) => ((lanes.get(laneId)?.state ?? 'closed') === 'closed' ? 0 : ASIDE_MS),
  });
}
