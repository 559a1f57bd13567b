/** Sender rules: which sender a message goes by, and which ones after it. */
import type { Sql } from './database.ts';

/** A rule as an admin writes it; senders are named by their sids. */
export interface SenderRule {
  readonly name: string;
  /** A filter; without one the rule fits every message. */
  readonly when?: Readonly<Record<string, unknown>>;
  readonly senders: readonly { readonly sender: string; readonly weight?: number }[];
  readonly fallback?: readonly string[];
  readonly fallbackOn?: readonly (string | number)[];
}

export interface SenderRulesRow {
  readonly rules: readonly SenderRule[];
  /** The ids of the rules' routes, in their order. */
  readonly routes: readonly number[];
  /** Sender ids of the channel by sid. */
  readonly senders: Readonly<Record<string, string>> | null;
  readonly updated_at: Date;
}

export async function readSenderRules(
  sql: Sql,
  accountId: string,
  channelId: number,
): Promise<SenderRulesRow | undefined> {
  const rows = await sql.query<SenderRulesRow>(
    `select r.rules, to_json(r.routes) as routes, r.updated_at,
       (select json_object_agg(s.sid, s.id) from sender s
        where s.account_id = r.account_id and s.channel_id = r.channel_id) as senders
     from sender_rules r where r.account_id = $1 and r.channel_id = $2`,
    [accountId, channelId],
  );
  return rows[0];
}

/** The senders of a channel, which stay until the transaction ends. */
export function holdSenders(tx: Sql, accountId: string, channelId: number) {
  return tx.query<{ readonly id: string; readonly sid: string }>(
    'select id, sid from sender where account_id = $1 and channel_id = $2 order by id for key share',
    [accountId, channelId],
  );
}

export interface NewRoute {
  readonly name: string;
  /** Sender ids. */
  readonly fallback: readonly string[];
  readonly fallbackOn: readonly string[];
}

/** Writes the rules with their routes; a route that is there already is taken again. */
export async function writeSenderRules(
  tx: Sql,
  accountId: string,
  channelId: number,
  rules: readonly SenderRule[],
  routes: readonly NewRoute[],
  nowMs: number,
): Promise<void> {
  await tx.query(
    `with given as (
       select * from rows from (jsonb_to_recordset($4::text::jsonb) as (name text, fallback uuid[], "fallbackOn" text[]))
         with ordinality as g (name, fallback, fallback_on, place)),
     kept as (
       insert into sender_route (account_id, channel_id, name, fallback, fallback_on)
       select $1, $2, name, fallback, fallback_on from given
       on conflict (account_id, channel_id, name, fallback, fallback_on) do update set name = excluded.name
       returning id, name)
     insert into sender_rules (account_id, channel_id, rules, routes, updated_at)
     select $1, $2, $3::text::json, array(select kept.id from given join kept using (name) order by given.place), $5
     on conflict (account_id, channel_id)
       do update set rules = excluded.rules, routes = excluded.routes, updated_at = excluded.updated_at`,
    [accountId, channelId, JSON.stringify(rules), JSON.stringify(routes), new Date(nowMs)],
  );
}

export async function deleteSenderRules(tx: Sql, accountId: string, channelId: number): Promise<void> {
  await tx.query('delete from sender_rules where account_id = $1 and channel_id = $2', [
    accountId,
    channelId,
  ]);
}

/** Whether the rules of a channel name a sender. */
export function namesSender(rules: readonly SenderRule[], sid: string): boolean {
  return rules.some(
    (rule) => rule.fallback?.includes(sid) === true || rule.senders.some((each) => each.sender === sid),
  );
}
