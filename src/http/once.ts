/**
 * Runs a write once per Idempotency-Key, over all processes. What it makes gets ids that follow from the key, so that a
 * repeat after a crash between the write and the saved answer finds what is there instead of making it again.
 *
 * A call that finds the same request under way waits for its answer, or for its failure. It takes over from a call that
 * shows no life, such as one of a process that was killed, and gives up with a 409 from one that lives and takes long.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from '../access/tokens.ts';
import { Failure } from '../errors.ts';
import type { Runtime } from '../flows/runtime.ts';
import type { Ids } from '../ids.ts';
import {
  beatKey,
  failKey,
  insertKey,
  type KeyClaim,
  REFUSED,
  readKey,
  saveAnswer,
  takeKey,
} from '../storage/idempotency.ts';
import { isoTime } from '../time.ts';
import { createKeyWatch, type KeyPace } from './key-watch.ts';
import { hashRequest, idsOfKey } from './keyed-ids.ts';
import { problemBodyResponse, problemOf } from './problem.ts';
import { answerResponse, failureOf } from './respond.ts';
import type { ApiAnswer, Route } from './route.ts';

const MOST_KEY_CHARACTERS = 255;

const PACE: KeyPace = {
  beatMs: 1_000,
  silentMs: 5_000,
  waitMs: 10_000,
  firstPollMs: 20,
  longestPollMs: 250,
  retryAfterMs: 2_000,
};

export interface KeyedRequest {
  readonly caller: Caller;
  readonly key: string;
  /** What a repeat must have in common with the first call. */
  readonly request: string;
  readonly route: Route;
  readonly run: (ids: Ids) => Promise<ApiAnswer>;
}

export type Once = (request: KeyedRequest) => Promise<Response>;

/** Returns what runs keyed requests. It throws what `run` throws, and CONFLICT, REQUEST_IN_PROGRESS. */
export function createOnce(runtime: Runtime, pace: KeyPace = PACE): Once {
  const { database, clock, ids, vault } = runtime;

  /** Returns when the key was first used, for the one that is to run the request, or else the answer. */
  const startOrAnswer = async (claim: KeyClaim, route: Route): Promise<number | Response> => {
    const watch = createKeyWatch(pace);
    for (let isNew = true; ; ) {
      const inserted = isNew ? await insertKey(database, claim) : undefined;
      if (inserted !== undefined) return inserted;
      const row = await readKey(database, claim);
      isNew = row === undefined;
      if (row === undefined) continue;
      if (row.hash !== claim.hash && row.hash !== REFUSED) {
        throw new Failure(
          'CONFLICT',
          'This Idempotency-Key was used for another request. Use a new key for each write.',
        );
      }
      if (row.status !== null) return replay(route, row.status, row.answer);
      const verdict = watch.look(row, performance.now());
      if (verdict === 'failed') return problemBodyResponse(JSON.parse(row.failure ?? 'null'));
      if (verdict === 'late') {
        const message =
          'The same request is still being worked on. Send it again later with the same Idempotency-Key to get its answer.';
        throw new Failure('REQUEST_IN_PROGRESS', message, { retryAfterMs: pace.retryAfterMs });
      }
      if (verdict === 'wait') await sleep(watch.pollMs());
      else {
        const taken = await takeKey(database, claim, row);
        if (taken !== undefined) return taken;
      }
    }
  };

  const replay = (route: Route, status: number, saved: string | null): Response => {
    const value = JSON.parse(saved ?? 'null');
    const body = route.secretAnswer === true ? vault.open(value) : value;
    const answer = answerResponse({ status, body: body ?? undefined });
    answer.headers.set('idempotent-replay', 'true');
    return answer;
  };

  /** Lets go of a key. If that fails too, it is taken over, because nobody shows that its holder lives. */
  const release = async (claim: KeyClaim, thrown: unknown) => {
    const failure = failureOf(thrown);
    // A refused request may be sent again, corrected, under the same key. After any other failure it is not known what
    // was written: the repeat must make the same ids.
    const isRefused = failure.status < 500;
    await failKey(database, claim, JSON.stringify(problemOf(failure)), isRefused).catch(() => {});
  };

  const work = async (claim: KeyClaim, firstMs: number, { route, run }: KeyedRequest): Promise<Response> => {
    const beats = setInterval(() => beatKey(database, claim).catch(() => {}), pace.beatMs);
    try {
      const answer = await run(idsOfKey(claim, firstMs));
      const body = answer.body ?? null;
      const saved = route.secretAnswer === true ? vault.seal(body, isoTime(clock.now())) : body;
      await saveAnswer(database, claim, answer.status, JSON.stringify(saved));
      return answerResponse(answer);
    } finally {
      clearInterval(beats);
    }
  };

  return async (request) => {
    const { caller, key, route } = request;
    if (key.length > MOST_KEY_CHARACTERS) {
      const message = `An Idempotency-Key has at most ${MOST_KEY_CHARACTERS} characters.`;
      throw new Failure('REQUEST_MALFORMED', message);
    }
    const claim: KeyClaim = {
      accountId: caller.accountId,
      key,
      holder: ids.next(),
      hash: await hashRequest(request.request, `${caller.accountId}\n${key}`, route.secretBody === true),
      nowMs: clock.now(),
    };
    try {
      const started = await startOrAnswer(claim, route);
      return typeof started === 'number' ? await work(claim, started, request) : started;
    } catch (thrown) {
      // Also if taking the key failed: it may have been taken, and only the answer of the database be lost.
      await release(claim, thrown);
      throw thrown;
    }
  };
}
