/** What guards ask before a message is sent: an account's rules, and a place under its frequency caps. */
import type { Json } from '../json.ts';
import type { Sql } from './database.ts';

export interface AccountGuards {
  /** As they were checked when they were saved; null if there are none. */
  readonly rules: Json;
  /** The account suppresses at least one address. */
  readonly suppresses: boolean;
}

/** What guards the sending of an account, in one question. */
export async function readAccountGuards(sql: Sql, accountId: string): Promise<AccountGuards> {
  const [row] = await sql.query<AccountGuards>(
    `select (select rules from sending_rules where account_id = $1) as rules,
       exists (select from suppression where account_id = $1) as suppresses`,
    [accountId],
  );
  return row ?? { rules: null, suppresses: false };
}

export interface SendingRulesRow {
  readonly rules: Json;
  readonly updated_at: Date;
}

/** The rules of an account, held until the transaction ends; undefined if it has none. */
export async function lockSendingRules(tx: Sql, accountId: string): Promise<SendingRulesRow | undefined> {
  const rows = await tx.query<SendingRulesRow>(
    'select rules, updated_at from sending_rules where account_id = $1 for update',
    [accountId],
  );
  return rows[0];
}

/** `rules` is JSON text. */
export async function writeSendingRules(
  sql: Sql,
  accountId: string,
  rules: string,
  nowMs: number,
): Promise<void> {
  await sql.query(
    `insert into sending_rules (account_id, rules, updated_at) values ($1, $2::text::json, $3)
     on conflict (account_id) do update set rules = excluded.rules, updated_at = excluded.updated_at`,
    [accountId, rules, new Date(nowMs)],
  );
}

/** A cap that a message must find room under. */
export interface AskedCap {
  /** Its place among the account's rules. */
  readonly rule: number;
  /** Null: whatever the channel, or the category. */
  readonly channelId: number | null;
  readonly category: string | null;
  readonly messages: number;
  readonly seconds: number;
}

export interface AskedContact {
  readonly messageId: string;
  readonly category: string;
  readonly caps: readonly AskedCap[];
}

export interface FullCap {
  /** Of the message in the question. */
  readonly place: number;
  readonly rule: number;
  /** When there will be room, in milliseconds. */
  readonly free_at: number;
}

/**
 * Gives messages their places under caps, in one statement; what it answers has no room. A message that is asked for
 * again does not count against itself.
 */
export async function reserveContacts(
  sql: Sql,
  asked: readonly AskedContact[],
  nowMs: number,
): Promise<FullCap[]> {
  // Places of arrays begin with 1 in the database.
  const caps = asked.flatMap((each, index) => each.caps.map((cap) => ({ ...cap, place: index + 1 })));
  const full = await sql.query<FullCap>(
    'select * from reserve_contacts($1::timestamptz, $2::uuid[], $3::text[], $4::int[], $5::int[], $6::int[], $7::text[], $8::int[], $9::float8[])',
    [
      new Date(nowMs),
      asked.map((each) => each.messageId),
      asked.map((each) => each.category),
      caps.map((cap) => cap.place),
      caps.map((cap) => cap.rule),
      caps.map((cap) => cap.channelId),
      caps.map((cap) => cap.category),
      caps.map((cap) => cap.messages),
      caps.map((cap) => cap.seconds),
    ],
  );
  return full.map((each) => ({ ...each, place: each.place - 1 }));
}

/** Deletes contacts that no cap counts any more, and suppressions whose time is over, in small bites. */
export async function dropOldGuards(sql: Sql, nowMs: number): Promise<void> {
  const bite = 'limit 10000';
  await sql.query(
    `delete from contact where ctid = any(array(
       select ctid from contact where at < $1::timestamptz - make_interval(secs => (
         select coalesce(max((cap ->> 'perHours')::float8), 0) * 3600
         from sending_rules, json_array_elements(rules -> 'caps') as cap)) ${bite}))`,
    [new Date(nowMs)],
  );
  await sql.query(
    `delete from suppression where ctid = any(array(select ctid from suppression where expires_at < $1 ${bite}))`,
    [new Date(nowMs)],
  );
}
