/**
 * Requests of providers that were refused: counted in memory by channel and reason, and written together from time to
 * time, so that strangers who knock cost no statement each. What is kept of a request is bounded, and nothing is kept
 * for channels that do not exist.
 */

import { databaseFailure } from '../../storage/database.ts';
import type { RefusedSample } from '../../storage/json-columns.ts';
import { addRefusals, REFUSED_SAMPLES, type Refusals } from '../../storage/listener-requests.ts';
import { isoTime } from '../../time.ts';
import type { RequestIn } from '../listener/request-in.ts';
import type { Runtime } from '../runtime.ts';

const HEADER_CHARACTERS = 200;
/** Only these headers are kept: a refused request was not verified, and any other may hold a secret of its sender. */
const HEADERS_KEPT = ['content-type', 'content-length', 'content-encoding', 'user-agent', 'date'] as const;

export interface RefusalCounts {
  /** Counts a refused request of a known channel. */
  readonly add: (channelId: number, reason: string, request: RequestIn) => void;
  /** Writes what was counted since the last time, and stops writing by itself. Never throws. */
  readonly stop: () => Promise<void>;
}

/** How long counts wait to be written together, in milliseconds. */
const GATHER_MS = 1_000;

/** Creates the counts of one process. */
export function createRefusals({ database, clock, log }: Runtime): RefusalCounts {
  let counts = new Map<string, Refusals & { count: number; samples: RefusedSample[] }>();
  let timer: NodeJS.Timeout | undefined;

  const write = async () => {
    timer = undefined;
    if (counts.size === 0) return;
    const written = [...counts.values()];
    counts = new Map();
    try {
      await addRefusals(database, written, clock.now());
    } catch (thrown) {
      const { code, message } = databaseFailure(thrown);
      log.error({ code }, `refused requests could not be counted: ${message}`);
    }
  };

  return Object.freeze<RefusalCounts>({
    add: (channelId, reason, request) => {
      const key = `${channelId}/${reason}`;
      const known = counts.get(key) ?? { channelId, reason, count: 0, samples: [] };
      counts.set(key, known);
      known.count += 1;
      known.samples.push(sampleOf(request, clock.now()));
      if (known.samples.length > REFUSED_SAMPLES) known.samples.shift();
      timer ??= setTimeout(write, GATHER_MS);
    },
    stop: async () => {
      clearTimeout(timer);
      await write();
    },
  });
}

function sampleOf({ method, path, headers, body }: RequestIn, nowMs: number): RefusedSample {
  const shown = HEADERS_KEPT.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value.slice(0, HEADER_CHARACTERS)] as const];
  });
  return {
    at: isoTime(nowMs),
    method,
    path: path.slice(0, HEADER_CHARACTERS),
    headers: Object.fromEntries(shown),
    bytes: body.length,
  };
}
