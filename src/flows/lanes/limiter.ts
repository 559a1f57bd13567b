/**
 * Rate limits over all processes, exact at the provider whatever the delays: a token is out from the moment it is taken
 * until one window after the answer to the request that used it. A request reaches the provider no earlier than it was
 * sent and no later than it was answered, so no window at the provider ever holds more requests than there are tokens.
 * A provider that counts a request later than we gave up waiting for its answer cannot be guarded against.
 *
 * Tokens are counted in the database, by the clock of the database. Taking and bringing back travel in one statement, about a
 * hundred times in a window at most. Who gets none soon goes back to wait, durably: RATE_LIMITED.
 */
import { Failure } from '../../errors.ts';
import type { RateLimit } from '../../pipes/contract.ts';
import { databaseFailure, isClosed } from '../../storage/database.ts';
import { holdRateLimits, type RateGrant, type RateTurn, turnRateLimits } from '../../storage/rate-limits.ts';
import { createBatcher } from '../batcher.ts';
import type { Runtime } from '../runtime.ts';

/** Requests whose token comes free this soon wait for it in memory. */
const HORIZON_MS = 200;
/** Others were faster so often that this one goes back to wait. */
const LONGEST_IN_MEMORY_MS = 500;
/** A limit is asked again at least so often, however long its window: it may have changed. */
const LONGEST_WAIT_MS = 60_000;
/** Turns of one process at one limit lie a hundredth of the window apart, within these bounds. */
const TURNS_PER_WINDOW = 100;
const SHORTEST_TURN_MS = 5;
const LONGEST_TURN_MS = 250;
/** After a turn that failed. */
const FAILED_TURN_MS = 1_000;
/** Tokens are used only well within their lease. */
const LEASE_MARGIN = 0.75;
const MOST_TURNS = 500;
/** Beyond so many limits those are forgotten of which nothing is held. */
const MANY_STATES = 10_000;

/** A limit and for whom it is counted. */
export interface KeyedLimit {
  readonly key: string;
  readonly limit: RateLimit;
}

export interface Limiter {
  /**
   * Calls `send` when all limits let it go, and gives what it gives. Throws RATE_LIMITED with `retryAfterMs`, without
   * having called it, where that is not soon.
   */
  readonly within: <T>(limits: readonly KeyedLimit[], send: () => Promise<T>) => Promise<T>;
  /** The provider asked for rest: no process lets anything go under these keys for so long. */
  readonly hold: (keys: readonly string[], forMs: number) => Promise<void>;
  /** Brings back what is held. Call it when nothing is under way. */
  readonly stop: () => Promise<void>;
}

export interface LimiterOptions {
  /** What a process holds that was silent for so long is taken from it. */
  readonly leaseMs: number;
  /** Instead of the database's clock, where tests play time. */
  readonly databaseNow?: () => number;
}

interface Waiter {
  readonly sinceMs: number;
  readonly go: () => void;
  readonly refuse: (failure: Failure) => void;
}

/** What this process knows of one limit. */
interface State {
  readonly turn: Omit<RateTurn, 'held' | 'used' | 'wanted'>;
  readonly spacingMs: number;
  readonly line: Waiter[];
  held: number;
  used: number;
  /** Tokens given back of which the database does not know yet. */
  owing: number;
  turning: boolean;
  timer: NodeJS.Timeout | undefined;
  timerMs: number;
  turnedMs: number;
  /** There is no token before. */
  nextMs: number;
  /** By the monotonic clock, until when the tokens are surely ours. */
  leaseUntilMs: number;
  /** How often the lease was over before it was renewed: what was taken before is not ours any more. */
  lapses: number;
}

