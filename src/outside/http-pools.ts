/**
 * Pools of connections: one per lane and origin, so that a hung provider holds only the connections of its own lane.
 * A pool nobody used for a while is closed; beyond `maxPools` the one unused longest goes at once, unless all are busy.
 */
import { buildConnector, Pool } from 'undici';
import type { AddressGuard } from './address-guard.ts';
import type { Target } from './http-target.ts';

export interface PoolOptions {
  readonly guard: AddressGuard;
  /** Connections to one host in one lane, where the request does not say. */
  readonly defaultConnections: number;
  readonly connectTimeoutMs: number;
  /** How long a pool may be unused. */
  readonly idleMs: number;
  readonly maxPools: number;
  /** PEM certificates to trust instead of the system's. */
  readonly trustedCertificates?: readonly string[];
}

export interface Lease {
  readonly pool: Pool;
  /** Requests in flight. */
  users: number;
  /** Set while unused: the round of the sweep in which it became so. */
  idleSince: number;
}

export interface Pools {
  /** The pool for this lane and origin; give it back with `release`. Throws ADDRESS_FORBIDDEN. */
  readonly take: (laneKey: string, target: Target, poolSize: number | undefined) => Lease;
  readonly release: (lease: Lease) => void;
  readonly count: () => number;
  /** Ends all connections now. */
  readonly close: () => Promise<void>;
}

/** Opens no connection before one is needed. */
export function createPools(options: PoolOptions): Pools {
  const { guard, defaultConnections, idleMs, maxPools } = options;
  const pools = new Map<string, Lease>();
  let round = 0;
  let sweeper: NodeJS.Timeout | undefined;

  const drop = (key: string, lease: Lease): void => {
    pools.delete(key);
    lease.pool.destroy().catch(() => {});
  };

  /** Pools unused since the round before last go. */
  const sweep = (): void => {
    round += 1;
    for (const [key, lease] of pools) if (lease.users === 0 && round - lease.idleSince > 1) drop(key, lease);
    if (pools.size > 0) return;
    clearInterval(sweeper);
    sweeper = undefined;
  };

  const makeRoom = (): void => {
    // A map keeps the order of insertion and `take` moves what it uses to the end: the first unused one is the oldest.
    for (const [key, lease] of pools) {
      if (pools.size < maxPools) return;
      if (lease.users === 0) drop(key, lease);
    }
  };

  const open = (key: string, target: Target, connections: number): Lease => {
    guard.check(target.hostname, target.port);
    makeRoom();
    const connect = buildConnector({
      lookup: guard.lookupFor(target.port),
      timeout: options.connectTimeoutMs,
      // HTTP/2 costs four times as much, and a pool of its streams would not be one connection a request.
      allowH2: false,
      ...(options.trustedCertificates !== undefined && { ca: [...options.trustedCertificates] }),
    });
    // The exchange has its own time limit for everything, so undici's are off.
    const pool = new Pool(target.origin, {
      connections,
      connect,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const lease: Lease = { pool, users: 0, idleSince: round };
    pools.set(key, lease);
    if (sweeper === undefined) {
      sweeper = setInterval(sweep, idleMs);
      sweeper.unref();
    }
    return lease;
  };

  return Object.freeze<Pools>({
    take: (laneKey, target, poolSize) => {
      const connections = poolSize ?? defaultConnections;
      const key = `${connections} ${target.origin} ${laneKey}`;
      const found = pools.get(key);
      const lease = found ?? open(key, target, connections);
      if (found !== undefined && found.users === 0 && pools.size >= maxPools) {
        pools.delete(key);
        pools.set(key, found);
      }
      lease.users += 1;
      return lease;
    },
    release: (lease) => {
      lease.users -= 1;
      lease.idleSince = round;
    },
    count: () => pools.size,
    close: async () => {
      clearInterval(sweeper);
      sweeper = undefined;
      const closing = [...pools.values()].map((lease) => lease.pool.destroy());
      pools.clear();
      await Promise.all(closing);
    },
  });
}
