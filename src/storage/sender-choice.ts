/**
 * Choosing senders in the database: the rules of a channel as one `case`, and the weights as buckets of a hash of the
 * message's id, so that the same message is always given the same sender.
 */
import { isObject } from '../json.ts';
import type { Sql, SqlValue } from './database.ts';
import { type Bind, filterCondition, wrong } from './filter.ts';
import type { SenderRule } from './sender-rules.ts';

/** The SQL of what rules ask besides profile `p` and subscription `s`: texts. */
export interface RuleWords {
  readonly class: string;
  readonly mailing: string;
}

/** What one rule offers now: senders with the upper ends of their weights, and the lanes they send through. */
export interface Pick {
  /** Which rule, from 0 on. */
  readonly rule: number;
  /** The sum of the weights. */
  readonly total: number;
  readonly bounds: readonly number[];
  readonly senders: readonly string[];
  readonly lanes: readonly number[];
  readonly route: number;
}

/** The fields that a rule's `when` may ask. */
export const RULE_FIELDS = 'profile.<field>, subscription.<field>, class or mailing';

/** The number of the first rule that fits, as SQL; null where none does. Throws REQUEST_INVALID. */
export function ruleCase(rules: readonly SenderRule[], words: RuleWords, bind: Bind): string {
  const member = (field: string, at: string) => {
    if (field === 'class' || field === 'mailing') return `to_jsonb(${words[field]})`;
    const [, table, key] = /^(profile|subscription)\.(.+)$/s.exec(field) ?? [];
    if (key === undefined) throw wrong(at, `"${field}" is not a field of a rule; use ${RULE_FIELDS}.`);
    return `${table === 'profile' ? 'p' : 's'}.fields -> ${bind(key)}::text`;
  };
  const whens = rules.map((rule, index) => {
    if (!isObject(rule.when)) return `when true then ${index}`;
    const text = filterCondition(rule.when, `/rules/${index}/when`, {
      bind,
      member,
      example: '{ "subscription.phone": { "startsWith": "+49" } }',
    });
    return `when ${text} then ${index}`;
  });
  return whens.length === 0 ? 'null::int' : `(case ${whens.join(' ')} end)`;
}

/** Joins `pick`, what the rule of `rule` offers, and `w`, the place among its senders, for the message of id `id`. */
export function pickJoin(picks: readonly Pick[], id: string, rule: string, bind: Bind): string {
  return `left join jsonb_to_recordset(${bind(JSON.stringify(picks))}::text::jsonb)
      as pick (rule int, total int, bounds int[], senders uuid[], lanes int[], route int) on pick.rule = ${rule}
    left join lateral (select width_bucket(sender_bucket(${id}, pick.total), pick.bounds) + 1 as place) w on true`;
}

export interface ChoosingMessage {
  readonly id: string;
  readonly profileId: string | null;
  readonly subscriptionId: string | null;
  readonly class: string;
}

export interface ChosenRow {
  readonly sender_id: string | null;
  readonly lane_id: number | null;
  readonly route_id: number | null;
}

/** The senders of messages of one channel, in their order; nulls where no rule fits. */
export function chooseSenders(
  sql: Sql,
  messages: readonly ChoosingMessage[],
  rules: readonly SenderRule[],
  picks: readonly Pick[],
): Promise<ChosenRow[]> {
  const values: SqlValue[] = [
    messages.map((message) => message.id),
    messages.map((message) => message.profileId),
    messages.map((message) => message.subscriptionId),
    messages.map((message) => message.class),
  ];
  const bind = (value: SqlValue) => `$${values.push(value)}`;
  const rule = ruleCase(rules, { class: 'g.class', mailing: 'null::text' }, bind);
  return sql.query<ChosenRow>(
    `select pick.senders[w.place] as sender_id, pick.lanes[w.place] as lane_id, pick.route as route_id
     from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) with ordinality
       as g (id, profile, subscription, class, place)
     left join profile p on p.id = g.profile
     left join subscription s on s.id = g.subscription
     cross join lateral (select ${rule} as rule) r
     ${pickJoin(picks, 'g.id', 'r.rule', bind)}
     order by g.place`,
    values,
    'authored',
  );
}

/** Of some lanes those that take nothing now. One that is to be probed and has nothing to probe with takes something. */
export async function restingLanes(sql: Sql, ids: readonly number[]): Promise<ReadonlySet<number>> {
  const rows = await sql.query<{ id: number }>(
    `select l.id from lane l where l.id = any($1::int[]) and (l.paused_at is not null or l.breaker = 'open'
       or (l.breaker = 'half_open' and exists (select from waiting w where w.lane_id = l.id)))`,
    [ids],
  );
  return new Set(rows.map((row) => row.id));
}
