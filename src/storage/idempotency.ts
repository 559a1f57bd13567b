/**
 * Requests under an Idempotency-Key: one row each, with the answer once there is one. A call that works on the request is
 * the holder of the row and counts `beat` on. A call that finds a holder waits, and takes the row over if `beat` stands
 * still: that is seen without comparing times, so no clock that jumps gives a living holder's row away.
 */
import type { Sql } from './database.ts';
import { and, eq, isNull, sql } from './drizzle.ts';
import { idempotency } from './schema.ts';
import { type Given, type Row, statement } from './statement.ts';

/** The hash of a request that was refused: any other may take its key. */
export const REFUSED = '';

export interface RequestKey {
  readonly accountId: string;
  readonly key: string;
}

/** A call, and the request it brings. */
export interface KeyClaim extends RequestKey {
  readonly holder: string;
  readonly hash: string;
  readonly nowMs: number;
}

export type KeyRow = Pick<
  Row<typeof idempotency>,
  'hash' | 'status' | 'answer' | 'holder' | 'beat' | 'failure' | 'created_at'
>;

type GivenKey = Given<{ accountId: string; key: string }>;
type GivenHolder = Given<{ accountId: string; key: string; holder: string }>;

const isRow = (given: GivenKey) =>
  and(eq(idempotency.account_id, given.accountId), eq(idempotency.key, given.key));
const isHeld = (given: GivenHolder) => and(isRow(given), eq(idempotency.holder, given.holder));

const insert = statement(
  (db, given: Given<{ accountId: string; key: string; holder: string; hash: string; now: Date }>) =>
    db
      .insert(idempotency)
      .values({
        account_id: given.accountId,
        key: given.key,
        hash: given.hash,
        holder: given.holder,
        created_at: given.now,
      })
      .onConflictDoNothing()
      .returning({ created_at: idempotency.created_at }),
);

const select = statement((db, given: GivenKey) =>
  db
    .select({
      hash: idempotency.hash,
      status: idempotency.status,
      answer: idempotency.answer,
      holder: idempotency.holder,
      beat: idempotency.beat,
      failure: idempotency.failure,
      created_at: idempotency.created_at,
    })
    .from(idempotency)
    .where(isRow(given)),
);

const take = statement(
  (
    db,
    given: Given<{
      accountId: string;
      key: string;
      holder: string;
      hash: string;
      now: Date;
      seenHolder: string | null;
      seenBeat: number;
    }>,
  ) =>
    db
      .update(idempotency)
      .set({
        holder: given.holder,
        hash: given.hash,
        beat: sql`${idempotency.beat} + 1`,
        failure: null,
        created_at: sql`case when ${idempotency.hash} = ${REFUSED} then ${given.now}::timestamptz else ${idempotency.created_at} end`,
      })
      .where(
        and(
          isRow(given),
          isNull(idempotency.status),
          sql`${idempotency.holder} is not distinct from ${given.seenHolder}::uuid`,
          eq(idempotency.beat, given.seenBeat),
        ),
      )
      .returning({ created_at: idempotency.created_at }),
);

const beat = statement((db, given: GivenHolder) =>
  db
    .update(idempotency)
    .set({ beat: sql`${idempotency.beat} + 1` })
    .where(isHeld(given)),
);

const save = statement(
  (db, given: Given<{ accountId: string; key: string; holder: string; status: number; answer: string }>) =>
    db
      .update(idempotency)
      .set({ status: given.status, answer: given.answer, holder: null, failure: null })
      .where(isHeld(given)),
);

const fail = statement(
  (db, given: Given<{ accountId: string; key: string; holder: string; hash: string; failure: string }>) =>
    db
      .update(idempotency)
      .set({ hash: given.hash, failure: given.failure, holder: null })
      .where(isHeld(given)),
);

/** Enters a call as the holder of a new key. Returns when, in milliseconds; undefined if the key is known. */
export async function insertKey(to: Sql, claim: KeyClaim): Promise<number | undefined> {
  const { nowMs, ...values } = claim;
  const [row] = await insert(to, { ...values, now: new Date(nowMs) });
  return row?.created_at.getTime();
}

/** Returns what is known of a key, or undefined. */
export async function readKey(to: Sql, key: RequestKey): Promise<KeyRow | undefined> {
  const [row] = await select(to, { accountId: key.accountId, key: key.key });
  return row;
}

/**
 * Makes a call the holder of a key without an answer, if it is still as it was seen. Returns when the key was first used,
 * in milliseconds; undefined if another call was faster.
 */
export async function takeKey(to: Sql, claim: KeyClaim, seen: KeyRow): Promise<number | undefined> {
  const { nowMs, ...values } = claim;
  const [row] = await take(to, {
    ...values,
    now: new Date(nowMs),
    seenHolder: seen.holder,
    seenBeat: seen.beat,
  });
  return row?.created_at.getTime();
}

/** Shows that the holder of a key lives. */
export async function beatKey(to: Sql, claim: KeyClaim): Promise<void> {
  await beat(to, claim);
}

/** Saves the answer, which every later call gets, unless the key was taken over. */
export async function saveAnswer(to: Sql, claim: KeyClaim, status: number, answer: string): Promise<void> {
  await save(to, { ...claim, status, answer });
}

/** Lets go of a key without an answer; `failure` is JSON text for those who wait. A refused one is free for any request. */
export async function failKey(to: Sql, claim: KeyClaim, failure: string, isRefused: boolean): Promise<void> {
  await fail(to, { ...claim, hash: isRefused ? REFUSED : claim.hash, failure });
}
