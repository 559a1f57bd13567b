/** Mailings: one campaign each, started as often as wanted. */
import type { Sql } from './database.ts';

/** When a mailing starts and stops: as it was written, and the moments that were meant. */
export interface MailingSchedule {
  readonly startAt?: string;
  readonly stopAt?: string;
  readonly timeZone?: string;
  readonly startAtUtc?: string;
  readonly stopAtUtc?: string;
}

export interface MailingRow {
  readonly id: string;
  readonly account_id: string;
  readonly name: string;
  readonly channel_id: number;
  readonly channel: string;
  readonly sender_id: string | null;
  readonly sender: string | null;
  readonly resource_id: string;
  readonly resource: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** A content item instead of own content. */
  readonly content_item_id: string | null;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly audience: Readonly<Record<string, unknown>>;
  readonly schedule: MailingSchedule | null;
  readonly type: 'regular' | 'trigger' | 'placement';
  readonly class: string;
  /** What frequency caps count it as; null: its class. */
  readonly category: string | null;
  readonly state: string;
  readonly state_reason: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const SELECT = `select m.*, c.sid as channel, s.sid as sender, r.sid as resource
  from mailing m join channel c on c.id = m.channel_id join resource r on r.id = m.resource_id
  left join sender s on s.id = m.sender_id`;

export interface NewMailing {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly channelId: number;
  readonly senderId: string | null;
  readonly resourceId: string;
  /** JSON texts. */
  readonly content: string;
  readonly contentItemId: string | null;
  readonly fields: string;
  readonly audience: string;
  readonly schedule: string | null;
  readonly type: string;
  readonly class: string;
  readonly category: string | null;
  readonly nowMs: number;
}

/** False where a mailing with this id is there already. */
export async function insertMailing(sql: Sql, mailing: NewMailing): Promise<boolean> {
  const rows = await sql.query(
    `insert into mailing (id, account_id, name, channel_id, sender_id, resource_id, content, fields, audience, schedule,
       class, category, state, created_at, updated_at, content_item_id, type)
     values ($1, $2, $3, $4, $5, $6, $7::text::json, $8::text::json, $9::text::json, $10::text::json, $11, $13, 'draft', $12, $12, $14, $15)
     on conflict (id) do nothing returning id`,
    [
      mailing.id,
      mailing.accountId,
      mailing.name,
      mailing.channelId,
      mailing.senderId,
      mailing.resourceId,
      mailing.content,
      mailing.fields,
      mailing.audience,
      mailing.schedule,
      mailing.class,
      new Date(mailing.nowMs),
      mailing.category,
      mailing.contentItemId,
      mailing.type,
    ],
  );
  return rows.length === 1;
}

/** A mailing; without an account, no matter who owns it, for the corridor. */
export async function readMailing(sql: Sql, id: string, accountId?: string): Promise<MailingRow | undefined> {
  const rows = await sql.query<MailingRow>(
    `${SELECT} where m.id = $1 and ($2::uuid is null or m.account_id = $2)`,
    [id, accountId ?? null],
  );
  return rows[0];
}

export async function listMailings(
  sql: Sql,
  accountId: string,
  page: { limit: number; before: string | undefined },
): Promise<{ rows: MailingRow[]; total: number }> {
  const rows = await sql.query<MailingRow>(
    `${SELECT} where m.account_id = $1 and ($2::uuid is null or m.id < $2) order by m.id desc limit $3`,
    [accountId, page.before ?? null, page.limit + 1],
  );
  const [count] = await sql.query<{ total: number }>(
    'select count(*)::int as total from mailing where account_id = $1',
    [accountId],
  );
  return { rows, total: count?.total ?? 0 };
}

/** Moves a mailing from one of some states to another; false if it was in none of them. */
export async function moveMailing(
  sql: Sql,
  id: string,
  from: readonly string[],
  to: string,
  nowMs: number,
  reason: string | null = null,
): Promise<boolean> {
  const rows = await sql.query(
    'update mailing set state = $3, state_reason = $5, updated_at = $4 where id = $1 and state = any($2::text[]) returning id',
    [id, from, to, new Date(nowMs), reason],
  );
  return rows.length === 1;
}
