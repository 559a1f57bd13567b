/** Finding the message of an event that names it by id or by the provider's own id. */
import { arrayText } from './array-text.ts';
import { PIPELINE_CODES } from './claim.ts';
import type { Sql } from './database.ts';

export interface FoundMessage {
  /** Position in the question. */
  readonly place: number;
  readonly message_id: string;
  readonly account_id: string;
  readonly launch_id: string | null;
  readonly attempt: number;
  readonly lane_id: number;
  readonly channel_version_id: number;
}

export interface UnmatchedQuestion {
  readonly channelId: number;
  readonly externalId: string | null;
  readonly messageId: string | null;
  readonly accountId: string | null;
  /** The sender that the provider's address named: its ids are unique only there. */
  readonly senderId: string | null;
}

/** The messages of many unmatched events in one query; what is not found is left out. */
export function findMessages(sql: Sql, questions: readonly UnmatchedQuestion[]): Promise<FoundMessage[]> {
  return sql.query<FoundMessage>(
    'select * from find_messages($1::int[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[])',
    [
      arrayText(questions, 'int', (question) => question.channelId),
      arrayText(questions, 'text', (question) => question.externalId),
      arrayText(questions, 'uuid', (question) => question.messageId),
      arrayText(questions, 'uuid', (question) => question.accountId),
      arrayText(questions, 'uuid', (question) => question.senderId),
    ],
  );
}

export interface ParkedRow {
  readonly id: string;
  readonly channel_id: number;
  readonly account_id: string | null;
  readonly sender_id: string | null;
  readonly external_id: string | null;
  readonly message_id: string | null;
  readonly event: Readonly<Record<string, unknown>>;
}

/** Parked events whose message is known by now; those parked since `sinceMs` only. */
export function findJoinable(sql: Sql, sinceMs: number, most: number): Promise<ParkedRow[]> {
  return sql.query<ParkedRow>(
    `select p.id, p.channel_id, p.account_id, p.sender_id, p.external_id, p.message_id, p.event
     from parked_event p
     where p.parked_at >= $1 and (
       exists (select from external_id e join message m on m.id = e.message_id
         where p.message_id is null and e.channel_id = p.channel_id and e.external_id = p.external_id
           and (p.account_id is null or m.account_id = p.account_id)
           and (p.sender_id is null or attempt_by(m.id, m.sender_id, m.attempt, p.sender_id, e.attempt) is not null))
       or exists (select from message m
         where m.id = p.message_id and m.channel_id = p.channel_id and (p.account_id is null or m.account_id = p.account_id)
           and (p.sender_id is null or attempt_by(m.id, m.sender_id, m.attempt, p.sender_id, null) is not null)))
     order by p.id limit ${Math.trunc(most)}`,
    [new Date(sinceMs)],
  );
}

/** Parked events become waiting rows, each with what is to be settled; one that another process took is left alone. */
export async function unpark(
  sql: Sql,
  laneId: number,
  rows: readonly { readonly id: string; readonly payload: string }[],
  nowMs: number,
): Promise<void> {
  await sql.query(
    `with taken as (delete from parked_event where id = any($1::uuid[]) returning id)
     insert into waiting (id, lane_id, due_at, pipeline, channel_version_id, payload)
     select r.id, $3, $4, ${PIPELINE_CODES.listener}, 0, r.payload
     from unnest($1::uuid[], $2::text[]) as r (id, payload) join taken on taken.id = r.id
     on conflict (id) do nothing`,
    [rows.map((row) => row.id), rows.map((row) => row.payload), laneId, new Date(nowMs)],
  );
}