/** The tokens of this process. */
export function createLimiter(runtime: Runtime, options: LimiterOptions): Limiter {
  const { clock, database, ids, log, random } = runtime;
  const states = new Map<string, State>();
  const name = ids.next();
  let stopped = false;

  const turns = createBatcher<State, RateGrant>(async (asking) => {
    const startedMs = performance.now();
    const asked = asking.map((state) => ({
      ...state.turn,
      held: state.held,
      used: state.used,
      wanted: state.line.length,
    }));
    const owed = asking.map((state) => state.owing);
    const { leaseMs, databaseNow } = options;
    const holder = { name, leaseMs, horizonMs: HORIZON_MS, nowMs: databaseNow?.() };
    const grants = await turnRateLimits(database, holder, asked);
    asking.forEach((state, index) => {
      state.used -= asked[index]?.used ?? 0;
      state.owing -= owed[index] ?? 0;
      if (state.held > 0 && startedMs >= state.leaseUntilMs) state.lapses += 1;
      state.held += grants[index]?.granted ?? 0;
      state.leaseUntilMs = startedMs + leaseMs * LEASE_MARGIN;
    });
    return grants;
  }, MOST_TURNS);

  const takeTurn = async (state: State) => {
    state.turning = true;
    clearTimeout(state.timer);
    state.timer = undefined;
    state.turnedMs = clock.now();
    try {
      distribute(state, await turns.add(state));
    } catch (thrown) {
      // What was granted in a lost answer is corrected by the next turn, which says all that is held.
      state.nextMs = clock.now() + FAILED_TURN_MS;
      state.turnedMs = state.nextMs;
      refuseAll(state, FAILED_TURN_MS);
      const failure = databaseFailure(thrown);
      if (isClosed(thrown)) stopped = true;
      else log.error({ code: failure.code }, `a rate limit could not be asked: ${failure.message}`);
    }
    state.turning = false;
    plan(state);
  };

  const distribute = (state: State, grant: RateGrant) => {
    const nowMs = clock.now();
    const going = state.line.splice(0, grant.granted);
    for (const waiter of going) waiter.go();
    // Who waited for these was refused in the meantime, because the provider asked for rest: they did not leave.
    const spare = grant.granted - going.length;
    state.held -= spare;
    state.owing += spare;
    const waitMs = Math.min(grant.waitMs, LONGEST_WAIT_MS);
    if (waitMs <= 0) return;
    // Not all processes at the same instant, so that each gets its share.
    state.nextMs = nowMs + waitMs + random() * state.spacingMs;
    const stay = waitMs > HORIZON_MS ? 0 : Math.max(1, grant.soon);
    const kept = state.line.splice(0, stay);
    const again = Math.max(waitMs, HORIZON_MS * 0.75);
    refuseAll(state, again + random() * state.spacingMs);
    for (const waiter of kept) {
      if (nowMs - waiter.sinceMs < LONGEST_IN_MEMORY_MS) state.line.push(waiter);
      else waiter.refuse(noToken(again));
    }
  };

  const refuseAll = (state: State, waitMs: number) => {
    for (const waiter of state.line.splice(0)) waiter.refuse(noToken(waitMs));
  };

  /** Sets the timer of the next turn, if there is anything to do. */
  const plan = (state: State) => {
    if (state.turning || stopped) return;
    const free = state.turnedMs + state.spacingMs;
    let dueMs = Number.POSITIVE_INFINITY;
    if (state.line.length > 0) dueMs = Math.max(state.nextMs, free);
    if (state.owing > 0) dueMs = Math.min(dueMs, free);
    if (state.held > 0) dueMs = Math.min(dueMs, state.turnedMs + options.leaseMs / 4);
    if (dueMs === Number.POSITIVE_INFINITY) return;
    const delayMs = dueMs - clock.now();
    if (delayMs <= 0) {
      void takeTurn(state);
      return;
    }
    if (state.timer !== undefined && state.timerMs <= dueMs) return;
    clearTimeout(state.timer);
    state.timerMs = dueMs;
    state.timer = setTimeout(takeTurn, delayMs, state);
  };

  const stateOf = ({ key, limit }: KeyedLimit): State => {
    const id = `${limit.requests}/${limit.perSeconds}/${limit.burst ?? ''}/${key}`;
    const known = states.get(id);
    if (known !== undefined) return known;
    if (states.size >= MANY_STATES) forgetIdle();
    const windowMs = limit.perSeconds * 1_000;
    const made: State = {
      turn: { key, requests: limit.requests, windowMs, burst: limit.burst ?? null },
      spacingMs: Math.min(LONGEST_TURN_MS, Math.max(SHORTEST_TURN_MS, windowMs / TURNS_PER_WINDOW)),
      line: [],
      held: 0,
      used: 0,
      owing: 0,
      turning: false,
      timer: undefined,
      timerMs: 0,
      turnedMs: 0,
      nextMs: 0,
      leaseUntilMs: 0,
      lapses: 0,
    };
    states.set(id, made);
    return made;
  };

  const forgetIdle = () => {
    for (const [id, { held, owing, line, turning }] of states) {
      if (held === 0 && owing === 0 && line.length === 0 && !turning) states.delete(id);
    }
  };

  /** Resolves when a token of the limit is in hand. */
  const acquire = async (state: State): Promise<void> => {
    const waitMs = state.nextMs - clock.now();
    if (waitMs > HORIZON_MS || stopped) throw noToken(Math.max(waitMs, HORIZON_MS));
    await new Promise<void>((go, refuse) => {
      state.line.push({ sinceMs: clock.now(), go, refuse });
      plan(state);
    });
  };

  const release = (state: State, used: 0 | 1) => {
    state.held -= 1;
    state.used += used;
    state.owing += 1;
    plan(state);
  };

  return Object.freeze<Limiter>({
    within: async (limits, send) => {
      const taken: { readonly state: State; readonly lapses: number }[] = [];
      let used: 0 | 1 = 0;
      try {
        for (const each of limits) {
          const state = stateOf(each);
          await acquire(state);
          taken.push({ state, lapses: state.lapses });
        }
        // Where this process stood still, or the database did not answer, for so long, others may have one of these tokens.
        const nowMs = performance.now();
        if (taken.some(({ state, lapses }) => nowMs >= state.leaseUntilMs || lapses !== state.lapses))
          throw noToken(HORIZON_MS);
        used = 1;
        return await send();
      } finally {
        for (const { state } of taken) release(state, used);
      }
    },
    hold: async (keys, forMs) => {
      const untilMs = clock.now() + forMs;
      for (const state of states.values()) {
        if (!keys.includes(state.turn.key)) continue;
        state.nextMs = Math.max(state.nextMs, untilMs);
        refuseAll(state, forMs);
      }
      await holdRateLimits(database, keys, forMs, options.databaseNow?.());
    },
    stop: async () => {
      stopped = true;
      await turns.drain();
      const owing = [...states.values()].filter((state) => state.owing > 0);
      for (const state of states.values()) clearTimeout(state.timer);
      // What cannot be brought back now comes back after the lease.
      await Promise.allSettled(owing.map((state) => turns.add(state)));
    },
  });
}

function noToken(waitMs: number): Failure {
  return new Failure('RATE_LIMITED', 'The limit of this channel has no free token now; the event waits.', {
    kind: 'limit',
    retryAfterMs: Math.ceil(waitMs),
  });
}
