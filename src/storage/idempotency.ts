/** Answers of writes by Idempotency-Key. */
import type { Sql } from './database.ts';

export interface KeptAnswer {
  readonly hash: string;
  readonly status: number | null;
  readonly answer: string | null;
  readonly createdAtMs: number;
}

/** Reserves a key for a request, or gives what is kept under it. */
export async function reserveIdempotency(
  sql: Sql,
  accountId: string,
  key: string,
  hash: string,
  nowMs: number,
): Promise<KeptAnswer> {
  const [row] = await sql.query<{
    hash: string;
    status: number | null;
    answer: string | null;
    created: number;
  }>(
    `insert into idempotency (account_id, key, hash, created_at) values ($1, $2, $3, $4)
     on conflict (account_id, key) do update set key = excluded.key
     returning hash, status, answer, (extract(epoch from created_at) * 1000)::float8 as created`,
    [accountId, key, hash, new Date(nowMs)],
  );
  return {
    hash: row?.hash ?? hash,
    status: row?.status ?? null,
    answer: row?.answer ?? null,
    createdAtMs: Math.round(row?.created ?? nowMs),
  };
}

export async function keepAnswer(
  sql: Sql,
  accountId: string,
  key: string,
  status: number,
  answer: string,
): Promise<void> {
  await sql.query('update idempotency set status = $3, answer = $4 where account_id = $1 and key = $2', [
    accountId,
    key,
    status,
    answer,
  ]);
}

export async function forgetIdempotency(sql: Sql, accountId: string, key: string): Promise<void> {
  await sql.query('delete from idempotency where account_id = $1 and key = $2 and status is null', [
    accountId,
    key,
  ]);
}
